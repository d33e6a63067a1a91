import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { createSasToken, IoTHubRegistryManager, Twins } from "../../mod.ts";

/** An object that has each of these members, all undefined. */
function undefinedMembers<const Names extends readonly string[]>(...names: Names): Record<Names[number], undefined> {
  return Object.fromEntries(names.map((name) => [name, undefined])) as Record<Names[number], undefined>;
}

const CALL = undefinedMembers("abortSignal", "timeoutInMs");
const ETAG = { ...CALL, etag: undefined };
const KEYS = { primaryKey: "A".repeat(44), secondaryKey: "B".repeat(44) };

describe("a member that is undefined counts as left out", () => {
  test("in the options of a hub, of a client, and of every call", async () => {
    await using hub = new LocalHub(
      undefinedMembers("hostName", "now", "clockSkewInSeconds", "feedbackIntervalInMs", "amqpIdleTimeoutInMs"),
    );
    const options = {
      ...undefinedMembers("endpoint", "transportType", "tls", "proxy", "timeoutInMs", "attemptTimeoutInMs"),
      ...undefinedMembers("limits", "maxResponseBytes", "sasTokenTtlInSeconds", "tokenScope", "userAgentPrefix"),
      retryOptions: undefinedMembers("maxRetries", "retryDelayInMs", "maxRetryDelayInMs"),
    };
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...options,
      ...hub.clientOptions,
      limits: undefinedMembers("maxConcurrentRequests", "maxRequestsPerSecond", "maxSockets"),
      tls: { ca: undefined },
    });
    const fields = { ...CALL, ...undefinedMembers("status", "iotEdge", "statusReason", "deviceScope", "parentScopes") };

    const device = await registry.createDeviceWithSas("d", {
      ...fields,
      primaryKey: undefined,
      secondaryKey: undefined,
    });
    assert.deepEqual([device.status, device.capabilities, device.statusReason], ["enabled", { iotEdge: false }, null]);
    await registry.updateDeviceWithSas("d", { ...fields, ...ETAG, ...KEYS, status: "enabled" });
    await registry.createDeviceWithX509("x", {
      ...fields,
      primaryThumbprint: "A".repeat(40),
      secondaryThumbprint: undefined,
    });
    await registry.createModuleWithSas("d", "m", {
      ...CALL,
      ...undefinedMembers("managedBy", "primaryKey", "secondaryKey"),
    });
    const twin = await registry.updateTwin("d", { tags: undefined, properties: { desired: undefined } }, ETAG);
    await registry.replaceTwin("d", { ...twin, tags: undefined, properties: undefined }, ETAG);
    await registry.modifyTwin("d", () => ({ tags: { a: 1, b: undefined } }), { ...CALL, maxAttempts: undefined });
    assert.deepEqual((await registry.getTwin("d", CALL)).tags, { a: 1 });
    await registry.bulkCreateOrUpdateDevices([{
      id: "b",
      importMode: "create",
      ...undefinedMembers("moduleId", "eTag", "status", "statusReason", "authentication", "twinETag", "tags"),
      ...undefinedMembers("properties", "capabilities", "deviceScope", "parentScopes"),
    }], CALL);
    const paging = undefinedMembers("continuationToken", "maxItemCount");
    assert.equal((await registry.queryIotHub("SELECT * FROM devices", { ...CALL, ...paging })).items.length, 3);
    const pages = registry.query("SELECT * FROM devices", { ...CALL, maxItemCount: undefined })
      .byPage(undefinedMembers("continuationToken", "maxPageSize"));
    assert.equal((await pages.next()).value?.items.length, 3);
    assert.equal((await registry.getDevices({ ...CALL, maxNumberOfDevices: undefined })).length, 3);

    const received = new Promise((resolve) => hub.device("d").onMessage(({ text }) => resolve(text)));
    const system = undefinedMembers("messageId", "correlationId", "contentType", "contentEncoding", "userId", "ack");
    await registry.sendC2dMessage("d", "hello", { ...system, expiryTimeUtc: undefined, mine: undefined }, CALL);
    assert.equal(await received, "hello");
    const method = undefinedMembers("payload", "responseTimeoutInSeconds", "connectTimeoutInSeconds");
    hub.device("d").onMethod("reboot", () => ({ status: 202 }));
    assert.equal((await registry.invokeDeviceMethod("d", { methodName: "reboot", ...method }, CALL)).status, 202);
    await registry.deleteDevice("d", ETAG);
  });

  test("in the options of helpers, of listening, and of a credential", async () => {
    await using hub = new LocalHub();
    const ports = undefinedMembers("hostname", "https", "amqps", "amqp", "mqtts", "mqtt", "tls");
    const addresses = await hub.listen({ ...ports, http: 0 });
    assert.deepEqual(Object.keys(addresses).filter((name) => addresses[name as keyof typeof addresses]), [
      "http",
      "ws",
    ]);
    const credential = hub.tokenCredential(undefinedMembers("audience", "issuer", "expiresInSeconds", "signingKey"));
    await using twins = Twins.fromTokenCredential(hub.hostName, credential, { endpoint: addresses.http });
    await assert.rejects(twins.getTwin("nobody"), { code: "DeviceNotFound" });
    const optional = undefinedMembers("keyName", "expiresOn", "ttlInSeconds");
    assert.match(
      await createSasToken({ resourceUri: "hub", key: KEYS.primaryKey, ...optional }),
      /^\S+ sr=hub&sig=\S+$/,
    );
  });
});
