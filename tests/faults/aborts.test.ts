import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { DEAF_FETCH, MOST_IN_MS, PHASES } from "../support/abort_phases.ts";

const WIRES: [string, ClientOptions][] = [
  ["the runtime's own transport", {}],
  ["an injected fetch", { fetch: (url, init) => fetch(url, init) }],
];

for (const [what, options] of WIRES) {
  describe(`over ${what}, a call rejects with the reason within ${MOST_IN_MS} ms of its abort`, () => {
    for (const phase of [...PHASES, ...options.fetch === undefined ? [] : [DEAF_FETCH]]) {
      test(phase.name, async () => {
        const { error, reason, milliseconds } = await phase.run(options);
        assert.equal(error, reason);
        assert.ok(milliseconds < MOST_IN_MS, `${milliseconds} ms`);
      });
    }
  });
}

test("a process that aborts calls in all phases ends by itself", { timeout: 60_000 }, async () => {
  const program = fileURLToPath(new URL("../support/abort_user.ts", import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  const results = JSON.parse(stdout) as { name: string; milliseconds: number; isReason: boolean }[];
  assert.equal(results.length, 2 * (PHASES.length + 1));
  for (const { name, milliseconds, isReason } of results) {
    assert.ok(isReason && milliseconds < MOST_IN_MS, `${name}: ${milliseconds} ms`);
  }
});

/** Counts the listeners of a signal. */
function countListeners(signal: AbortSignal): { now: () => number; most: () => number; ever: () => number } {
  const listeners = new Set<unknown>();
  let ever = 0;
  let most = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (type: string, listener: unknown, options?: unknown): void => {
    ever++;
    listeners.add(listener);
    most = Math.max(most, listeners.size);
    Reflect.apply(addEventListener, signal, [type, listener, options]);
  };
  signal.removeEventListener = (type: string, listener: unknown, options?: unknown): void => {
    listeners.delete(listener);
    Reflect.apply(removeEventListener, signal, [type, listener, options]);
  };
  return { now: () => listeners.size, most: () => most, ever: () => ever };
}

test("a long-lived signal has no listener left after 1,000 calls of all kinds and outcomes", async () => {
  await using hub = new LocalHub();
  let requests = 0;
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    ...hub.clientOptions,
    retryOptions: { retryDelayInMs: 1, maxRetries: 20 },
    limits: { maxConcurrentRequests: 20 },
    fetch: (url, init) => {
      if (url.includes("/twins/slow")) return new Promise(() => {});
      if (++requests % 5 === 0) return Promise.resolve(new Response(null, { status: 503 }));
      return hub.clientOptions.fetch(url, init);
    },
  });
  for (const id of ["a", "b", "c"]) await registry.createDeviceWithSas(id);
  hub.device("a").onMethod("m", () => ({ status: 200 }));
  const { signal: abortSignal } = new AbortController();
  const listeners = countListeners(abortSignal);
  const kinds: (() => Promise<unknown>)[] = [
    () => registry.getTwin("a", { abortSignal }),
    () => assert.rejects(registry.getTwin("nobody", { abortSignal }), { statusCode: 404 }),
    () => registry.updateTwin("b", { tags: { n: 1 } }, { abortSignal }),
    () => registry.modifyTwin("c", () => ({ tags: { n: 1 } }), { abortSignal, maxAttempts: 1000 }),
    () => assert.rejects(registry.modifyTwin("c", () => Promise.reject(new Error("no")), { abortSignal })),
    () => registry.invokeDeviceMethod("a", { methodName: "m" }, { abortSignal }),
    async () => {
      for await (const _row of registry.query("SELECT * FROM devices", { abortSignal, maxItemCount: 1 }));
    },
    async () => {
      for await (const _row of registry.query("SELECT * FROM devices", { abortSignal, maxItemCount: 1 })) break;
    },
    () => assert.rejects(registry.getTwin("slow", { abortSignal, timeoutInMs: 5 }), { code: "Timeout" }),
    () => assert.rejects(registry.sendC2dMessage("nobody", "hello", {}, { abortSignal }), { code: "DeviceNotFound" }),
  ];
  for (let round = 0; round < 10; round++) {
    await Promise.all(kinds.flatMap((kind) => Array.from({ length: 10 }, kind)));
  }
  // It comes and goes with the calls; two rounds may share one, where a page is still on its way.
  assert.ok(listeners.ever() > 1, `${listeners.ever()} listeners in all`);
  assert.equal(listeners.most(), 1, "all calls share one listener");
  // The page that a query had asked for when its reader left may still be on its way.
  await registry.close();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(listeners.now(), 0);
});

describe("a signal of a polyfill, which has no reason and no throwIfAborted,", () => {
  /** As old polyfills make it. */
  function oldSignal(): { abortSignal: AbortSignal; abort: () => void } {
    const signal = Object.assign(new EventTarget(), { aborted: false });
    const abort = (): void => {
      signal.aborted = true;
      signal.dispatchEvent(new Event("abort"));
    };
    return { abortSignal: signal as unknown as AbortSignal, abort };
  }

  const kinds: Record<string, (registry: IoTHubRegistryManager, abortSignal: AbortSignal) => Promise<unknown>> = {
    getTwin: (registry, abortSignal) => registry.getTwin("d1", { abortSignal }),
    query: (registry, abortSignal) => registry.query("SELECT * FROM devices", { abortSignal }).next(),
    sendC2dMessage: (registry, abortSignal) => registry.sendC2dMessage("d1", "hello", {}, { abortSignal }),
    receiveFeedback: (registry, abortSignal) => registry.receiveFeedback({ abortSignal }).next(),
  };
  for (const [name, call] of Object.entries(kinds)) {
    test(`ends ${name}, by itself and by a client that shares a hub`, async () => {
      await using hub = new LocalHub();
      await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
        ...hub.clientOptions,
        fetch: () => new Promise(() => {}),
      });
      await using shared = IoTHubRegistryManager.fromManager(registry);
      hub.faults.refuseCredit(true);
      for (const client of [registry, shared]) {
        const { abortSignal, abort } = oldSignal();
        const ended = assert.rejects(call(client, abortSignal), { name: "AbortError" });
        await new Promise((resolve) => setImmediate(resolve));
        abort();
        await ended;
        await assert.rejects(call(client, abortSignal), { name: "AbortError" });
      }
    });
  }

  test("does not keep a query from its second page", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    for (const id of ["d1", "d2"]) await registry.createDeviceWithSas(id);
    let rows = 0;
    const { abortSignal } = oldSignal();
    for await (const _row of registry.query("SELECT * FROM devices", { abortSignal, maxItemCount: 1 })) rows++;
    assert.equal(rows, 2);
  });
});
