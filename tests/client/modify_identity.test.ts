import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, type Device, type DeviceChange, IoTHubRegistryManager, type Module } from "../../mod.ts";
import { Recorder } from "../support/recorder.ts";

type Fetch = NonNullable<ClientOptions["fetch"]>;

const KEYS = { primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=", secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=" };
const [THUMBPRINT, OTHER_THUMBPRINT] = ["A".repeat(40), "B".repeat(40)];

/** A hub, and a manager whose every request passes the seam. */
function setUp(
  seam: (method: string, forward: () => Promise<Response>) => Promise<Response> = (_method, forward) => forward(),
): { hub: LocalHub; registry: IoTHubRegistryManager; requests: string[] } & AsyncDisposable {
  const hub = new LocalHub();
  const requests: string[] = [];
  const fetch: Fetch = (url, init) => {
    requests.push(`${init!.method} ${new URL(url).pathname}`);
    return seam(init!.method!, () => hub.clientOptions.fetch(url, init));
  };
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    fetch,
    retryOptions: { retryDelayInMs: 1 },
  });
  return {
    hub,
    registry,
    requests,
    async [Symbol.asyncDispose]() {
      await registry.close();
      await hub.close();
    },
  };
}

/** What a write can change of a device, and what no write may change by the way. */
function factsOf(identity: Device | Module): Partial<Device> {
  const { etag: _, statusUpdatedTime: __, ...facts }: Partial<Device> = identity;
  return facts;
}

