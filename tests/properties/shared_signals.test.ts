import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/answer_server.ts";
import { holds } from "../support/properties.ts";

const MANY = 20_000;

/** How many listeners a signal has at most. */
function watch(signal: AbortSignal): { most: number; now: number } {
  const counts = { most: 0, now: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...given: unknown[]): void => {
    counts.most = Math.max(counts.most, ++counts.now);
    Reflect.apply(addEventListener, signal, given);
  };
  signal.removeEventListener = (...given: unknown[]): void => {
    counts.now--;
    Reflect.apply(removeEventListener, signal, given);
  };
  return counts;
}

test("a signal that fires ends the calls that have it, and no other, whoever shares it", async () => {
  const cases = fc.record({
    /** Which signal each call has: a number, or none. */
    calls: fc.array(fc.option(fc.nat({ max: 3 }), { nil: undefined }), { minLength: 1, maxLength: 30 }),
    answered: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
    fired: fc.uniqueArray(fc.nat({ max: 3 })),
  });
  await holds(
    fc.asyncProperty(cases, async ({ calls, answered, fired }) => {
      const answers: (() => void)[] = [];
      const fetch: ClientOptions["fetch"] = (url) =>
        new Promise((resolve) => {
          const index = Number(/\/twins\/(\d+)/.exec(url)![1]);
          answers[index] = () => resolve(Response.json({ deviceId: `${index}` }));
        });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch });
      const controllers = Array.from({ length: 4 }, () => new AbortController());
      const counts = controllers.map(({ signal }) => watch(signal));
      const outcomes = calls.map((owner, index) =>
        registry.getTwin(`${index}`, { abortSignal: owner === undefined ? undefined : controllers[owner]!.signal })
          .then(({ deviceId }) => deviceId, (error) => error)
      );
      while (answers.filter(Boolean).length < calls.length) await new Promise((resolve) => setImmediate(resolve));
      const early = calls.map((_, index) => index).filter((index) => answered[index]);
      for (const index of early) answers[index]!();
      await Promise.all(early.map((index) => outcomes[index]));
      for (const owner of fired) controllers[owner]!.abort(owner);
      for (const answer of answers) answer();
      for (const [index, owner] of calls.entries()) {
        const isAborted = owner !== undefined && fired.includes(owner) && !answered[index];
        assert.equal(await outcomes[index], isAborted ? owner : `${index}`);
      }
      for (const { most, now } of counts) assert.ok(most <= 1 && now === 0, `${most} at once, ${now} left`);
    }),
    100,
  );
});

test("20,000 calls and 20,000 messages share one listener, and end with the signal within seconds", async () => {
  let requests = 0;
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    fetch: () => new Promise(() => requests++),
    amqpEndpoint: () => new Promise(() => {}),
  });
  const controller = new AbortController();
  const counts = watch(controller.signal);
  const options = { abortSignal: controller.signal };
  const calls = Array.from({ length: MANY }, () => registry.getTwin("d", options));
  const sends = Array.from({ length: MANY }, () => registry.sendC2dMessage("d", "hello", {}, options));
  const outcomes = Promise.all([...calls, ...sends].map((call) => call.catch((reason) => reason)));
  while (requests < MANY) await new Promise((resolve) => setImmediate(resolve));
  const started = performance.now();
  controller.abort("enough");
  assert.ok((await outcomes).every((reason) => reason === "enough"));
  const took = performance.now() - started;
  assert.ok(took < 5000, `${Math.round(took)} ms`);
  assert.deepEqual(counts, { most: 1, now: 0 });
});
