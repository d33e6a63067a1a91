import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ExportImportDevice, IoTHubError, IoTHubRegistryManager, type Twin } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";

/** What the hub must hold for one id, as far as these tests write it. */
interface Expected {
  status: string;
  tags: Record<string, unknown>;
}

type EtagKind = "fresh" | "stale" | "none";

interface Element {
  id: string;
  moduleId: string | undefined;
  importMode: NonNullable<ExportImportDevice["importMode"]>;
  status: "enabled" | "disabled";
  tags: Record<string, unknown>;
  etag: EtagKind;
}

const element: fc.Arbitrary<Element> = fc.record({
  id: fc.constantFrom("a", "b", "c", "d", "e;f", "%2F"),
  moduleId: fc.option(fc.constantFrom("m", "n"), { nil: undefined, freq: 3 }),
  importMode: fc.constantFrom(
    "create",
    "create",
    "update",
    "updateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
  ),
  status: fc.constantFrom("enabled", "disabled"),
  tags: fc.record({ x: fc.integer(), y: fc.constantFrom("u", "v") }, { requiredKeys: [], noNullPrototype: true }),
  etag: fc.constantFrom("fresh", "stale", "none"),
});

const elements = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.uniqueArray(element, { minLength: 1, maxLength: 8, size: "max", selector: keyOf }),
  },
  { weight: 1, arbitrary: fc.array(element, { minLength: 1, maxLength: 4 }) },
);

const STALE_ETAG = btoa("no etag");

function keyOf({ id, moduleId }: { id: string; moduleId?: string | undefined }): string {
  return moduleId === undefined ? id : `${id}/${moduleId}`;
}

/** What one element does to the registry by the table of import modes; the code of its error, if it has one. */
function applyTo(model: Map<string, Expected>, element: Element): string | undefined {
  const { id, moduleId, importMode, status, tags, etag } = element;
  const key = keyOf(element);
  const found = model.get(key);
  if (moduleId !== undefined && !model.has(id)) return "DeviceNotFound";
  if (importMode === "create") {
    if (found !== undefined) return moduleId === undefined ? "DeviceAlreadyExists" : "ModuleAlreadyExistsOnDevice";
    model.set(key, { status, tags });
    return undefined;
  }
  if (found === undefined) return moduleId === undefined ? "DeviceNotFound" : "ModuleNotFound";
  if (importMode.endsWith("IfMatchETag") && etag === "stale") return "PreconditionFailed";
  if (importMode.startsWith("updateTwin")) model.set(key, { ...found, tags: { ...found.tags, ...tags } });
  else if (importMode.startsWith("update")) model.set(key, { ...found, status });
  else for (const other of [...model.keys()]) if (other === key || other.startsWith(`${key}/`)) model.delete(other);
  return undefined;
}

/** Everything that the hub holds, in the model's form. */
async function stateOf(
  registry: IoTHubRegistryManager,
): Promise<Map<string, Expected & { etag: string; twinETag: string }>> {
  const state = new Map();
  for (const from of ["devices", "devices.modules"]) {
    for await (const twin of registry.query<Twin>(`SELECT * FROM ${from}`)) {
      const { deviceId, moduleId, status, tags = {}, etag, deviceEtag } = twin;
      state.set(keyOf({ id: deviceId, moduleId }), { status, tags, etag: deviceEtag, twinETag: etag });
    }
  }
  return state;
}

describe("a bulk call of any elements", () => {
  test("does what each of them says, and names exactly those that failed", async () => {
    const property = fc.asyncProperty(
      fc.array(elements, { minLength: 1, maxLength: 4 }),
      async (calls) => {
        await using hub = new LocalHub();
        await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
        let model = new Map<string, Expected>();
        for (const elements of calls) {
          const before = await stateOf(registry);
          const bodies = elements.map(({ etag: kind, ...rest }): ExportImportDevice => {
            const known = before.get(keyOf(rest));
            const [eTag, twinETag] = kind === "fresh"
              ? [known?.etag, known?.twinETag]
              : kind === "stale"
              ? [STALE_ETAG, STALE_ETAG]
              : [];
            return { ...rest, eTag, twinETag };
          });
          const isTwice = new Set(elements.map(keyOf)).size < elements.length;
          const next = new Map(model);
          // An element before may have moved what the etag was read of.
          const errors = elements.map((one) => [keyOf(one), applyTo(next, one)] as const).filter(([, code]) => code);
          if (isTwice) {
            await assert.rejects(
              registry.bulkCreateOrUpdateDevices(bodies),
              (error) => error instanceof IoTHubError && error.code === "DeviceDefinedMultipleTimes",
            );
          } else {
            const result = await registry.bulkCreateOrUpdateDevices(bodies);
            const reported = result.errors!.map(({ deviceId, moduleId, errorCode }) =>
              [keyOf({ id: deviceId, moduleId }), errorCode] as const
            );
            assert.deepEqual(reported, errors);
            assert.equal(result.isSuccessful, errors.length === 0);
            model = next;
          }
          const state = await stateOf(registry);
          const devices = [...state].map(([key, { status, tags }]) => [key, { status, tags }] as const);
          // A module's twin shows the status of its device.
          const expected = [...model].map(([key, { status, tags }]) => {
            const slash = key.indexOf("/");
            return [key, { status: slash < 0 ? status : model.get(key.slice(0, slash))!.status, tags }] as const;
          });
          assert.deepEqual(new Map(devices), new Map(expected));
          if (isTwice) assert.deepEqual(state, before, "a call refused as a whole changes nothing");
        }
      },
    );
    await holds(property, 50);
  });
});