describe("modifyDevice", () => {
  test("changes what is named, and leaves the rest as it is", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    const parent = await registry.createDeviceWithSas("parent", { iotEdge: true });
    await registry.createDeviceWithX509("d", {
      primaryThumbprint: THUMBPRINT,
      secondaryThumbprint: OTHER_THUMBPRINT,
      iotEdge: true,
      status: "disabled",
      statusReason: "In repair",
      parentScopes: parent.deviceScope!,
    });
    const before = await registry.getDevice("d");
    requests.length = 0;
    const device = await registry.modifyDevice("d", ({ statusReason }) => ({ statusReason: `${statusReason} again` }));
    assert.deepEqual(requests, ["GET /devices/d", "PUT /devices/d"]);
    assert.deepEqual(factsOf(device), { ...factsOf(before), statusReason: "In repair again" });
    assert.deepEqual(factsOf(await registry.getDevice("d")), factsOf(device));
    assert.notEqual(device.etag, before.etag);
  });

  test("takes null for no reason, and undefined for no change", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d", { status: "disabled", statusReason: "In repair" });
    const before = await registry.getDevice("d");
    const device = await registry.modifyDevice("d", () => ({
      status: undefined,
      statusReason: null,
      iotEdge: undefined,
      primaryKey: undefined,
      primaryThumbprint: undefined,
    }));
    assert.deepEqual(factsOf(device), { ...factsOf(before), statusReason: null });
  });

  test("writes nothing when the change is undefined, and gives the device as it is", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    const { etag } = await registry.createDeviceWithSas("d");
    requests.length = 0;
    assert.equal((await registry.modifyDevice("d", () => Promise.resolve(undefined))).etag, etag);
    assert.deepEqual(requests, ["GET /devices/d"]);
  });

  test("loses no change of twenty who change at once, and of one who replaces the device", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d", { ...KEYS, statusReason: "0" });
    const count = ({ statusReason }: Device): DeviceChange => ({ statusReason: `${Number(statusReason) + 1}` });
    await Promise.all([
      ...Array.from({ length: 20 }, () => registry.modifyDevice("d", count, { maxAttempts: 100 })),
      registry.renewDeviceKeys("d", { keys: "primary", maxAttempts: 100 }),
      registry.modifyDevice("d", () => ({ status: "disabled" }), { maxAttempts: 100 }),
    ]);
    const { status, statusReason, authentication } = await registry.getDevice("d");
    assert.deepEqual([status, statusReason], ["disabled", "20"]);
    assert.notEqual(authentication?.symmetricKey?.primaryKey, KEYS.primaryKey);
    assert.equal(authentication?.symmetricKey?.secondaryKey, KEYS.secondaryKey);
  });

  test("gives up with PreconditionFailed after as many attempts as it was given", async () => {
    await using fixture = setUp();
    const { hub, registry, requests } = fixture;
    await registry.createDeviceWithSas("d");
    await using other = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    requests.length = 0;
    let n = 0;
    const change = async (): Promise<DeviceChange> => {
      await other.modifyDevice("d", () => ({ statusReason: `${n++}` }));
      return { status: "disabled" };
    };
    const expected = { code: "PreconditionFailed", statusCode: 412, message: /of device "d"/ };
    await assert.rejects(registry.modifyDevice("d", change, { maxAttempts: 3 }), expected);
    assert.deepEqual(requests, Array(3).fill(["GET /devices/d", "PUT /devices/d"]).flat());
  });

  test("changes how a device signs in, from each way to each", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithCertificateAuthority("d", { statusReason: "kept" });
    const authenticationAfter = async (change: DeviceChange) => {
      const { statusReason, authentication } = await registry.modifyDevice("d", () => change);
      assert.equal(statusReason, "kept");
      const { type, symmetricKey, x509Thumbprint } = authentication!;
      return [type, ...Object.values(symmetricKey!), ...Object.values(x509Thumbprint!)];
    };
    const { primaryKey, secondaryKey } = KEYS;
    assert.deepEqual(await authenticationAfter(KEYS), ["sas", primaryKey, secondaryKey, null, null]);
    assert.deepEqual(
      await authenticationAfter({ primaryKey: secondaryKey }),
      ["sas", secondaryKey, secondaryKey, null, null],
    );
    assert.deepEqual(
      await authenticationAfter({ primaryThumbprint: THUMBPRINT }),
      ["selfSigned", null, null, THUMBPRINT, null],
    );
    assert.deepEqual(
      await authenticationAfter({ secondaryThumbprint: OTHER_THUMBPRINT }),
      ["selfSigned", null, null, THUMBPRINT, OTHER_THUMBPRINT],
    );
    assert.deepEqual(
      await authenticationAfter({ secondaryThumbprint: null }),
      ["selfSigned", null, null, THUMBPRINT, null],
    );
    assert.deepEqual(await authenticationAfter(KEYS), ["sas", primaryKey, secondaryKey, null, null]);
  });

  test("makes an Edge device of a leaf, which keeps its parent, and a leaf of an Edge device", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    const { deviceScope: parent } = await registry.createDeviceWithSas("parent", { iotEdge: true });
    await registry.createDeviceWithSas("d", { ...KEYS, deviceScope: parent });
    const edge = await registry.modifyDevice("d", () => ({ iotEdge: true }));
    assert.equal(edge.capabilities?.iotEdge, true);
    assert.deepEqual(edge.parentScopes, [parent]);
    assert.notEqual(edge.deviceScope, parent);
    const renamed = await registry.modifyDevice("d", () => ({ statusReason: "still there" }));
    assert.deepEqual([renamed.deviceScope, renamed.parentScopes], [edge.deviceScope, [parent]]);
    const detached = await registry.modifyDevice("d", () => ({ parentScopes: [] }));
    assert.deepEqual([detached.deviceScope, detached.parentScopes], [edge.deviceScope, []]);
    const leaf = await registry.modifyDevice("d", () => ({ iotEdge: false }));
    assert.equal(leaf.capabilities?.iotEdge, false);
    const child = await registry.modifyDevice("d", () => ({ deviceScope: parent }));
    assert.equal(child.deviceScope, parent);
    assert.equal((await registry.modifyDevice("d", () => ({ status: "disabled" }))).deviceScope, parent);
    assert.equal((await registry.modifyDevice("d", () => ({ deviceScope: "" }))).deviceScope, undefined);
    assert.deepEqual((await registry.getDevice("d")).authentication?.symmetricKey, KEYS);
  });

  test("refuses a change that is none, and writes nothing", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    await registry.createDeviceWithX509("d", { primaryThumbprint: THUMBPRINT });
    requests.length = 0;
    const changes: [change: unknown, kind: typeof TypeError | typeof RangeError, says: RegExp][] = [
      ["disabled", TypeError, /^Cannot use the change: it must be an object, got a string$/],
      [null, TypeError, /^Cannot use the change: it must be an object, got null$/],
      [{ stauts: "disabled" }, TypeError, /^Cannot use "stauts" in the change: did you mean "status"\? /],
      [{ deviceId: "d" }, TypeError, /^Cannot use "deviceId" in the change: /],
      [{ authentication: {} }, TypeError, /^Cannot use "authentication" in the change: /],
      [{ status: "off" }, RangeError, /^Cannot use status "off"/],
      [{ status: null }, RangeError, /^Cannot use status "null"/],
      [{ statusReason: "x".repeat(129) }, RangeError, /^Cannot use statusReason of 129 characters/],
      [{ iotEdge: "yes" }, TypeError, /^Cannot use iotEdge: /],
      [{ deviceScope: 1 }, TypeError, /^Cannot use deviceScope: /],
      [{ parentScopes: [1] }, TypeError, /^Cannot use parentScopes\[0\]: /],
      [{ primaryKey: null }, TypeError, /^Cannot use primaryKey: it must be a string, got null$/],
      [{ primaryThumbprint: null }, TypeError, /^Cannot use primaryThumbprint: it must be a string, got null$/],
      // It has no second key that could stay.
      [{ primaryKey: KEYS.primaryKey }, TypeError, /^Cannot use secondaryKey: it must be a string, got null$/],
      [{ ...KEYS, secondaryThumbprint: THUMBPRINT }, TypeError, /^Cannot use keys and thumbprints in the change: /],
    ];
    for (const [change, kind, says] of changes) {
      await assert.rejects(registry.modifyDevice("d", () => change as DeviceChange), (error) => {
        assert.ok(error instanceof Error);
        assert.equal(error.constructor, kind, `${error}`);
        assert.match(error.message, says);
        return true;
      });
    }
    assert.deepEqual([...new Set(requests)], ["GET /devices/d"]);
  });

  test("writes nothing where the hub sent no etag or no keys, which it would make anew", async () => {
    const device = { deviceId: "d", status: "disabled" };
    const sas = { type: "sas", symmetricKey: KEYS };
    const answers: [answer: object, refusal: object][] = [
      [{ ...device, authentication: sas }, {
        code: "InvalidResponse",
        message: /of device "d".*without a usable etag/,
      }],
      [{ ...device, etag: "AAAA=" }, { name: "TypeError", message: /primaryKey/ }],
      [{ ...device, etag: "AAAA=", authentication: { type: "sas" } }, { name: "TypeError", message: /primaryKey/ }],
    ];
    for (const [body, refusal] of answers) {
      const recorder = new Recorder({ body });
      await using registry = recorder.connect();
      await assert.rejects(registry.modifyDevice("d", () => ({ statusReason: "x" })), refusal);
      assert.deepEqual(recorder.requests.map(({ method }) => method), ["GET"]);
    }
  });

  test("counts a write as done whose answer was lost", async () => {
    let isLost = false;
    await using fixture = setUp(async (method, forward) => {
      const response = await forward();
      if (method !== "PUT" || isLost) return response;
      isLost = true;
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("ECONNRESET"), { code: "ECONNRESET" }) });
    });
    const { hub, registry, requests } = fixture;
    await using admin = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    for (const [id, options] of [["sas", KEYS], ["x509", { primaryThumbprint: THUMBPRINT }]] as const) {
      isLost = false;
      if (id === "sas") await admin.createDeviceWithSas(id, options as typeof KEYS);
      else await admin.createDeviceWithX509(id, options as { primaryThumbprint: string });
      requests.length = 0;
      let calls = 0;
      const device = await registry.modifyDevice(id, () => ({ statusReason: `call ${++calls}` }));
      assert.equal(device.statusReason, "call 1");
      const [read, write] = [`GET /devices/${id}`, `PUT /devices/${id}`];
      assert.deepEqual(requests, [read, write, write, read]);
    }
  });

  test("ends with its time, and with its signal", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d");
    const never = (): Promise<undefined> => new Promise(() => {});
    await assert.rejects(registry.modifyDevice("d", never, { timeoutInMs: 40 }), {
      code: "Timeout",
      operation: "modifyDevice",
      message: 'Cannot complete modifyDevice of device "d": it took longer than 40 ms',
    });
    const reason = new Error("enough");
    const controller = new AbortController();
    const call = registry.modifyDevice("d", () => {
      controller.abort(reason);
      return never();
    }, { abortSignal: controller.signal });
    await assert.rejects(call, (error) => error === reason);
  });
});

