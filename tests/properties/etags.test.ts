import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/answer_server.ts";
import { ANY_TEXT, holds } from "../support/properties.ts";

test("modifyTwin writes on the condition that the twin is still the one it read, or not at all", async () => {
  const etag = fc.oneof(
    fc.constantFrom(undefined, null, 5, {}, [], true, "", "*", '"*"', '""', 'W/"a"', '"a"', "a", "AAAAAAAAAAE=", '"a'),
    ANY_TEXT,
    fc.stringMatching(/^"?[\x21\x23-\x7e]{1,12}"?$/),
  );
  const cases = fc.record({ etag, ofModule: fc.boolean(), changes: fc.boolean() });
  await holds(
    fc.asyncProperty(cases, async ({ etag, ofModule, changes }) => {
      const conditions: (string | null)[] = [];
      const fetch: ClientOptions["fetch"] = (_url, init) => {
        if (init!.method === "PATCH") conditions.push(new Headers(init!.headers).get("if-match"));
        return Promise.resolve(Response.json({ deviceId: "d", etag }));
      };
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch });
      const change = (): { tags: Record<string, unknown> } | undefined => changes ? { tags: {} } : undefined;
      const call = ofModule ? registry.modifyModuleTwin("d", "m", change) : registry.modifyTwin("d", change);
      const bare = /^("?)([\x21\x23-\x7e]+)\1$/.exec(typeof etag === "string" ? etag : "")?.[2] ?? "*";
      if (changes && bare === "*") {
        const operation = ofModule ? "modifyModuleTwin" : "modifyTwin";
        await assert.rejects(call, { code: "InvalidResponse", operation, retryable: false, message: /without.*etag/ });
      } else {
        await call;
      }
      assert.deepEqual(conditions, changes && bare !== "*" ? [`"${bare}"`] : []);
    }),
    300,
  );
});
