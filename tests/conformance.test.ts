import assert from "node:assert/strict";
import { test } from "node:test";
import * as http from "../lib/http.ts";
import * as full from "../mod.ts";
import { startConformanceHub } from "./conformance/conformance_hub.ts";
import { type ConformanceResult, runConformance } from "./conformance/suite.ts";
import { startWebSocketBridge } from "./support/web_socket_bridge.ts";

function assertAllOk(results: ConformanceResult[]): void {
  assert.ok(results.length > 20, "the suite has run");
  assert.deepEqual(results.filter(({ ok }) => !ok), []);
}

test("the module conforms, with messages over TCP and over a WebSocket", async () => {
  await using conformance = await startConformanceHub({ http: 0, amqp: 0 });
  const { hub, addresses } = conformance;
  await using bridge = await startWebSocketBridge(addresses.amqp!);
  assertAllOk(
    await runConformance(full, {
      connectionString: hub.connectionString,
      endpoint: addresses.http!,
      amqp: addresses.amqp!,
      webSocket: bridge.url,
    }),
  );
});

test("the entry without messages conforms", async () => {
  await using conformance = await startConformanceHub({ http: 0 });
  const { hub, addresses } = conformance;
  assertAllOk(
    await runConformance(http, { connectionString: hub.connectionString, endpoint: addresses.http! }),
  );
});