describe("renewDeviceKeys", () => {
  const renewals: [keys: "primary" | "secondary" | "both" | undefined, kept: ("primaryKey" | "secondaryKey")[]][] = [
    [undefined, []],
    ["both", []],
    ["primary", ["secondaryKey"]],
    ["secondary", ["primaryKey"]],
  ];
  for (const [keys, kept] of renewals) {
    test(`with ${keys ?? "nothing said"} renews these keys alone, of a disabled Edge device too`, async () => {
      await using fixture = setUp();
      const { registry } = fixture;
      const fields = { iotEdge: true, status: "disabled", statusReason: "Stolen" } as const;
      await registry.createDeviceWithSas("d", { ...KEYS, ...fields });
      const before = await registry.getDevice("d");
      const device = await registry.renewDeviceKeys("d", { keys });
      const { authentication: _, ...rest } = factsOf(before);
      const { authentication, ...others } = factsOf(device);
      assert.deepEqual(others, rest);
      const renewed = authentication!.symmetricKey!;
      for (const name of ["primaryKey", "secondaryKey"] as const) {
        if (kept.includes(name)) assert.equal(renewed[name], KEYS[name]);
        else assert.match(renewed[name]!, /^[A-Za-z0-9+/]{43}=$/);
        assert.equal(renewed[name] === KEYS[name], kept.includes(name));
      }
      assert.notEqual(renewed.primaryKey, renewed.secondaryKey);
    });
  }

  test("with swap exchanges the keys, as often as it is called, however many call at once", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d", KEYS);
    const swap = () => registry.renewDeviceKeys("d", { keys: "swap", maxAttempts: 100 });
    const swapped = { primaryKey: KEYS.secondaryKey, secondaryKey: KEYS.primaryKey };
    assert.deepEqual((await swap()).authentication?.symmetricKey, swapped);
    await Promise.all(Array.from({ length: 7 }, swap));
    assert.deepEqual((await registry.getDevice("d")).authentication?.symmetricKey, KEYS);
  });

  test("gives a device that was renewed twice at once the keys of one of the two calls", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d");
    const renewed = await Promise.all([registry.renewDeviceKeys("d"), registry.renewDeviceKeys("d")]);
    const { authentication, etag } = await registry.getDevice("d");
    const last = renewed.find((device) => device.etag === etag);
    assert.deepEqual(last?.authentication?.symmetricKey, authentication?.symmetricKey);
  });

  test("refuses a device without keys, and leaves it as it is", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    await registry.createDeviceWithX509("x509", { primaryThumbprint: THUMBPRINT });
    await registry.createDeviceWithCertificateAuthority("ca");
    requests.length = 0;
    for (const [id, type] of [["x509", "selfSigned"], ["ca", "certificateAuthority"]] as const) {
      await assert.rejects(registry.renewDeviceKeys(id), {
        name: "IoTHubError",
        code: "OperationNotAllowedInCurrentState",
        operation: "renewDeviceKeys",
        retryable: false,
        message: `Cannot complete renewDeviceKeys of device "${id}": it has no keys, since its way to sign in is ` +
          `${type}; nothing was written`,
      });
    }
    assert.deepEqual(requests, ["GET /devices/x509", "GET /devices/ca"]);
  });

  test("refuses keys that are none before it reads anything", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    for (const keys of ["all", "", null, 1, ["primary"]] as unknown as "both"[]) {
      await assert.rejects(registry.renewDeviceKeys("d", { keys }), /^RangeError: Cannot use keys ".*": it must be /);
      await assert.rejects(registry.renewModuleKeys("d", "m", { keys }), /^RangeError: Cannot use keys /);
    }
    assert.deepEqual(requests, []);
  });

  test("tells of a device that is not there", async () => {
    await using fixture = setUp();
    const expected = { code: "DeviceNotFound", message: /of device "nobody"/ };
    await assert.rejects(fixture.registry.renewDeviceKeys("nobody"), expected);
    await assert.rejects(fixture.registry.modifyDevice("nobody", () => ({})), expected);
  });
});

