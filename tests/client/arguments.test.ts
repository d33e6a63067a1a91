import assert from "node:assert/strict";
import { test } from "node:test";
import { IoTHubRegistryManager } from "../../mod.ts";
import { COMPOSED_METHODS, HTTP_METHODS, invoke } from "../support/http_methods.ts";
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
  for (const [index, argument] of ["deviceId", "moduleId"].slice(0, method.ids).entries()) {
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

for (const { name, ids } of HTTP_METHODS.filter(({ ids }) => ids > 0)) {
  test(`${name}: of several bad arguments the first is named`, async () => {
    const call = (...args: unknown[]) => (registry: IoTHubRegistryManager) =>
      (registry[name] as (...args: unknown[]) => unknown)(...args);
    await assertRefused(call("a b", "a b", null, 5), RangeError, 'deviceId "a b"');
    if (ids === 2) await assertRefused(call("d1", "a b", null, 5), RangeError, 'moduleId "a b"');
  });
}

test("these are all the manager's methods that go over HTTP and return a promise", () => {
  const names = new Set<string>();
  for (let type = IoTHubRegistryManager.prototype; type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    Object.getOwnPropertyNames(type).forEach((name) => names.add(name));
  }
  const others = ["constructor", "close", "query", "sendC2dMessage", "sendC2dMessageToModule"];
  for (const other of [...others, "receiveFeedback", "receiveFileNotifications"]) names.delete(other);
  assert.deepEqual([...names].sort(), ALL_METHODS.map(({ name }) => name).sort());
});
