import assert from "node:assert/strict";
import { test } from "node:test";
import { DigitalTwinClient, IoTHubConfigurationManager, IoTHubJobManager, IoTHubRegistryManager } from "../../mod.ts";
import { COMPOSED_METHODS, HTTP_METHODS, idNamesOf, invoke } from "../support/http_methods.ts";
import { assertRefused } from "../support/rejections.ts";

const ALL_METHODS = [...HTTP_METHODS, ...COMPOSED_METHODS];

type Bad = readonly [value: unknown, kind: typeof TypeError | typeof RangeError];

const BAD_IDS: readonly Bad[] = [
  ["", RangeError],
  [".", RangeError],
  ["..", RangeError],
  ["a/b", RangeError],
  ["a\\b", RangeError],
  ["a b", RangeError],
  [" ", RangeError],
  ["a\n", RangeError],
  ["a\0", RangeError],
  ["dévice", RangeError],
  ["\u{1f321}", RangeError],
  ["a&b", RangeError],
  ["a".repeat(129), RangeError],
  [undefined, TypeError],
  [null, TypeError],
  [1, TypeError],
  [{}, TypeError],
  [["d1"], TypeError],
  [Object("d1"), TypeError],
];

const BAD_OPTIONS: readonly [options: unknown, kind: Bad[1], argument: string][] = [
  [null, TypeError, "options"],
  ["5", TypeError, "options"],
  [{ timeoutInMs: 0 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: -1 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: NaN }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: Infinity }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: 2 ** 31 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: "5" }, TypeError, "timeoutInMs"],
  [{ timeoutInMs: null }, TypeError, "timeoutInMs"],
  [{ abortSignal: {} }, TypeError, "abortSignal"],
  [{ abortSignal: null }, TypeError, "abortSignal"],
  [{ abortSignal: new AbortController() }, TypeError, "abortSignal"],
];

const BAD_ETAGS: readonly Bad[] = [
  ["", RangeError],
  ['""', RangeError],
  ['"', RangeError],
  ['"AAAA', RangeError],
  ['AA"AA', RangeError],
  ['W/"AAAA="', RangeError],
  ["AAAA=\r\nX-Injected: 1", RangeError],
  ["AAAA=\n", RangeError],
  ["AA AA", RangeError],
  ["ÄÄÄÄ", RangeError],
  ["AAAA\x7f", RangeError],
  [5, TypeError],
  [null, TypeError],
  [{}, TypeError],
];

for (const method of ALL_METHODS) {
  const { name } = method;
  for (const [index, argument] of idNamesOf(method).entries()) {
    test(`${name} refuses every ${argument} that is none`, async () => {
      for (const [id, kind] of BAD_IDS) {
        const ids: unknown[] = ["d1", "m1"].slice(0, method.ids);
        ids[index] = id;
        await assertRefused((registry) => invoke(registry, method, { ids }), kind, argument);
      }
    });
  }

  test(`${name} refuses options that are none`, async () => {
    for (const [options, kind, argument] of BAD_OPTIONS) {
      await assertRefused((registry) => invoke(registry, method, { options }), kind, argument);
    }
  });

  if (method.takesEtag) {
    test(`${name} refuses every etag that a header cannot carry or the hub would ignore`, async () => {
      for (const [etag, kind] of BAD_ETAGS) {
        await assertRefused((registry) => invoke(registry, method, { options: { etag } }), kind, "etag");
      }
    });
  }

  if (method.required !== undefined) {
    test(`${name} refuses to be called without its options`, async () => {
      await assertRefused((registry) => invoke(registry, method, { options: undefined }), TypeError, "options");
    });
  }
}

test("an id that is refused is shown, a long one in part and with its length", async () => {
  for (
    const [id, shown] of [["..", '".."'], ["a\nb", '"a\\nb"'], [
      "x".repeat(129),
      `"${"x".repeat(64)}"… (129 characters)`,
    ]]
  ) {
    await assertRefused((registry) => registry.getDevice(id!), RangeError, `deviceId ${shown}: it must be 1 to 128 `);
  }
});

for (const method of HTTP_METHODS.filter(({ ids }) => ids > 0)) {
  test(`${method.name}: of several bad arguments the first is named`, async () => {
    const call = (...ids: unknown[]) => (registry: IoTHubRegistryManager) =>
      invoke(registry, method, { ids, argument: null, options: 5 });
    const [first, second] = idNamesOf(method);
    await assertRefused(call(...["a b", "a b"].slice(0, method.ids)), RangeError, `${first} "a b"`);
    if (second !== undefined) await assertRefused(call("d1", "a b"), RangeError, `${second} "a b"`);
  });
}

test("these are all the managers' methods that go over HTTP, and read no further pages", () => {
  const names = new Set<string>();
  const managers = [IoTHubRegistryManager, IoTHubConfigurationManager, IoTHubJobManager, DigitalTwinClient];
  for (let type of managers.map(({ prototype }): object => prototype)) {
    for (; type !== Object.prototype; type = Object.getPrototypeOf(type)) {
      Object.getOwnPropertyNames(type).forEach((name) => names.add(name));
    }
  }
  const others = ["constructor", "close", "query", "scheduledJobs", "sendC2dMessage", "sendC2dMessageToModule"];
  const overAmqp = ["receiveFeedback", "receiveFileNotifications", "receiveEvents", "getEventHubEndpoint"];
  for (const other of [...others, ...overAmqp]) names.delete(other);
  assert.deepEqual([...names].sort(), ALL_METHODS.map(({ name }) => name).sort());
});