describe("modifyModule and renewModuleKeys", () => {
  test("change what is named, and leave the rest as it is", async () => {
    await using fixture = setUp();
    const { registry, requests } = fixture;
    await registry.createDeviceWithSas("d");
    await registry.createModuleWithSas("d", "m", { ...KEYS, managedBy: "me" });
    requests.length = 0;
    const moved = await registry.modifyModule("d", "m", ({ managedBy }) => ({ managedBy: `not ${managedBy}` }));
    assert.deepEqual([moved.managedBy, moved.authentication?.symmetricKey], ["not me", KEYS]);
    const renewed = await registry.renewModuleKeys("d", "m", { keys: "primary" });
    assert.equal(renewed.managedBy, "not me");
    assert.equal(renewed.authentication?.symmetricKey?.secondaryKey, KEYS.secondaryKey);
    assert.notEqual(renewed.authentication?.symmetricKey?.primaryKey, KEYS.primaryKey);
    const [read, write] = ["GET /devices/d/modules/m", "PUT /devices/d/modules/m"];
    assert.deepEqual(requests, [read, write, read, write]);
    const signed = await registry.modifyModule("d", "m", () => ({ primaryThumbprint: THUMBPRINT }));
    assert.deepEqual([signed.managedBy, signed.authentication?.type], ["not me", "selfSigned"]);
    const free = await registry.modifyModule("d", "m", () => ({ managedBy: null }));
    assert.deepEqual([free.managedBy, free.authentication?.type], [null, "selfSigned"]);
    assert.equal(await registry.modifyModule("d", "m", () => undefined).then(({ etag }) => etag), free.etag);
  });

  test("refuse a change that is none, a module without keys, and one that is not there", async () => {
    await using fixture = setUp();
    const { registry } = fixture;
    await registry.createDeviceWithSas("d", { iotEdge: true });
    const change = () => ({ status: "disabled" }) as object;
    await assert.rejects(
      registry.modifyModule("d", "$edgeHub", change),
      /^TypeError: Cannot use "status" in the change/,
    );
    await assert.rejects(registry.renewModuleKeys("d", "$edgeHub"), {
      code: "OperationNotAllowedInCurrentState",
      message: /^Cannot complete renewModuleKeys of device "d", module "\$edgeHub": it has no keys, .*none/,
    });
    await assert.rejects(registry.renewModuleKeys("d", "m"), { code: "ModuleNotFound" });
    await assert.rejects(registry.modifyModule("d", "m", () => ({})), { code: "ModuleNotFound" });
  });
});

