import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { issue, issueAuthority, type IssuedCertificate } from "../support/certificate_factory.ts";
import { HubWatch } from "../support/hub_watch.ts";
import type { Json } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { type Make, SdkAtHub, type SdkTransport } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const ROOT = issueAuthority();
const BELOW = issue({ commonName: "Below", issuer: ROOT, isAuthority: true });
const TRANSPORTS: readonly SdkTransport[] = ["Amqp", "AmqpWs"];

/** The next time that an emitter of the SDK emits an event. */
async function next(emitter: Json, event: string): Promise<Json> {
  const [value] = await once(emitter, event);
  return value;
}

describeSdk("scenarios of the SDK for devices", () => {
  let sdk: SdkAtHub;
  let registry: Json;
  let service: Json;
  before(async () => {
    sdk = await SdkAtHub.start({ deviceAuthorities: [ROOT.cert] });
    registry = sdk.registry();
    service = sdk.client();
  });
  after(() => sdk[Symbol.asyncDispose]());

  for (const transport of TRANSPORTS) {
    describe(`The SDK for devices at the local hub, over ${transport}`, () => {
      /** Makes a device of a test's own, and connects it. */
      async function connect(name: string): Promise<[client: Json, deviceId: string]> {
        const deviceId = `${transport}-${name}`;
        await registry.create({ deviceId });
        const client = await sdk.device(transport, deviceId);
        await client.open();
        return [client, deviceId];
      }

      async function stateOf(deviceId: string): Promise<string> {
        return (await registry.get(deviceId)).responseBody.connectionState;
      }

      function callMethod(deviceId: string, methodName: string, payload?: unknown): Promise<Json> {
        return service.invokeDeviceMethod(deviceId, { methodName, payload, connectTimeoutInSeconds: 20 });
      }

      test("opens, sends telemetry, counts as connected, and closes", async () => {
        const [client, deviceId] = await connect("telemetry");
        const message = sdk.message(JSON.stringify({ temperature: 21 }));
        Object.assign(message, { messageId: "m-1", contentType: "application/json", contentEncoding: "utf-8" });
        message.properties.add("level", "high");
        await client.sendEvent(message);
        assert.equal(await stateOf(deviceId), "Connected");
        const watch = new HubWatch(sdk.hub);
        await client.close();
        await watch.until({ kind: "connection", change: "disconnected", deviceId, reason: "closed" });
        assert.equal(await stateOf(deviceId), "Disconnected");
      });

      test("sends many messages at once", async () => {
        const [client] = await connect("many");
        await Promise.all(Array.from({ length: 200 }, (_, index) => client.sendEvent(sdk.message(`${index}`))));
      });

      test("reads its twin", async () => {
        const [client, deviceId] = await connect("twin");
        await registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
        const twin = await client.getTwin();
        assert.equal(twin.properties.desired.mode, "eco");
        assert.equal(twin.properties.desired.$version, 2);
        assert.equal(twin.properties.reported.$version, 1);
      });

      test("reports properties, and is told what is wrong with them", async () => {
        const [client, deviceId] = await connect("reports");
        const twin = await client.getTwin();
        const report = (patch: unknown): Promise<void> =>
          new Promise((resolve, reject) => {
            twin.properties.reported.update(patch, (error: unknown) => error ? reject(error) : resolve());
          });
        await report({ firmware: "1.2.0", fan: { speed: 3 } });
        await report({ fan: null });
        const { responseBody } = await registry.getTwin(deviceId);
        const { $metadata: _metadata, ...reported } = responseBody.properties.reported;
        assert.deepEqual(reported, { firmware: "1.2.0", $version: 3 });
        // The SDK puts its own error into one without a class.
        await assert.rejects(report({ large: "x".repeat(40_000) }), ({ amqpError, message }: Json) => {
          assert.equal(amqpError.name, "FormatError");
          assert.match(message, /maximum 4096 bytes/);
          return true;
        });
        await report({ after: true });
      });

      test("is told of desired properties", async () => {
        const [client, deviceId] = await connect("desired");
        const twin = await client.getTwin();
        // The first time, it is what is there; until then, the SDK has not asked for changes.
        assert.equal((await next(twin, "properties.desired")).$version, 1);
        const change = next(twin, "properties.desired");
        await registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
        assert.deepEqual(await change, { mode: "eco", $version: 2 });
        assert.equal(twin.properties.desired.mode, "eco");
      });

      test("answers direct methods", async () => {
        const [client, deviceId] = await connect("methods");
        client.onDeviceMethod("double", (request: Json, response: Json) => {
          response.send(200, { doubled: request.payload * 2 }).catch(() => {});
        });
        client.onDeviceMethod("fail", (_request: Json, response: Json) => response.send(500).catch(() => {}));
        const { result } = await callMethod(deviceId, "double", 21);
        assert.deepEqual(result, { status: 200, payload: { doubled: 42 } });
        assert.equal((await callMethod(deviceId, "fail")).result.status, 500);
        const answers = await Promise.all([1, 2, 3, 4, 5].map((payload) => callMethod(deviceId, "double", payload)));
        assert.deepEqual(answers.map(({ result }) => result.payload.doubled), [2, 4, 6, 8, 10]);
      });

      test("receives messages, and completes, abandons and rejects them", async () => {
        const [client, deviceId] = await connect("messages");
        const { result: receiver } = await service.getFeedbackReceiver();
        const codes: Record<string, string> = {};
        const done = new Promise<void>((resolve) => {
          receiver.on("message", (batch: Json) => {
            for (const { originalMessageId, statusCode, deviceId: from } of JSON.parse(batch.getData().toString())) {
              if (from === deviceId) codes[originalMessageId] = statusCode;
            }
            if (Object.keys(codes).length === 3) resolve();
          });
        });
        const seen: string[] = [];
        client.on("message", (message: Json) => {
          seen.push(message.messageId);
          if (message.messageId === "reject") client.reject(message);
          else if (message.messageId === "abandon" && seen.filter((id) => id === "abandon").length < 3) {
            client.abandon(message);
          } else client.complete(message);
        });
        for (const messageId of ["complete", "reject", "abandon"]) {
          await service.send(deviceId, Object.assign(sdk.message(messageId), { messageId, ack: "full" }));
        }
        await done;
        assert.deepEqual(codes, { complete: "Success", reject: "Rejected", abandon: "Success" });
        assert.equal(seen.filter((id) => id === "abandon").length, 3);
        receiver.removeAllListeners("message");
        await receiver.detach();
      });

      test("renews its token on the same connection", async () => {
        const deviceId = `${transport}-renews`;
        await registry.create({ deviceId });
        const key = /SharedAccessKey=(.*)$/.exec(await sdk.deviceConnectionString(deviceId))![1]!;
        const sign = (se: number): string => {
          const { connectionString } = sdk.hub;
          const sr = encodeURIComponent(`localhost/devices/${deviceId}`);
          return signSas({ connectionString, sr, key, se }).replace(/&skn=.*$/, "");
        };
        const soon = Math.ceil(Date.now() / 1000) + 2;
        const client = await sdk.device(
          transport,
          deviceId,
          undefined,
          (factories, protocol) => factories.fromSharedAccessSignature(sign(soon), protocol),
        );
        await client.open();
        await client.sendEvent(sdk.message("with the first"));
        await client.updateSharedAccessSignature(sign(soon + 3600));
        await new Promise((resolve) => setTimeout(resolve, soon * 1000 - Date.now() + 100));
        await client.sendEvent(sdk.message("with the second"));
      });

      test("connects again after a cut, with its twin, methods and messages", async () => {
        const [client, deviceId] = await connect("again");
        client.onDeviceMethod("ping", (_request: Json, response: Json) => response.send(200, "pong").catch(() => {}));
        const received = next(client, "message");
        await callMethod(deviceId, "ping");
        sdk.hub.faults.drop();
        await client.sendEvent(sdk.message("after the cut"));
        assert.equal((await callMethod(deviceId, "ping")).result.payload, "pong");
        await service.send(deviceId, "hello");
        assert.equal((await received).data.toString(), "hello");
      });

      test("is replaced by a second connection of the same device", async () => {
        const [first, deviceId] = await connect("second");
        first.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
        await first.sendEvent(sdk.message("first"));
        first.on("error", () => {});
        const cut = next(first, "disconnect");
        const second = await sdk.device(transport, deviceId);
        await second.open();
        await second.sendEvent(sdk.message("second"));
        await cut;
        await second.sendEvent(sdk.message("still there"));
        assert.equal(await stateOf(deviceId), "Connected");
      });

      test("is cut off when the device is disabled, and not let in again", async () => {
        const [client, deviceId] = await connect("disabled");
        client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
        client.on("error", () => {});
        await client.sendEvent(sdk.message("enabled"));
        const cut = next(client, "disconnect");
        await registry.update({ deviceId, status: "disabled" });
        await cut;
        await client.close();
        await assert.rejects(client.open(), { name: "UnauthorizedError" });
      });

      test("is refused with another key", async () => {
        const deviceId = `${transport}-stranger`;
        await registry.create({ deviceId });
        const connectionString = (await sdk.deviceConnectionString(deviceId))
          .replace(/SharedAccessKey=.*/, `SharedAccessKey=${btoa("x".repeat(32))}`);
        const client = await sdk.device(
          transport,
          deviceId,
          undefined,
          (factories, protocol) => factories.fromConnectionString(connectionString, protocol),
        );
        // The SDK calls a failed handshake unauthorized, too: the text is the hub's.
        await assert.rejects(client.open(), ({ name, amqpError, message }: Json) => {
          assert.equal(name, "UnauthorizedError");
          assert.match(`${amqpError?.message} ${message}`, /does not fit the keys/);
          return true;
        });
      });

      test("is let in with a certificate, and with no other", async () => {
        const deviceId = `${transport}-x509`;
        const [good, bad] = [await makeSelfSignedCertificate([deviceId]), await makeSelfSignedCertificate([deviceId])];
        const primaryThumbprint = new X509Certificate(good.cert).fingerprint.replaceAll(":", "");
        await registry.create({ deviceId, authentication: { x509Thumbprint: { primaryThumbprint } } });
        const by = async ({ cert, key }: { cert: string; key: string }): Promise<Json> => {
          const connectionString = `HostName=localhost;DeviceId=${deviceId};x509=true`;
          const client = await sdk.device(
            transport,
            deviceId,
            undefined,
            (factories, protocol) => factories.fromConnectionString(connectionString, protocol),
          );
          await client.setOptions({ cert, key });
          await client.open();
          return client;
        };
        const client = await by(good);
        await client.sendEvent(sdk.message("signed"));
        assert.equal((await client.getTwin()).properties.reported.$version, 1);
        const stranger = await by(bad);
        stranger.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
        await assert.rejects(stranger.sendEvent(sdk.message("not mine")), { name: "UnauthorizedError" });
      });

      test("is let in with a certificate of an authority, and with no other", async () => {
        const deviceId = `${transport}-ca`;
        await registry.create({ deviceId, authentication: { type: "certificateAuthority" } });
        const connectionString = `HostName=localhost;DeviceId=${deviceId};x509=true`;
        const by = async (commonName: string, ...above: IssuedCertificate[]): Promise<Json> => {
          const { cert, key } = issue({ commonName, issuer: above[0] });
          const make: Make = (factories, protocol) => factories.fromConnectionString(connectionString, protocol);
          const client = await sdk.device(transport, deviceId, undefined, make);
          client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
          await client.setOptions({ cert: [cert, ...above.map(({ cert }) => cert)].join(""), key });
          await client.open();
          return client;
        };
        for (const above of [[ROOT], [BELOW]]) await (await by(deviceId, ...above)).sendEvent(sdk.message("signed"));
        const strangers = [by(deviceId), by(deviceId, issueAuthority()), by(`${deviceId}x`, ROOT)];
        for (const stranger of await Promise.all(strangers)) {
          // It is connected already, so this is no refused connection, which the SDK calls by the same name.
          await assert.rejects(stranger.sendEvent(sdk.message("not mine")), { name: "UnauthorizedError" });
        }
      });

      test("works for modules: telemetry, twin, methods", async () => {
        const deviceId = `${transport}-modules`;
        await registry.create({ deviceId });
        await registry.addModule({ deviceId, moduleId: "m1" });
        const client = await sdk.device(transport, deviceId, "m1");
        await client.open();
        await client.sendEvent(sdk.message("from a module"));
        const twin = await client.getTwin();
        assert.equal(twin.properties.desired.$version, 1);
        client.onMethod("ping", (_request: Json, response: Json) => response.send(200, "pong").catch(() => {}));
        const { result } = await service.invokeDeviceMethod(deviceId, "m1", {
          methodName: "ping",
          connectTimeoutInSeconds: 20,
        });
        assert.deepEqual(result, { status: 200, payload: "pong" });
        assert.equal((await registry.getModule(deviceId, "m1")).responseBody.connectionState, "Connected");
      });
    });
  }
});
