import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";

/** Both ways to sign in, each over both ways to the hub. */
const SIGN_INS: [string, (hub: LocalHub, options: ClientOptions) => IoTHubRegistryManager][] = [
  ["a connection string", (hub, options) => IoTHubRegistryManager.fromConnectionString(hub.connectionString, options)],
  [
    "a token credential",
    (hub, options) => IoTHubRegistryManager.fromTokenCredential(hub.hostName, hub.tokenCredential(), options),
  ],
];
const ROUTES: [string, (hub: LocalHub) => Promise<ClientOptions>][] = [
  ["in process", (hub) => Promise.resolve(hub.clientOptions)],
  ["over sockets", async (hub) => {
    const { http, amqp } = await hub.listen({ http: 0, amqp: 0 });
    return { endpoint: http, amqpEndpoint: amqp };
  }],
];

for (const [signIn, connect] of SIGN_INS) {
  for (const [route, reach] of ROUTES) {
    test(`a fleet's whole life with ${signIn}, ${route}`, async () => {
      await using hub = new LocalHub();
      await using registry = connect(hub, await reach(hub));
      await liveWholeLife(hub, registry);
    });
  }
}

async function liveWholeLife(hub: LocalHub, registry: IoTHubRegistryManager): Promise<void> {
  // Identities: every way to sign in, create, conflict, update with etag, stale etag.
  const sas = await registry.createDeviceWithSas("dev-sas");
  const { primaryKey, secondaryKey } = sas.authentication!.symmetricKey! as {
    primaryKey: string;
    secondaryKey: string;
  };
  await registry.createDeviceWithX509("dev-x509", { primaryThumbprint: "A".repeat(40), status: "disabled" });
  await registry.createDeviceWithCertificateAuthority("dev-ca", { iotEdge: true });
  await assert.rejects(registry.createDeviceWithSas("dev-sas"), { code: "DeviceAlreadyExists", statusCode: 409 });
  const values = { etag: sas.etag, status: "enabled" } as const;
  const updated = await registry.updateDeviceWithSas("dev-sas", { ...values, primaryKey, secondaryKey });
  assert.notEqual(updated.etag, sas.etag);
  await assert.rejects(
    registry.updateDeviceWithSas("dev-sas", { ...values, primaryKey, secondaryKey }),
    { code: "PreconditionFailed", statusCode: 412 },
  );
  await registry.updateDeviceWithX509("dev-x509", { primaryThumbprint: "B".repeat(64), status: "disabled" });
  await registry.updateDeviceWithCertificateAuthority("dev-ca", {
    status: "enabled",
    iotEdge: true,
    deviceScope: (await registry.getDevice("dev-ca")).deviceScope,
  });
  assert.equal(
    (await registry.getDevice("dev-x509")).authentication.x509Thumbprint.primaryThumbprint,
    "B".repeat(64),
  );
  assert.deepEqual((await registry.getDevices()).map(({ deviceId }) => deviceId).sort(), [
    "dev-ca",
    "dev-sas",
    "dev-x509",
  ]);

  // Modules.
  const module = await registry.createModuleWithSas("dev-sas", "mod", { managedBy: "me" });
  assert.equal(module.managedBy, "me");
  await registry.createModuleWithX509("dev-sas", "mod-x509", { primaryThumbprint: "C".repeat(40) });
  await registry.createModuleWithCertificateAuthority("dev-sas", "mod-ca");
  await registry.updateModuleWithCertificateAuthority("dev-sas", "mod-ca", { managedBy: "you" });
  assert.equal((await registry.getModule("dev-sas", "mod-ca")).managedBy, "you");
  assert.equal((await registry.getModules("dev-sas")).length, 3);
  await registry.deleteModule("dev-sas", "mod-x509");
  await assert.rejects(registry.getModule("dev-sas", "mod-x509"), { code: "ModuleNotFound", errorNumber: 404010 });

  // Twins: merge, replace, stale etag, modules.
  const twin = await registry.updateTwin("dev-sas", {
    tags: { site: "a", floor: 1 },
    properties: { desired: { x: { y: 1 } } },
  });
  await registry.updateTwin("dev-sas", { tags: { floor: null } }, { etag: twin.etag });
  await assert.rejects(registry.updateTwin("dev-sas", { tags: {} }, { etag: twin.etag }), {
    code: "PreconditionFailed",
  });
  assert.deepEqual((await registry.getTwin("dev-sas")).tags, { site: "a" });
  const replaced = await registry.replaceTwin("dev-sas", await registry.getTwin("dev-sas"));
  assert.deepEqual(replaced.properties.desired["x"], { y: 1 }, "a twin just read can be written back whole");
  const moduleTwin = await registry.updateModuleTwin("dev-sas", "mod", { properties: { desired: { rate: 5 } } });
  assert.equal((await registry.getModuleTwin("dev-sas", "mod")).etag, moduleTwin.etag);
  const emptied = await registry.replaceModuleTwin("dev-sas", "mod", {});
  assert.ok(!("rate" in emptied.properties!.desired!));

  // Bulk, query over several pages, statistics.
  const ids = Array.from({ length: 25 }, (_, index) => `bulk-${index}`);
  const bulk = ids.map((id) => ({ id, importMode: "create" as const, tags: { batch: "b1" } }));
  assert.deepEqual(await registry.bulkCreateOrUpdateDevices(bulk), { isSuccessful: true, errors: [], warnings: [] });
  const again = await registry.bulkCreateOrUpdateDevices(bulk.slice(0, 2));
  assert.equal(again.isSuccessful, false);
  assert.deepEqual(again.errors.map(({ errorCode }) => errorCode), ["DeviceAlreadyExists", "DeviceAlreadyExists"]);
  const found: unknown[] = [];
  const query = "SELECT deviceId FROM devices WHERE tags.batch = 'b1'";
  for await (const row of registry.query<{ deviceId: string }>(query, { maxItemCount: 10 })) found.push(row.deviceId);
  assert.deepEqual(found.sort(), ids.toSorted());
  assert.deepEqual(await registry.getDeviceRegistryStatistics(), {
    totalDeviceCount: 28,
    enabledDeviceCount: 27,
    disabledDeviceCount: 1,
  });

  // Direct methods and messages, to a device that is there and one that is not.
  await assert.rejects(registry.invokeDeviceMethod("bulk-0", { methodName: "m" }), { code: "DeviceNotOnline" });
  const device = hub.device("dev-sas");
  device.onMethod("echo", (payload) => ({ status: 207, payload }));
  device.module("mod").onMethod("echo", (payload) => ({ status: 208, payload }));
  for (const payload of [null, 0, false, "", [1, { a: null }], "text"]) {
    assert.deepEqual(await registry.invokeDeviceMethod("dev-sas", { methodName: "echo", payload }), {
      status: 207,
      payload,
    });
  }
  const answer = await registry.invokeDeviceModuleMethod("dev-sas", "mod", { methodName: "echo", payload: 1 });
  assert.deepEqual(answer, { status: 208, payload: 1 });
  assert.deepEqual(await registry.getServiceStatistics(), { connectedDeviceCount: 1 });
  const arrived = new Promise<{ text: string; messageId?: string | undefined }>((resolve) => device.onMessage(resolve));
  await registry.sendC2dMessage("dev-sas", "Grüße", { messageId: "m-1", priority: 5, urgent: true, ack: "full" });
  const message = await arrived;
  assert.equal(message.text, "Grüße");
  assert.equal(message.messageId, "m-1");
  await registry.sendC2dMessage("bulk-0", Uint8Array.of(0, 255));
  assert.equal((await registry.getDevice("bulk-0")).cloudToDeviceMessageCount, 1);
  await assert.rejects(registry.sendC2dMessage("nobody", "hello"), {
    code: "DeviceNotFound",
    operation: "sendC2dMessage",
  });

  // The end.
  const { etag } = await registry.getDevice("dev-sas");
  await assert.rejects(registry.deleteDevice("dev-sas", { etag: "AAAA" }), { code: "PreconditionFailed" });
  await registry.deleteDevice("dev-sas", { etag });
  await assert.rejects(registry.getTwin("dev-sas"), { code: "DeviceNotFound", errorNumber: 404001, statusCode: 404 });
}

