import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { signSas } from "../support/sas.ts";
import type { Json } from "../support/rest_caller.ts";
import { failureOf, SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";
import { AUTHORITY, KEYS, SAS, THUMBPRINTS, X509 } from "../support/sdk_values.ts";

describeSdk("scenarios of the SDK's Registry", () =>
  describe("The SDK's Registry at the local hub", () => {
    let sdk: SdkAtHub;
    let registry: Json;
    before(async () => {
      sdk = await SdkAtHub.start();
      registry = sdk.registry();
    });
    after(() => sdk[Symbol.asyncDispose]());

    /** Makes a device of a test's own. */
    async function create(deviceId: string, fields: Record<string, unknown> = {}): Promise<Json> {
      return (await registry.create({ deviceId, ...fields })).responseBody;
    }

    async function get(deviceId: string): Promise<Json> {
      return (await registry.get(deviceId)).responseBody;
    }

    test("makes a device with the keys that it is given", async () => {
      const made = await create("keys", { authentication: SAS, status: "disabled", statusReason: "in the box" });
      assert.deepEqual(made.authentication.symmetricKey, KEYS);
      assert.deepEqual([made.status, made.statusReason, made.connectionState], [
        "disabled",
        "in the box",
        "Disconnected",
      ]);
      const read = await get("keys");
      assert.deepEqual([read.etag, read.generationId, read.authentication], [
        made.etag,
        made.generationId,
        made.authentication,
      ]);
    });

    test("makes a device without keys, which is given some", async () => {
      const { type, symmetricKey } = (await create("no-keys")).authentication;
      assert.equal(type, "sas");
      for (const key of [symmetricKey.primaryKey, symmetricKey.secondaryKey]) {
        assert.equal(Buffer.from(key, "base64").length, 32);
      }
    });

    test("makes a device with thumbprints, whose type the SDK infers", async () => {
      const { x509Thumbprint } = X509;
      const { authentication } = await create("thumbprints", { authentication: { x509Thumbprint } });
      assert.deepEqual([authentication.type, authentication.x509Thumbprint], ["selfSigned", THUMBPRINTS]);
    });

    test("makes a device with a certificate authority", async () => {
      assert.equal((await create("authority", { authentication: AUTHORITY })).authentication.type, AUTHORITY.type);
    });

    test("makes an Edge device with its modules, and a device below it", async () => {
      const edge = await create("edge", { capabilities: { iotEdge: true } });
      const modules = (await registry.getModulesOnDevice("edge")).responseBody;
      assert.deepEqual(modules.map(({ moduleId }: Json) => moduleId).sort(), ["$edgeAgent", "$edgeHub"]);
      const child = await create("child", { deviceScope: edge.deviceScope });
      assert.deepEqual([child.deviceScope, child.parentScopes], [edge.deviceScope, [edge.deviceScope]]);
    });

    test("makes a device whose id has every legal character", async () => {
      const deviceId = "Az09-:.+%_#*?!(),=@;$'";
      await create(deviceId);
      assert.equal((await get(deviceId)).deviceId, deviceId);
      await registry.delete(deviceId);
      assert.deepEqual(await failureOf(registry.get(deviceId)), ["DeviceNotFoundError", 404]);
    });

    test("does not make a device that is there", async () => {
      await create("twice");
      assert.deepEqual(await failureOf(create("twice")), ["DeviceAlreadyExistsError", 409]);
    });

    test("does not make a device with a key that is none", async () => {
      const authentication = { symmetricKey: { primaryKey: "c2hvcnQ=", secondaryKey: "c2hvcnQ=" } };
      assert.deepEqual(await failureOf(create("short", { authentication })), ["ArgumentError", 400]);
    });

    test("updates a device with what it has read, changed in one place", async () => {
      await create("updated", { authentication: SAS });
      const read = await get("updated");
      const updated = (await registry.update({ ...read, status: "disabled", statusReason: "lost" })).responseBody;
      assert.deepEqual([updated.status, updated.statusReason, updated.authentication], [
        "disabled",
        "lost",
        read.authentication,
      ]);
      assert.notEqual(updated.etag, read.etag);
      assert.equal(updated.generationId, read.generationId);
    });

    test("does not update, read or delete a device that is not there", async () => {
      for (const call of [registry.update({ deviceId: "nobody" }), registry.get("nobody"), registry.delete("nobody")]) {
        assert.deepEqual(await failureOf(call), ["DeviceNotFoundError", 404]);
      }
    });

    test("deletes a device, with its twin and its modules", async () => {
      await create("deleted");
      await registry.addModule({ deviceId: "deleted", moduleId: "m" });
      assert.equal((await registry.delete("deleted")).httpResponse.statusCode, 204);
      assert.deepEqual(await failureOf(registry.getTwin("deleted")), ["DeviceNotFoundError", 404]);
      await create("deleted");
      assert.deepEqual((await registry.getModulesOnDevice("deleted")).responseBody, []);
    });

    test("lists devices", async () => {
      await create("listed");
      const ids = (await registry.list()).responseBody.map(({ deviceId }: Json) => deviceId);
      assert.ok(ids.includes("listed"));
    });

    test("counts devices", async () => {
      const devices = (await registry.list()).responseBody;
      const statistics = (await registry.getRegistryStatistics()).responseBody;
      assert.equal(statistics.totalDeviceCount, devices.length);
      assert.equal(statistics.disabledDeviceCount, devices.filter(({ status }: Json) => status === "disabled").length);
    });

    test("adds a hundred devices at once", async () => {
      const devices = Array.from({ length: 100 }, (_, index) => ({ deviceId: `added-${index}`, authentication: SAS }));
      const { responseBody } = await registry.addDevices(devices);
      assert.deepEqual([responseBody.isSuccessful, responseBody.errors], [true, []]);
      assert.deepEqual((await get("added-99")).authentication.symmetricKey, KEYS);
    });

    test("is told of each device that could not be added", async () => {
      await create("added-before");
      const devices = ["added-before", "added-after"].map((deviceId) => ({ deviceId, authentication: SAS }));
      const error: Json = await registry.addDevices(devices).then(() => assert.fail(), (reason: unknown) => reason);
      assert.equal(error.name, "ArgumentError");
      const { isSuccessful, errors } = JSON.parse(error.responseBody);
      assert.equal(isSuccessful, false);
      assert.deepEqual(errors.map(({ deviceId, errorCode }: Json) => [deviceId, errorCode]), [
        ["added-before", "DeviceAlreadyExists"],
      ]);
      assert.equal((await get("added-after")).deviceId, "added-after");
    });

    test("updates devices at once, by force or on the condition of their etags", async () => {
      const { etag } = await create("bulk-updated", { authentication: SAS });
      const entry = { deviceId: "bulk-updated", authentication: SAS };
      assert.ok((await registry.updateDevices([{ ...entry, status: "disabled" }], true)).responseBody.isSuccessful);
      assert.equal((await get("bulk-updated")).status, "disabled");
      assert.deepEqual(await failureOf(registry.updateDevices([{ ...entry, eTag: etag }], false)), [
        "ArgumentError",
        400,
      ]);
      const fresh = { ...entry, status: "enabled", eTag: (await get("bulk-updated")).etag };
      assert.ok((await registry.updateDevices([fresh], false)).responseBody.isSuccessful);
      assert.equal((await get("bulk-updated")).status, "enabled");
    });

    test("removes devices at once, by force or on the condition of their etags", async () => {
      const { etag } = await create("removed-1");
      await create("removed-2");
      assert.deepEqual(await failureOf(registry.removeDevices([{ deviceId: "removed-1", eTag: "AAAA=" }], false)), [
        "ArgumentError",
        400,
      ]);
      assert.ok(
        (await registry.removeDevices([{ deviceId: "removed-1", eTag: etag }], false)).responseBody.isSuccessful,
      );
      assert.ok((await registry.removeDevices([{ deviceId: "removed-2" }], true)).responseBody.isSuccessful);
      for (const deviceId of ["removed-1", "removed-2"]) {
        assert.deepEqual(await failureOf(registry.get(deviceId)), ["DeviceNotFoundError", 404]);
      }
    });

    test("adds, reads, updates and removes a module", async () => {
      await create("modules");
      const ids = { deviceId: "modules", moduleId: "m" };
      await registry.addModule({ ...ids, managedBy: "me", authentication: SAS });
      const read = (await registry.getModule("modules", "m")).responseBody;
      assert.deepEqual([read.managedBy, read.authentication.symmetricKey], ["me", KEYS]);
      await registry.updateModule({ ...read, managedBy: "you" }, false);
      assert.equal((await registry.getModule("modules", "m")).responseBody.managedBy, "you");
      assert.deepEqual(await failureOf(registry.updateModule({ ...read, managedBy: "them" }, false)), [
        "InvalidEtagError",
        412,
      ]);
      await registry.updateModule({ ...read, managedBy: "them" }, true);
      const all = (await registry.getModulesOnDevice("modules")).responseBody;
      assert.deepEqual(all.map(({ moduleId, managedBy }: Json) => [moduleId, managedBy]), [["m", "them"]]);
      await registry.removeModule("modules", "m");
      assert.deepEqual((await registry.getModulesOnDevice("modules")).responseBody, []);
    });

    test("does not add a module that is there, nor read one that is not", async () => {
      await create("module-twice");
      const ids = { deviceId: "module-twice", moduleId: "m" };
      await registry.addModule(ids);
      assert.equal((await failureOf(registry.addModule(ids)))[1], 409);
      assert.equal((await failureOf(registry.getModule("module-twice", "nobody")))[1], 404);
    });

    test("signs in with a ready-made token, and with a token credential", async () => {
      const host = sdk.hub.connectionString.match(/HostName=([^;]+)/)![1]!;
      const token = signSas({ connectionString: sdk.hub.connectionString });
      const clients = [
        sdk.registry((factories) => factories.fromSharedAccessSignature(token)),
        sdk.registry((factories) => factories.fromTokenCredential(host, sdk.hub.tokenCredential())),
      ];
      for (const client of clients) {
        assert.equal((await client.getRegistryStatistics()).httpResponse.statusCode, 200);
      }
    });

    test("does no more than its policy lets it", async () => {
      const reader = sdk.registry((factories) =>
        factories.fromConnectionString(sdk.hub.connectionStringFor("registryRead"))
      );
      assert.ok(Array.isArray((await reader.list()).responseBody));
      for (const call of [reader.create({ deviceId: "forbidden" }), reader.getTwin("keys")]) {
        assert.deepEqual(await failureOf(call), ["UnauthorizedError", 401]);
      }
    });

    test("is refused with a key that is not the hub's", async () => {
      const key = btoa("x".repeat(32));
      const stranger = sdk.hub.connectionString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${key}`);
      const client = sdk.registry((factories) => factories.fromConnectionString(stranger));
      assert.deepEqual(await failureOf(client.list()), ["UnauthorizedError", 401]);
    });
  }));
