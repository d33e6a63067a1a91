import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/answer_server.ts";
import { holds } from "../support/properties.ts";

const HOUR_IN_MS = 3_600_000;

/** What a 401 may say about the time: nothing, an offset of any size, or what is no time. */
const DATE = fc.oneof(
  fc.constantFrom(
    undefined,
    "",
    "now",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "275760",
    "-1",
  ),
  fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -1e6, max: 1e6 })).map((hours) =>
    new Date(Date.now() + hours * HOUR_IN_MS).toUTCString()
  ),
);

/** A hub that answers each request with 401 and one of the dates, and with 200 once there are no more. */
function hub(dates: readonly (string | undefined)[]): { fetch: ClientOptions["fetch"]; tokens: string[] } {
  const tokens: string[] = [];
  const left = [...dates];
  const fetch: ClientOptions["fetch"] = (_url, init) => {
    tokens.push(new Headers(init!.headers).get("authorization")!);
    if (left.length === 0) return Promise.resolve(new Response("{}"));
    const date = left.shift();
    return Promise.resolve(new Response(null, { status: 401, headers: date === undefined ? {} : { date } }));
  };
  return { fetch, tokens };
}

test("no answer makes the client sign a token for longer than its life and the hours that a clock may be off", async () => {
  const cases = fc.record({
    dates: fc.array(DATE, { minLength: 1, maxLength: 6 }),
    hours: fc.integer({ min: 1, max: 48 }),
  });
  await holds(
    fc.asyncProperty(cases, async ({ dates, hours }) => {
      const { fetch, tokens } = hub(dates);
      const sasTokenTtlInSeconds = hours * 3600;
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
        fetch,
        sasTokenTtlInSeconds,
      });
      for (let call = 0; call <= dates.length; call++) await registry.getTwin("d").catch(() => {});
      for (const token of tokens) {
        const life = Number(/&se=(\d+)/.exec(token)![1]) * 1000 - Date.now();
        const excess = Math.abs(life - hours * HOUR_IN_MS);
        assert.ok(excess <= 12 * HOUR_IN_MS + 10_000, `it lives ${life / HOUR_IN_MS} h instead of ${hours}`);
      }
      // Once the hub is content, the token that it took last is kept.
      const sent = tokens.length;
      await registry.getTwin("d");
      await registry.getTwin("d");
      assert.equal(new Set(tokens.slice(sent - 1)).size, 1);
    }),
    100,
  );
});

test("a credential is asked once for each call that was refused, whatever the time of the answer, and then no more", async () => {
  await holds(
    fc.asyncProperty(fc.array(DATE, { maxLength: 6 }), async (dates) => {
      const { fetch, tokens } = hub(dates);
      let asked = 0;
      const credential = {
        getToken: () => Promise.resolve({ token: `t${++asked}`, expiresOnTimestamp: Date.now() + HOUR_IN_MS }),
      };
      await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", credential, { fetch });
      let refused = 0;
      for (let call = 0; call < 10; call++) {
        const before = tokens.length;
        await registry.getTwin("d").catch(() => {});
        if (before < dates.length) refused++;
      }
      assert.equal(asked, 1 + refused);
    }),
    100,
  );
});