describe("signing in", () => {
  const wrong: [string, (hub: LocalHub) => IoTHubRegistryManager][] = [
    [
      "a policy without the right",
      (hub) => IoTHubRegistryManager.fromConnectionString(hub.connectionStringFor("registryRead"), hub.clientOptions),
    ],
    [
      "a key of another hub",
      (hub) => IoTHubRegistryManager.fromConnectionString(new LocalHub().connectionString, hub.clientOptions),
    ],
    [
      "a bearer token for another audience",
      (hub) =>
        IoTHubRegistryManager.fromTokenCredential(
          hub.hostName,
          hub.tokenCredential({ audience: "https://else.example" }),
          hub.clientOptions,
        ),
    ],
    [
      "a bearer token of another issuer",
      (hub) =>
        IoTHubRegistryManager.fromTokenCredential(
          hub.hostName,
          hub.tokenCredential({ issuer: "https://else.example" }),
          hub.clientOptions,
        ),
    ],
    [
      "a bearer token of another hub",
      (hub) =>
        IoTHubRegistryManager.fromTokenCredential(hub.hostName, new LocalHub().tokenCredential(), hub.clientOptions),
    ],
  ];
  for (const [what, connect] of wrong) {
    test(`with ${what} is refused, over HTTP and AMQP`, async () => {
      await using hub = new LocalHub();
      await using registry = connect(hub);
      await assert.rejects(registry.createDeviceWithSas("d"), { statusCode: 401, retryable: false });
      await assert.rejects(registry.sendC2dMessage("d", "hello"), { statusCode: 401 });
    });
  }
});

test("a process that trusts the hub's certificate reaches it by TLS, HTTP and AMQP", async () => {
  await using hub = new LocalHub();
  const { https, amqps, certificate } = await hub.listen();
  const folder = await mkdtemp(join(tmpdir(), "registry-manager-"));
  try {
    const file = join(folder, "ca.pem");
    await writeFile(file, certificate!);
    const program = fileURLToPath(new URL("../support/socket_user.ts", import.meta.url));
    const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: file,
        HUB: JSON.stringify({
          connectionString: hub.connectionString,
          options: { endpoint: https, amqpEndpoint: amqps },
        }),
      },
    });
    assert.equal(stdout.trim(), "1 message waits for secure-device");
    await using stranger = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      endpoint: https,
      amqpEndpoint: amqps,
    });
    await assert.rejects(stranger.getDevice("secure-device"), { code: "NetworkError" }, "a certificate nobody trusts");
    await assert.rejects(stranger.sendC2dMessage("secure-device", "hello"), { code: "NetworkError" });
  } finally {
    await rm(folder, { recursive: true });
  }
});
