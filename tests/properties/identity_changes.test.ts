import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Device, type DeviceChange, IoTHubRegistryManager, type SymmetricKeys } from "../../mod.ts";
import { holds } from "../support/properties.ts";

const anyKey = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => btoa(String.fromCharCode(...bytes)));
const anyKeys: fc.Arbitrary<SymmetricKeys> = fc.record({ primaryKey: anyKey, secondaryKey: anyKey });
const anyThumbprint = fc.stringMatching(/^[0-9A-Fa-f]{40}$/);
const anyReason = fc.option(fc.string({ maxLength: 128 }), { nil: null });
const anyStatus = fc.constantFrom("enabled" as const, "disabled" as const);

/** A part of some of these members, each of which may also be there and `undefined`. */
function partOf<T extends object>(members: { [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<Partial<T>> {
  const optional = Object.entries<fc.Arbitrary<unknown>>(members).map(([name, value]) => [
    name,
    fc.option(value, {
      nil: undefined,
    }),
  ]);
  return fc.record(Object.fromEntries(optional), { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<
    Partial<T>
  >;
}

const anyFields = partOf<DeviceChange>({ status: anyStatus, statusReason: anyReason, iotEdge: fc.boolean() });
const anySignIn: fc.Arbitrary<DeviceChange> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: anyKeys },
  { weight: 1, arbitrary: partOf<DeviceChange>({ primaryKey: anyKey, secondaryKey: anyKey }) },
  {
    weight: 2,
    arbitrary: partOf<DeviceChange>({
      primaryThumbprint: anyThumbprint,
      secondaryThumbprint: fc.option(anyThumbprint, { nil: null }),
    }),
  },
);
const anyChange: fc.Arbitrary<DeviceChange> = fc.tuple(anyFields, anySignIn).map((parts) =>
  Object.assign({}, ...parts)
);

/** The members that a change may name, as a device has them. */
function stateOf({ status, statusReason, capabilities, authentication }: Device): Record<string, unknown> {
  return {
    status,
    statusReason,
    iotEdge: capabilities?.iotEdge,
    ...authentication?.symmetricKey,
    ...authentication?.x509Thumbprint,
  };
}

test("a change of a device is what is named and nothing else, or it is refused and nothing changes", async () => {
  await using hub = new LocalHub();
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  let count = 0;
  await holds(
    fc.asyncProperty(fc.array(anyChange, { minLength: 1, maxLength: 6 }), async (changes) => {
      const id = `d${count++}`;
      await registry.createDeviceWithSas(id);
      for (const change of changes) {
        const before = stateOf(await registry.getDevice(id));
        const named = Object.entries(change).filter(([, value]) => value !== undefined);
        const names = named.map(([name]) => name);
        const expected: Record<string, unknown> = { ...before, ...Object.fromEntries(named) };
        if (names.some((name) => name.endsWith("Key"))) {
          Object.assign(expected, { primaryThumbprint: null, secondaryThumbprint: null });
        }
        if (names.some((name) => name.endsWith("Thumbprint"))) {
          Object.assign(expected, { primaryKey: null, secondaryKey: null });
        }
        // Who has no keys needs both of them, and who has no thumbprint needs the first.
        const lacksKey = [expected["primaryKey"], expected["secondaryKey"]].filter((key) => key === null).length === 1;
        const lacksThumbprint = names.includes("secondaryThumbprint") && expected["primaryThumbprint"] === null;
        const call = registry.modifyDevice(id, () => change);
        if (lacksKey || lacksThumbprint) {
          await assert.rejects(call, { name: "TypeError" });
          assert.deepEqual(stateOf(await registry.getDevice(id)), before);
        } else {
          assert.deepEqual(stateOf(await call), expected);
          assert.deepEqual(stateOf(await registry.getDevice(id)), expected);
        }
      }
    }),
    60,
  );
});
