import assert from "node:assert/strict";
import { test } from "node:test";
import * as http from "../../lib/http.ts";
import * as full from "../../mod.ts";
import { startConformanceHub } from "../conformance/conformance_hub.ts";
import { type ConformanceResult, runConformance } from "../conformance/suite.ts";

function assertAllOk(results: ConformanceResult[]): void {
  assert.ok(results.length > 20, "the suite has run");
  assert.deepEqual(results.filter(({ ok }) => !ok), []);
}

test("the module conforms, with messages over TCP and over a WebSocket", async () => {
  await using conformance = await startConformanceHub();
  assertAllOk(await runConformance(full, conformance.target));
});

test("the entry without messages conforms", async () => {
  await using conformance = await startConformanceHub();
  const { connectionString, endpoint } = conformance.target;
  assertAllOk(await runConformance(http, { connectionString, endpoint }));
});