test("what was read can be passed back to an update", async () => {
  await using fixture = setUp();
  const { registry } = fixture;
  await registry.createDeviceWithSas("sas");
  await registry.createDeviceWithX509("x509", { primaryThumbprint: THUMBPRINT });
  await registry.createModuleWithSas("sas", "m");
  const sas = await registry.getDevice("sas");
  const { etag, status, statusReason, deviceScope, parentScopes } = sas;
  assert.equal(statusReason, null);
  const { primaryKey, secondaryKey } = sas.authentication!.symmetricKey as typeof KEYS;
  const fields = { etag, status: status!, statusReason, deviceScope, parentScopes };
  const updated = await registry.updateDeviceWithSas("sas", { ...fields, primaryKey, secondaryKey });
  assert.deepEqual(factsOf(updated), factsOf(sas));
  const x509 = await registry.getDevice("x509");
  const { primaryThumbprint, secondaryThumbprint } = x509.authentication!.x509Thumbprint!;
  assert.equal(secondaryThumbprint, null);
  const thumbprints = { primaryThumbprint: primaryThumbprint!, secondaryThumbprint };
  assert.deepEqual(
    factsOf(await registry.updateDeviceWithX509("x509", { ...thumbprints, status: "enabled" })),
    factsOf(x509),
  );
  const module = await registry.getModule("sas", "m");
  assert.equal(module.managedBy, null);
  const keys = module.authentication!.symmetricKey as typeof KEYS;
  const same = await registry.updateModuleWithSas("sas", "m", { ...keys, managedBy: module.managedBy });
  assert.deepEqual([same.managedBy, same.authentication], [null, module.authentication]);
});

