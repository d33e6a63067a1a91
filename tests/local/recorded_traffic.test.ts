import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";

/** What was recorded of real hubs, beside what the tests of each part of the hub hold. */
describe("as recorded of a real hub", () => {
  test("a time has a fraction that does not end in zeros, or none", async () => {
    let now = 0;
    await using hub = new LocalHub({ now: () => now, clockSkewInSeconds: 1e12 });
    const rest = new RestCaller(hub);
    await rest.createDevices("d");
    const update = async (status: string): Promise<string> => {
      return (await rest.do("PUT", "/devices/d", { status }, { "if-match": "*" })).statusUpdatedTime;
    };
    const time = fc.tuple(fc.integer({ min: 1, max: 4e9 }), fc.constantFrom(0, 1, 10, 100, 120, 123, 999));
    await holds(
      fc.asyncProperty(time, async ([seconds, milliseconds]) => {
        now = seconds * 1000 + milliseconds;
        await update("enabled");
        const text = await update("disabled");
        assert.equal(Date.parse(text), now);
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d*[1-9])?Z$/);
      }),
      100,
    );
  });
});
