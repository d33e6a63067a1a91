import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubRegistryManager, type TokenCredential } from "../../mod.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { holds } from "../support/properties.ts";

const HOUR_IN_MS = 3_600_000;

/** A manager with a credential, and what its hub was sent. */
function connect(getToken: TokenCredential["getToken"]): { registry: IoTHubRegistryManager; sent: string[] } {
  const sent: string[] = [];
  const fetch: ClientOptions["fetch"] = (_url, init) => {
    sent.push(new Headers(init!.headers).get("authorization")!);
    return Promise.resolve(new Response("{}"));
  };
  return { registry: IoTHubRegistryManager.fromTokenCredential("hub.example", { getToken }, { fetch }), sent };
}

test("a credential that hangs ends each call in its time, is told to stop, and is asked anew", async () => {
  const cases = fc.record({
    hangs: fc.integer({ min: 1, max: 3 }),
    timeoutInMs: fc.integer({ min: 1000, max: 90_000 }),
    heedsSignal: fc.boolean(),
  });
  await holds(
    fc.asyncProperty(cases, async ({ hangs, timeoutInMs, heedsSignal }) => {
      using time = new MockedTime();
      const signals: AbortSignal[] = [];
      const { registry, sent } = connect((_scope, options) => {
        const signal = options!.abortSignal!;
        if (signals.push(signal) > hangs) {
          return Promise.resolve({ token: "t", expiresOnTimestamp: Date.now() + HOUR_IN_MS });
        }
        return new Promise((_, reject) => {
          if (heedsSignal) signal.addEventListener("abort", () => reject(signal.reason));
        });
      });
      for (let round = 1; round <= hangs; round++) {
        const calls = [1, 2].map(() => registry.getTwin("d", { timeoutInMs }).catch((error) => error));
        await turns();
        await time.passInSteps(timeoutInMs + 1000, 1000);
        for (const error of await Promise.all(calls)) {
          assert.equal(error.code, "Timeout");
          assert.match(error.message, /nothing was sent/);
        }
        assert.equal(signals.length, round, "calls share one request for a token");
        await time.passInSteps(100_000, 10_000);
        assert.equal(signals[round - 1]!.aborted, true);
      }
      await registry.getTwin("d");
      assert.deepEqual(sent, ["Bearer t"]);
      await registry.close();
    }),
    20,
  );
});

test("a call that outlives the credential's time ends with CredentialError, and says that nothing was sent", async () => {
  using time = new MockedTime();
  const { registry, sent } = connect(() => new Promise(() => {}));
  const request = { methodName: "m", responseTimeoutInSeconds: 300 };
  const call = registry.invokeDeviceMethod("d", request).catch((error) => error);
  await turns();
  await time.passInSteps(101_000, 1000);
  const error = await call;
  assert.equal(error.code, "CredentialError");
  assert.match(error.message, /gave none within 100000 ms.*; nothing was sent$/);
  assert.deepEqual(sent, []);
  await registry.close();
});

test("a token without a usable expiry is refused, says why, and is not asked for again at once", async () => {
  const expiry = fc.oneof(
    fc.constantFrom(undefined, null, "", {}, [], true, NaN, -Infinity, 0, "2099-01-01", `${Date.now() + HOUR_IN_MS}`),
    // In seconds, and in the past.
    fc.constant(Math.floor(Date.now() / 1000) + 3600),
    fc.integer({ min: 1, max: 1e6 }).map((age) => Date.now() - age),
    fc.date({ noInvalidDate: true }),
  );
  await holds(
    fc.asyncProperty(expiry, fc.integer({ min: 1, max: 20 }), async (expiresOnTimestamp, count) => {
      using time = new MockedTime();
      let asked = 0;
      let isMended = false;
      const { registry, sent } = connect(() => {
        asked++;
        const usable = Date.now() + HOUR_IN_MS;
        return Promise.resolve({ token: "t", expiresOnTimestamp: isMended ? usable : expiresOnTimestamp as number });
      });
      for (let call = 0; call < count; call++) {
        await assert.rejects(registry.getTwin("d"), {
          code: "CredentialError",
          message: /returned no token for https:.*expiresOnTimestamp.*; nothing was sent$/,
        });
      }
      assert.equal(asked, 1);
      isMended = true;
      time.pass(10_000);
      for (let call = 0; call < count; call++) await registry.getTwin("d");
      assert.equal(asked, 2);
      assert.deepEqual(sent, Array(count).fill("Bearer t"));
      await registry.close();
    }),
    60,
  );
});

test("a token with a usable expiry is used for many calls, whenever it is to be renewed", async () => {
  const refresh = fc.oneof(
    fc.constantFrom(undefined, null, "", "soon", {}, NaN, Infinity, -Infinity, 0, -1),
    fc.integer({ min: -1e6, max: 1e6 }).map((offset) => Date.now() + offset),
  );
  await holds(
    fc.asyncProperty(refresh, fc.integer({ min: 1000, max: HOUR_IN_MS }), async (refreshAfterTimestamp, life) => {
      using _time = new MockedTime();
      let asked = 0;
      const { registry } = connect(() => {
        asked++;
        const expiresOnTimestamp = Date.now() + life;
        return Promise.resolve({
          token: "t",
          expiresOnTimestamp,
          refreshAfterTimestamp: refreshAfterTimestamp as number,
        });
      });
      for (let call = 0; call < 20; call++) await registry.getTwin("d");
      assert.equal(asked, 1);
      await registry.close();
    }),
    60,
  );
});
