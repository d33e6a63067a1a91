import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { HubState } from "../../lib/local/hub_state.ts";
import { answerRest } from "../../lib/local/device_rest/answer_rest.ts";
import { type HandleRequest, startHttpListener } from "../../lib/local/sockets/http_listener.ts";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { issue, issueAuthority, type IssuedCertificate, thumbprintOf } from "../support/certificate_factory.ts";
import { ownAddress, refusalOfPort } from "../support/own_address.ts";
import type { Json } from "../support/rest_caller.ts";
import { DeviceCaller, signAsDevice } from "../support/device_caller.ts";
import { type DeviceCertificate, SdkOverHttps } from "../support/sdk_over_https.ts";
import { SdkInbox } from "../support/sdk_inbox.ts";
import { describeSdk } from "../support/sdk_runtime.ts";
import { fileOf } from "../support/sdk_upload.ts";

const MEBIBYTE = 1024 * 1024;
const ROOT = issueAuthority();
const BELOW = issue({ commonName: "Below", issuer: ROOT, isAuthority: true });

function shown(leaf: IssuedCertificate, ...above: IssuedCertificate[]): DeviceCertificate {
  return { cert: [leaf, ...above].map(({ cert }) => cert).join(""), key: leaf.key };
}

/** The status with which the hub has refused a sign-in, or how the connection was refused. */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error: Json = await call.then(() => assert.fail("it was let in"), (reason) => reason);
  return error.response === undefined ? `no answer: ${error.code}` : `${error.name} ${error.response.statusCode}`;
}

