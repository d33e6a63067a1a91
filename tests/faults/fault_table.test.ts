import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import {
  ABORTED_WAIT_IN_MS,
  ASKED_WAIT_IN_MS,
  classOf,
  expectedOutcome,
  type Fault,
  FAULT_TABLE,
  type FaultGroup,
  MAX_RETRIES,
  type OperationName,
  SHORT_TIMEOUT_IN_MS,
} from "../support/fault_table.ts";
import * as OPERATIONS from "../../lib/transport/operations.ts";
import { HTTP_METHODS, type HttpMethod, idNamesOf, invoke } from "../support/http_methods.ts";
import { LiveTimers } from "../support/live_timers.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { CONNECTION_STRING, HOST_NAME } from "../support/recorder.ts";

/** What goes over HTTP. */
const HTTP_OPERATIONS = Object.entries(OPERATIONS)
  .filter(([, { noun }]) => noun !== "C2dMessages" && noun !== "DeviceEvents")
  .map(([name]) => name);

const REASON = new Error("No longer needed");
const BROKEN_CREDENTIAL = { getToken: () => Promise.reject(new Error("The vault is closed")) };

test("the table is about every operation that there is", () => {
  assert.deepEqual(HTTP_METHODS.map(({ name }) => name).sort(), HTTP_OPERATIONS.sort());
  assert.equal(HTTP_METHODS.length, 53);
});

for (const group of FAULT_TABLE) {
  describe(group.what, () => {
    for (const fault of group.faults) {
      test(`${fault.name}, for each operation`, async () => {
        using time = new MockedTime();
        const waits: number[] = [];
        const controller = new AbortController();
        const listeners = countListeners(controller.signal);
        if (fault.call?.abort === "before") controller.abort(REASON);
        using timers = new LiveTimers((delayInMs) => {
          if (isAbout(delayInMs, ASKED_WAIT_IN_MS)) waits.push(delayInMs);
          if (isAbout(delayInMs, ABORTED_WAIT_IN_MS) && waits.push(delayInMs) === HTTP_METHODS.length) {
            queueMicrotask(() => controller.abort(REASON));
          }
          return isAbout(delayInMs, ASKED_WAIT_IN_MS);
        });
        let begun = 0;
        const onRequest = (isFirst: boolean): void => void (begun += Number(isFirst));
        const checked = Promise.all(
          HTTP_METHODS.map((method) => checkOutcome(group, fault, method, { signal: controller.signal, onRequest })),
        );
        const isSent = fault.call?.credential !== "fails" && fault.call?.abort !== "before";
        // A token is signed elsewhere, in time that passes.
        while (isSent && begun < HTTP_METHODS.length) await Promise.race([turns(), checked]);
        await time.settle(checked, 20);
        assert.equal(timers.count, 0, "a timer is left");
        assert.equal(listeners.count, 0, "a listener is left");
        const isAsked = /Retry-After|a wait in its text|back-off/.test(fault.name);
        assert.equal(waits.length, isAsked ? HTTP_METHODS.length : 0, "each call waits as long as it was asked to");
      });
    }
  });
}

async function checkOutcome(
  group: FaultGroup,
  fault: Fault,
  method: HttpMethod,
  { signal, onRequest }: { signal: AbortSignal; onRequest: (isFirst: boolean) => void },
): Promise<void> {
  let requests = 0;
  const { answersNothing, answerHeaders, answer: good = { from: "the hub" } } = method;
  const options: ClientOptions = {
    fetch: (_url, init) => {
      onRequest(requests === 0);
      if (requests++ === 0 || fault.always) return fault.step(init!.signal!);
      return Promise.resolve(
        answersNothing ? new Response(null, { status: 204 }) : Response.json(good, { headers: answerHeaders ?? {} }),
      );
    },
    retryOptions: { maxRetries: MAX_RETRIES, retryDelayInMs: 1 },
    attemptTimeoutInMs: fault.call?.attemptTimeoutInMs,
  };
  await using registry = fault.call?.credential === "fails"
    ? IoTHubRegistryManager.fromTokenCredential(HOST_NAME, BROKEN_CREDENTIAL, options)
    : IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options);

  const expected = expectedOutcome(group, fault, method.name as OperationName);
  const waitsInVain = group.handling[classOf(method.name as OperationName)] === "error after `timeoutInMs`";
  const timeoutInMs = waitsInVain ? SHORT_TIMEOUT_IN_MS : 60_000;
  const call = invoke(registry, method, { options: { timeoutInMs, abortSignal: signal } }) as Promise<unknown>;
  const [{ status, ...outcome }] = await Promise.allSettled([call]);
  const what = `${method.name}: ${"reason" in outcome ? outcome.reason : "success"}`;
  assert.equal(status, expected.error === undefined ? "fulfilled" : "rejected", what);
  assert.equal(requests, expected.requests, `requests of ${what}`);
  if ("value" in outcome) {
    const result = answersNothing ? undefined : good;
    assert.deepEqual(outcome.value, method.resultOf === undefined ? result : method.resultOf(result), what);
  } else if (expected.error === "reason") {
    assert.equal(outcome.reason, REASON, what);
  } else {
    checkError(outcome.reason, expected.error!, method, what);
    if (!group.mayHaveRun) assert.doesNotMatch(what, /carried out/);
    else assert.doesNotMatch(what, /could not be reached/);
    if (group.mayHaveRun && classOf(method.name as OperationName) === "once") {
      assert.match(what, /may still have been carried out/);
    }
  }
}

function checkError(error: unknown, fields: object, method: HttpMethod, what: string): void {
  const { name, argument } = method;
  assert.ok(error instanceof IoTHubError, what);
  assert.deepEqual(
    { ...pick(error, ["code", "retryable", "statusCode", "errorNumber", "operation"]) },
    { statusCode: undefined, errorNumber: undefined, operation: name, ...fields },
    what,
  );
  assert.ok(error.message.startsWith(`Cannot complete ${name}`), what);
  // A credential that fails does so for every device.
  if (error.code !== "CredentialError") {
    const names = idNamesOf(method);
    assert.equal(/ of (device|job|configuration) "d1"/.test(error.message), names.length > 0, what);
    assert.equal(error.message.includes('job "d1"'), names.includes("jobId"), what);
    assert.equal(error.message.includes('configuration "d1"'), names.includes("configurationId"), what);
    assert.equal(error.message.includes('module "m1"'), names.includes("moduleId"), what);
  }
  assert.ok(argument === undefined || !error.message.includes(JSON.stringify(argument)), what);
}

function pick(object: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, (object as Record<string, unknown>)[name]]));
}

function isAbout(delayInMs: number, asked: number): boolean {
  // What is asked for is waited in full, and up to a millisecond more, the test's own delay.
  return delayInMs >= asked && delayInMs <= asked + 1;
}

/** How many listeners a signal has. */
function countListeners(signal: AbortSignal): { readonly count: number } {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<AbortSignal["addEventListener"]>): void => {
    listeners.add(args[1]);
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<AbortSignal["removeEventListener"]>): void => {
    listeners.delete(args[1]);
    removeEventListener.apply(signal, args);
  };
  return {
    get count(): number {
      return listeners.size;
    },
  };
}