test("what was read can be passed to a bulk request, of this hub and of another", async () => {
  await using fixture = setUp();
  const { registry } = fixture;
  await registry.createDeviceWithSas("sas", { status: "disabled", statusReason: "In repair" });
  await registry.createDeviceWithX509("x509", { primaryThumbprint: THUMBPRINT });
  await registry.createDeviceWithCertificateAuthority("ca", { iotEdge: true });
  await registry.createModuleWithSas("x509", "m", { managedBy: "me" });
  const ids = ["sas", "x509", "ca"];
  const read = async (from: IoTHubRegistryManager) => [
    ...await Promise.all(ids.map((id) => from.getDevice(id))),
    await from.getModule("x509", "m"),
  ];
  const before = await read(registry);
  // An identity has its id and its etag, which is the current one, under names of its own.
  const updates = before.map((identity) => ({ ...identity, importMode: "updateIfMatchETag" as const }));
  const updated = await registry.bulkCreateOrUpdateDevices(updates);
  assert.deepEqual(updated.errors, []);
  assert.deepEqual((await read(registry)).map(factsOf), before.map(factsOf));
  const stale = await registry.bulkCreateOrUpdateDevices(updates);
  assert.deepEqual(stale.errors?.map(({ errorCode }) => errorCode), Array(4).fill("PreconditionFailed"));

  await using other = setUp();
  const copies = before.map((identity) => ({ ...identity, importMode: "create" as const }));
  const created = await other.registry.bulkCreateOrUpdateDevices(copies);
  assert.deepEqual(created.errors, []);
  const keys = ({ authentication }: Device | Module): unknown => authentication;
  assert.deepEqual((await read(other.registry)).map(keys), before.map(keys));
});

test("what an entry of a bulk request only inherits is not sent", async () => {
  const recorder = new Recorder({ body: { isSuccessful: true, errors: [], warnings: [] } });
  const entry = Object.assign(Object.create({ status: "disabled", tags: { a: 1 } }), { id: "d", importMode: "create" });
  await recorder.connect().bulkCreateOrUpdateDevices([entry]);
  assert.deepEqual(recorder.requests[0]!.body, [{ id: "d", importMode: "create" }]);
});