describeSdk("scenarios of the SDK for devices over HTTPS", async () => {
  const skip = await refusalOfPort(443);

  describe("The SDK for devices at the local hub, over HTTPS", { skip }, () => {
    let scene: SdkOverHttps;
    let registry: Json;
    let service: Json;
    let outcomes: SdkInbox;
    let notifications: SdkInbox;
    before(async () => {
      scene = await SdkOverHttps.start({ deviceAuthorities: [ROOT.cert] });
      registry = scene.sdk.registry();
      service = scene.sdk.client();
      outcomes = new SdkInbox((await service.getFeedbackReceiver()).result);
      notifications = new SdkInbox((await service.getFileNotificationReceiver()).result);
    });
    afterEach(() => scene.closeClients());
    after(() => scene[Symbol.asyncDispose]());

    async function connect(deviceId: string): Promise<Json> {
      await registry.create({ deviceId });
      return await scene.device(deviceId);
    }

    async function read(deviceId: string): Promise<Json> {
      return (await registry.get(deviceId)).responseBody;
    }

    async function send(deviceId: string, messageId: string, properties: Record<string, string> = {}): Promise<void> {
      const message = Object.assign(scene.sdk.message(messageId), { messageId, ack: "full" });
      for (const [name, value] of Object.entries(properties)) message.properties.add(name, value);
      await service.send(deviceId, message);
    }

    /** Makes a client receive until it is done, and tells how often each message came. */
    function receive(client: Json, handle: (message: Json, times: number) => unknown): Map<string, number> {
      const times = new Map<string, number>();
      client.on("error", () => {});
      client.on("message", (message: Json) => {
        times.set(message.messageId, (times.get(message.messageId) ?? 0) + 1);
        handle(message, times.get(message.messageId)!);
      });
      return times;
    }

    /** The outcomes of messages to a device, when there are so many. */
    async function feedback(deviceId: string, count: number): Promise<Record<string, string>> {
      const records = await outcomes.about(deviceId, count);
      return Object.fromEntries(records.map(({ originalMessageId, statusCode }) => [originalMessageId, statusCode]));
    }

    describe("sends", () => {
      test("a message, which counts as activity and never as a connection", async () => {
        const client = await connect("one");
        await client.open();
        const started = Date.now();
        await client.sendEvent(scene.sdk.message("hello"));
        const { connectionState, lastActivityTime } = await read("one");
        assert.equal(connectionState, "Disconnected");
        assert.ok(Date.parse(lastActivityTime) >= started - 1);
      });

      test("many messages at once", async () => {
        const client = await connect("many");
        await Promise.all(Array.from({ length: 30 }, (_, index) => client.sendEvent(scene.sdk.message(`${index}`))));
      });

      test("a batch, and one of 400 messages", async () => {
        const client = await connect("batch");
        const messages = Array.from({ length: 400 }, (_, index) => scene.sdk.message(`${index}`));
        await client.sendEventBatch(messages.slice(0, 3));
        await client.sendEventBatch(messages);
      });

      test("a message of 256 KiB, and is refused a larger one and goes on", async () => {
        const client = await connect("large");
        await client.sendEvent(scene.sdk.message("x".repeat(256 * 1024)));
        const refusal = await refusalOf(client.sendEvent(scene.sdk.message("x".repeat(256 * 1024 + 1))));
        assert.match(refusal, / 413$/);
        await client.sendEvent(scene.sdk.message("small"));
      });

      test("as a device with an odd id", async () => {
        const client = await connect("odd-$it's(a),@*!b_c%2F.d");
        await client.sendEvent(scene.sdk.message("hello"));
      });
    });

    describe("receives", () => {
      test("a message with its properties, and completes it", async () => {
        const client = await connect("complete");
        await send("complete", "m1", { level: "high" });
        const ended = feedback("complete", 1);
        const received = new Promise<Json>((resolve) => {
          receive(client, (message) => client.complete(message).then(() => resolve(message)));
        });
        const message = await received;
        assert.deepEqual([message.messageId, message.data.toString()], ["m1", "m1"]);
        assert.equal(message.to, "/devices/complete/messages/devicebound");
        // The SDK keeps the names of the headers.
        assert.equal(message.properties.getValue("iothub-app-level"), "high");
        assert.deepEqual(await ended, { m1: "Success" });
        assert.equal((await read("complete")).cloudToDeviceMessageCount, 0);
        assert.equal((await read("complete")).connectionState, "Disconnected");
      });

      test("a message that it rejects", async () => {
        const client = await connect("reject");
        await send("reject", "m1");
        receive(client, (message) => client.reject(message));
        assert.deepEqual(await feedback("reject", 1), { m1: "Rejected" });
      });

      test("a message that it abandons, again and again until it completes it", async () => {
        const client = await connect("abandon");
        await send("abandon", "m1");
        const times = receive(
          client,
          (message, count) => count < 4 ? client.abandon(message) : client.complete(message),
        );
        assert.deepEqual(await feedback("abandon", 1), { m1: "Success" });
        assert.equal(times.get("m1"), 4);
      });

      test("a message that it abandons ten times, and no more", async () => {
        const client = await connect("ten");
        await send("ten", "m1");
        const times = receive(client, (message) => client.abandon(message));
        assert.deepEqual(await feedback("ten", 1), { m1: "DeliveryCountExceeded" });
        assert.equal(times.get("m1"), 10);
      });

      test("all that has waited, and what comes later", async () => {
        const client = await connect("drain");
        for (let index = 0; index < 10; index++) await send("drain", `m${index}`);
        const times = receive(client, (message) => client.complete(message));
        await feedback("drain", 10);
        await send("drain", "later");
        await feedback("drain", 11);
        assert.deepEqual(
          [...times.keys()].sort(),
          [...Array(10).keys()].map((index) => `m${index}`).concat("later").sort(),
        );
      });

      test("is told of a lock that was lost", async () => {
        const client = await connect("lost");
        await send("lost", "m1");
        const message = await new Promise<Json>((resolve) => receive(client, resolve));
        await client.complete(message);
        assert.match(await refusalOf(client.complete(message)), / 412$/);
      });
    });

    describe("signs in", () => {
      test("is refused with another key, which is no refused connection", async () => {
        await registry.create({ deviceId: "stranger" });
        const connectionString = (await scene.connectionString("stranger"))
          .replace(/SharedAccessKey=.*/, `SharedAccessKey=${btoa("x".repeat(32))}`);
        const { sdk } = scene;
        const client = await scene.client(connectionString);
        assert.equal(await refusalOf(client.sendEvent(sdk.message("x"))), "UnauthorizedError 401");
        const noTrust = await scene.client(connectionString, undefined, null);
        assert.match(await refusalOf(noTrust.sendEvent(sdk.message("x"))), /^no answer: DEPTH_ZERO_SELF_SIGNED_CERT$/);
        const elsewhere = await scene.client(connectionString.replace(scene.host, ownAddress()));
        assert.equal(await refusalOf(elsewhere.sendEvent(sdk.message("x"))), "no answer: ECONNREFUSED");
      });

      test("is refused while the device is disabled, and let in afterwards", async () => {
        const client = await connect("disabled");
        await client.sendEvent(scene.sdk.message("enabled"));
        const { authentication } = await read("disabled");
        await registry.update({ deviceId: "disabled", status: "disabled", authentication });
        assert.equal(await refusalOf(client.sendEvent(scene.sdk.message("x"))), "UnauthorizedError 401");
        await registry.update({ deviceId: "disabled", status: "enabled", authentication });
        await client.sendEvent(scene.sdk.message("enabled again"));
      });

      test("is refused when the device is deleted, or has other keys", async () => {
        const client = await connect("changed");
        await client.sendEvent(scene.sdk.message("first"));
        await registry.update({ deviceId: "changed", status: "enabled" });
        assert.equal(await refusalOf(client.sendEvent(scene.sdk.message("x"))), "UnauthorizedError 401");
        const again = await scene.device("changed");
        await again.sendEvent(scene.sdk.message("second"));
        await registry.delete("changed");
        assert.equal(await refusalOf(again.sendEvent(scene.sdk.message("x"))), "UnauthorizedError 401");
      });

      test("with a token, which ends, and with the next one", async () => {
        await registry.create({ deviceId: "token" });
        const { primaryKey } = (await read("token")).authentication.symmetricKey;
        const good = signAsDevice(scene.host, "/devices/token", primaryKey);
        const client = await scene.clientByToken(good.replace(/se=\d+/, "se=1"));
        assert.equal(await refusalOf(client.sendEvent(scene.sdk.message("x"))), "UnauthorizedError 401");
        await client.updateSharedAccessSignature(good);
        await client.sendEvent(scene.sdk.message("good"));
      });

      for (const algorithm of ["SHA-1", "SHA-256"] as const) {
        test(`with a certificate whose ${algorithm} is in the identity, and with no other`, async () => {
          const deviceId = `thumbprint-${algorithm}`;
          const own = issue({ commonName: "any name" });
          const primaryThumbprint = await thumbprintOf(own, algorithm);
          await registry.create({ deviceId, authentication: { x509Thumbprint: { primaryThumbprint } } });
          const by = async (certificate: IssuedCertificate): Promise<void> => {
            const client = await scene.client(scene.certificateConnectionString(deviceId), shown(certificate));
            await client.sendEvent(scene.sdk.message("signed"));
          };
          await by(own);
          assert.equal(await refusalOf(by(issue({ commonName: "any name" }))), "UnauthorizedError 401");
        });
      }

      test("with a certificate of an authority, also by way of another one, and receives", async () => {
        await registry.create({ deviceId: "ca", authentication: { type: "certificateAuthority" } });
        const connectionString = scene.certificateConnectionString("ca");
        const direct = await scene.client(connectionString, shown(issue({ commonName: "ca", issuer: ROOT })));
        const byWay = await scene.client(connectionString, shown(issue({ commonName: "ca", issuer: BELOW }), BELOW));
        for (const client of [direct, byWay, direct]) await client.sendEvent(scene.sdk.message("signed"));
        await send("ca", "m1");
        receive(byWay, (message) => byWay.complete(message));
        assert.deepEqual(await feedback("ca", 1), { m1: "Success" });
      });

      const wrong: [what: string, certificate: () => DeviceCertificate][] = [
        ["for another device", () => shown(issue({ commonName: "other", issuer: ROOT }))],
        ["of another authority", () => shown(issue({ commonName: "wrong", issuer: issueAuthority() }))],
        ["that has expired", () => shown(issue({ commonName: "wrong", issuer: ROOT, notAfter: new Date(0) }))],
        ["without the authority between", () => shown(issue({ commonName: "wrong", issuer: BELOW }))],
        ["of its own", () => shown(issue({ commonName: "wrong" }))],
      ];
      for (const [what, certificate] of wrong) {
        test(`is refused with a certificate ${what}`, async () => {
          await registry.create({ deviceId: "wrong", authentication: { type: "certificateAuthority" } });
          const client = await scene.client(scene.certificateConnectionString("wrong"), certificate());
          assert.equal(await refusalOf(client.sendEvent(scene.sdk.message("x"))), "UnauthorizedError 401");
          await registry.delete("wrong");
        });
      }
    });

    describe("uploads", () => {
      // All at once: while a file is uploaded, the hub closes the idle connections of the SDK for back ends.
      const connectionStrings: Record<string, string> = {};
      before(async () => {
        for (const deviceId of ["uploads", "upload-wrong"]) {
          await registry.create({ deviceId });
          connectionStrings[deviceId] = await scene.connectionString(deviceId);
        }
        await registry.create({ deviceId: "upload-ca", authentication: { type: "certificateAuthority" } });
      });

      test("small files and one in blocks, each over the one before, of which back ends are told", async () => {
        const sizes = [10, 5120, 9 * MEBIBYTE + 1];
        const told = notifications.about("uploads", sizes.length);
        const files = sizes.map((size) => ({ blobName: "my dir/e2e blob", size }));
        const connectionString = connectionStrings["uploads"]!;
        assert.deepEqual(await scene.upload({ connectionString, files }), [null, null, null]);
        const received = await told;
        assert.deepEqual(received.map(({ blobSizeInBytes }) => blobSizeInBytes), sizes);
        for (const { blobName, blobUri } of received) {
          assert.equal(blobName, "uploads/my dir/e2e blob");
          assert.equal(blobUri, `https://${scene.host}/device-uploads/uploads/my%20dir/e2e%20blob`);
        }
        const content = scene.sdk.hub.blobContainer("device-uploads").read("uploads/my dir/e2e blob");
        assert.ok(Buffer.from(content).equals(Buffer.from(fileOf(sizes.at(-1)!))));
      });

      test("with a certificate of an authority", async () => {
        const certificate = shown(issue({ commonName: "upload-ca", issuer: BELOW }), BELOW);
        const connectionString = scene.certificateConnectionString("upload-ca");
        const told = notifications.about("upload-ca", 1);
        const files = [{ blobName: "a", size: 3 }];
        assert.deepEqual(await scene.upload({ connectionString, certificate, files }), [null]);
        assert.equal((await told)[0].blobName, "upload-ca/a");
      });

      test("nothing with a wrong key, or under a name that no blob can have", async () => {
        const connectionString = connectionStrings["upload-wrong"]!;
        const wrong = connectionString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${btoa("x".repeat(32))}`);
        const [refused] = await scene.upload({ connectionString: wrong, files: [{ blobName: "a", size: 1 }] });
        assert.equal(refused, "BlobSasError: Unauthorized");
        const [illegal] = await scene.upload({ connectionString, files: [{ blobName: "../other/a", size: 1 }] });
        assert.equal(illegal, "BlobSasError: Bad Request");
        assert.deepEqual(
          scene.sdk.hub.blobContainer("device-uploads").list().filter((name) => /wrong|other/.test(name)),
          [],
        );
      });
    });

    test("goes on after the hub has been away", async () => {
      const client = await connect("away");
      await client.sendEvent(scene.sdk.message("before"));
      const restarted = scene.sdk.hub.faults.restart(50);
      const refusal = await refusalOf(client.sendEvent(scene.sdk.message("meanwhile")));
      assert.match(refusal, /^no answer: ECONN(?:REFUSED|RESET)$/);
      await restarted;
      await client.sendEvent(scene.sdk.message("after"));
    });
  });

  describe("What the SDK for devices sends over HTTPS", { skip }, () => {
    const state = new HubState({ hostName: ownAddress(), now: Date.now, clockSkew: 0 });
    let close: () => Promise<void>;
    let client: Json;
    let scene: SdkOverHttps;
    const device = new DeviceCaller(state);
    before(async () => {
      scene = await SdkOverHttps.start();
      const tls = await makeSelfSignedCertificate([state.hostName]);
      const handle: HandleRequest = (request) => answerRest(state, request);
      ({ close } = await startHttpListener(handle, { hostname: state.hostName, port: 443, tls }));
      state.devices.create("d", {});
      const { primaryKey } = state.store.device("d")!.authentication.symmetricKey;
      const connectionString = `HostName=${state.hostName};DeviceId=d;SharedAccessKey=${primaryKey}`;
      client = await scene.client(connectionString, undefined, tls.cert);
    });
    after(async () => {
      await scene[Symbol.asyncDispose]();
      await close();
      state.close();
    });

    test("arrives with all its properties", async () => {
      const message = scene.sdk.message('{"t":21}');
      Object.assign(message, {
        messageId: "m",
        correlationId: "c",
        userId: "u",
        contentType: "application/json",
        contentEncoding: "utf-8",
      });
      message.properties.add("level", "high");
      message.properties.add("dt-subject", "fan");
      await client.sendEvent(message);
      const { data, ...rest } = device.events.pop()!.message;
      assert.equal(new TextDecoder().decode(data), '{"t":21}');
      assert.deepEqual(rest, {
        to: "/devices/d/messages/events",
        messageId: "m",
        correlationId: "c",
        userId: "u",
        contentType: "application/json",
        contentEncoding: "utf-8",
        subject: "fan",
        properties: { level: "high" },
      });
    });

    test("arrives as a batch, in its order", async () => {
      const messages = ["one", "zwölf", "three"].map((body) => scene.sdk.message(body));
      messages[1].properties.add("Level", "high");
      messages[2].properties.add("dt-subject", "fan");
      await client.sendEventBatch(messages);
      const sent = device.events.splice(0).map(({ message: { data, properties, subject } }) => [
        new TextDecoder().decode(data),
        properties,
        subject,
      ]);
      assert.deepEqual(sent, [
        ["one", {}, undefined],
        ["zwölf", { Level: "high" }, undefined],
        ["three", {}, "fan"],
      ]);
    });
  });
});
