import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { holds } from "../support/properties.ts";
import type { Json } from "../support/rest_caller.ts";
import { documentsOf, HAS_SQLITE, type OpenHub, StorageScene, takeMessage } from "../support/storage_scene.ts";

type Step = (open: OpenHub) => Promise<unknown>;

const ID = fc.constantFrom("a", "b", "edge");
const VALUE = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant({ x: { y: 1 } }));
const NAME = fc.constantFrom("p", "q", "__proto__", "constructor");
const BODY = fc.constantFrom("one", "two", "ü");

function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Step {
  // Some are refused, which is as good.
  return ({ rest }) => rest.call(method, path, body, { headers });
}

/** An object with any name, as JSON.parse makes it. */
function named(name: string, value: unknown): Json {
  return JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`);
}

const STEP: fc.Arbitrary<Step> = fc.oneof(
  ID.map((deviceId) =>
    call("PUT", `/devices/${deviceId}`, { deviceId, capabilities: { iotEdge: deviceId === "edge" } })
  ),
  ID.map((deviceId) => call("PUT", `/devices/${deviceId}/modules/m`, { deviceId, moduleId: "m" })),
  ID.map((deviceId) => call("DELETE", `/devices/${deviceId}`, undefined, { "if-match": "*" })),
  fc.tuple(ID, fc.boolean()).map(([deviceId, on]) =>
    call("PUT", `/devices/${deviceId}`, { deviceId, status: on ? "enabled" : "disabled" }, { "if-match": "*" })
  ),
  fc.tuple(ID, NAME, VALUE).map(([id, name, value]) => call("PATCH", `/twins/${id}`, { tags: named(name, value) })),
  fc.tuple(ID, NAME, VALUE).map(([id, name, value]) =>
    call("PATCH", `/twins/${id}/modules/m`, { properties: { desired: named(name, value) } })
  ),
  fc.tuple(ID, NAME, VALUE).map(([id, name, value]): Step => async ({ hub }) => {
    await hub.device(id).updateReportedProperties(named(name, value)).catch(() => {});
    hub.device(id).disconnect();
  }),
  fc.array(ID, { minLength: 1, maxLength: 3 }).map((ids) =>
    call("POST", "/devices", [...new Set(ids)].map((id) => ({ id, importMode: "create", tags: { bulk: true } })))
  ),
  fc.tuple(ID, BODY).map(([id, text]): Step => async ({ registry }) => {
    await registry.sendC2dMessage(id, text, { ack: "full", messageId: text }).catch(() => {});
  }),
  fc.tuple(ID, fc.constantFrom("complete", "abandon", "keep")).map(([id, how]): Step => async (open) => {
    await takeMessage(open, id, how as "complete").catch(() => {});
  }),
  ID.map((id) => call("DELETE", `/devices/${id}/commands`)),
  fc.tuple(fc.constantFrom("c1", "c2"), fc.integer({ min: 0, max: 9 })).map(([id, priority]) =>
    call("PUT", `/configurations/${id}`, {
      id,
      priority,
      targetCondition: "*",
      content: { deviceContent: { "properties.desired.by": id } },
    })
  ),
  fc.constantFrom("c1", "c2").map((id) => call("DELETE", `/configurations/${id}`)),
  fc.constantFrom("j1", "j2", "j3").map((jobId) =>
    call("PUT", `/jobs/v2/${jobId}`, {
      jobId,
      type: "scheduleUpdateTwin",
      updateTwin: { etag: "*", tags: { job: jobId } },
    })
  ),
  fc.tuple(ID, BODY, NAME, VALUE).map(([id, text, name, value]): Step => async ({ hub }) => {
    await hub.device(id).sendTelemetry(text, { ...named(name, String(value)) }).catch(() => {});
    hub.device(id).disconnect();
  }),
  fc.tuple(fc.constantFrom("b1", "b2"), BODY).map(([blob, text]): Step => async ({ hub }) => {
    await Promise.resolve(hub.blobContainer("fleet").write(blob, text));
  }),
);

describe("A hub with storage", { skip: HAS_SQLITE ? false : "this runtime has no SQLite" }, () => {
  test("is after any steps, killed or ended, what a hub is that goes on", async () => {
    await holds(
      fc.asyncProperty(fc.array(fc.tuple(STEP, fc.boolean()), { maxLength: 25 }), async (steps) => {
        using scene = new StorageScene();
        let path = scene.path();
        let open = scene.open(path);
        try {
          for (const [step, isEnd] of steps) {
            await step(open);
            scene.now += 1;
            await open.hub.settled();
            if (!isEnd) continue;
            const documents = await documentsOf(open);
            const before = open.hub.snapshot();
            const image = scene.image(path);
            await open[Symbol.asyncDispose]();
            path = image;
            open = scene.open(path);
            await open.hub.settled();
            assert.deepEqual(open.hub.snapshot(), before);
            assert.deepEqual(await documentsOf(open), documents);
          }
        } finally {
          await open[Symbol.asyncDispose]();
        }
      }),
      15,
    );
  });
});
