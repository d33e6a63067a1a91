import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { issue, issueAuthority, type IssuedCertificate } from "../support/certificate_factory.ts";
import type { Json } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { SdkAtHub } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const ROOT = issueAuthority();
const BELOW = issue({ commonName: "Below", issuer: ROOT, isAuthority: true });
const TRANSPORTS = ["Mqtt", "MqttWs"] as const;
const NEVER = { shouldRetry: (): boolean => false, nextRetryTimeout: (): number => 0 };

/** The next time that an emitter of the SDK emits an event. */
async function next(emitter: Json, event: string): Promise<Json> {
  const [value] = await once(emitter, event);
  return value;
}

/** What a call fails with when the hub has refused it, and not when nobody has answered, which the SDK calls the same. */
function isRefusedByHub(code: number): (error: Json) => boolean {
  return (error) => {
    assert.equal(error.name, "UnauthorizedError");
    const text = `${error.message} ${error.transportError?.message ?? ""} ${error.mqttError?.message ?? ""}`;
    assert.match(text, code === 4 ? /Bad username or password/i : /Not authorized/i);
    assert.doesNotMatch(text, /ECONNREFUSED|certificate/);
    return true;
  };
}

describeSdk("scenarios of the SDK for devices over MQTT", () => {
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
      /** Defines a scenario, which is skipped where this machine lets nobody listen at the port that it needs. */
      function scenario(name: string, run: () => Promise<void>): void {
        test(name, async (t) => {
          if (transport === "MqttWs" && sdk.host443 === undefined) {
            return t.skip("this machine refuses port 443, which the SDK fixes for MQTT over WebSocket");
          }
          await run();
        });
      }

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

      function signFor(deviceId: string, key: string, se: number): string {
        const host = transport === "MqttWs" ? sdk.host443! : "localhost";
        const sr = encodeURIComponent(`${host}/devices/${deviceId}`);
        return signSas({ connectionString: sdk.hub.connectionString, sr, key, se }).replace(/&skn=.*$/, "");
      }

      async function keyOf(deviceId: string): Promise<string> {
        return (await registry.get(deviceId)).responseBody.authentication.symmetricKey.primaryKey;
      }

      /** A client whose connection string ends otherwise than with its key. */
      function withAddress(deviceId: string, rest: string): Promise<Json> {
        const connectionString = `${sdk.deviceAddress(transport, deviceId)};${rest}`;
        return sdk.device(
          transport,
          deviceId,
          undefined,
          (factories, protocol) => factories.fromConnectionString(connectionString, protocol),
        );
      }

      function bySignature(deviceId: string, token: string): Promise<Json> {
        return sdk.device(
          transport,
          deviceId,
          undefined,
          (factories, protocol) => factories.fromSharedAccessSignature(token, protocol),
        );
      }

      scenario("opens, sends telemetry, counts as connected, and closes", async () => {
        const [client, deviceId] = await connect("telemetry");
        const message = sdk.message(JSON.stringify({ temperature: 21 }));
        Object.assign(message, { messageId: "m-1", contentType: "application/json", contentEncoding: "utf-8" });
        message.properties.add("level", "high & low/ü");
        await client.sendEvent(message);
        assert.equal(await stateOf(deviceId), "Connected");
        await client.close();
        // The SDK does not wait until the hub has read that it goes.
        while (await stateOf(deviceId) !== "Disconnected") await new Promise((resolve) => setImmediate(resolve));
      });

      scenario("sends many messages at once", async () => {
        const [client] = await connect("many");
        await Promise.all(Array.from({ length: 200 }, (_, index) => client.sendEvent(sdk.message(`${index}`))));
      });

      scenario("announces a model", async () => {
        const deviceId = `${transport}-model`;
        await registry.create({ deviceId });
        const client = await sdk.device(transport, deviceId);
        await client.setOptions({ modelId: "dtmi:com:example:Thermostat;1" });
        await client.open();
        assert.equal((await registry.getTwin(deviceId)).responseBody.modelId, "dtmi:com:example:Thermostat;1");
      });

      scenario("reads its twin", async () => {
        const [client, deviceId] = await connect("twin");
        await registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
        const twin = await client.getTwin();
        assert.equal(twin.properties.desired.mode, "eco");
        assert.equal(twin.properties.desired.$version, 2);
        assert.equal(twin.properties.reported.$version, 1);
      });

      scenario("reports properties, and is told what is wrong with them", async () => {
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
        await assert.rejects(report({ large: "x".repeat(40_000) }));
        await report({ after: true });
      });

      scenario("is told of desired properties", async () => {
        const [client, deviceId] = await connect("desired");
        const twin = await client.getTwin();
        // The first time, it is what is there; until then, the SDK has not asked for changes.
        assert.equal((await next(twin, "properties.desired")).$version, 1);
        const change = next(twin, "properties.desired");
        await registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
        assert.deepEqual(await change, { mode: "eco", $version: 2 });
        assert.equal(twin.properties.desired.mode, "eco");
      });

      scenario("answers direct methods", async () => {
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

      scenario("receives messages with their properties, and completes them", async () => {
        const [client, deviceId] = await connect("messages");
        // A client of the SDK gives its receiver once, and later the same one, which is detached.
        const { result: receiver } = await sdk.client().getFeedbackReceiver();
        const done = new Promise<string>((resolve) => {
          receiver.on("message", (batch: Json) => {
            for (const { originalMessageId, statusCode, deviceId: from } of JSON.parse(batch.getData().toString())) {
              if (from === deviceId && originalMessageId === "last") resolve(statusCode);
            }
          });
        });
        const seen: Json[] = [];
        client.on("message", (message: Json) => {
          seen.push(message);
          client.complete(message);
        });
        const sent = Object.assign(sdk.message("hello"), { messageId: "first", correlationId: "c", ack: "full" });
        sent.contentType = "text/plain";
        sent.properties.add("a b", "&=/");
        await service.send(deviceId, sent);
        await service.send(deviceId, Object.assign(sdk.message("bye"), { messageId: "last", ack: "full" }));
        assert.equal(await done, "Success");
        const [first, last] = seen;
        assert.deepEqual(
          [
            first.data.toString(),
            first.messageId,
            first.correlationId,
            first.contentType,
            first.properties.getValue("a b"),
          ],
          ["hello", "first", "c", "text/plain", "&=/"],
        );
        assert.equal(last.to, `/devices/${deviceId}/messages/devicebound`);
        receiver.removeAllListeners("message");
        await receiver.detach();
      });

      scenario("renews its token by connecting again, with its messages and methods", async () => {
        const deviceId = `${transport}-renews`;
        await registry.create({ deviceId });
        const key = await keyOf(deviceId);
        const soon = Math.ceil(Date.now() / 1000) + 2;
        const client = await bySignature(deviceId, signFor(deviceId, key, soon));
        await client.open();
        const received: string[] = [];
        client.on("message", (message: Json) => received.push(message.data.toString()));
        client.onDeviceMethod("ping", (_request: Json, response: Json) => response.send(200, "pong").catch(() => {}));
        await client.sendEvent(sdk.message("with the first"));
        await callMethod(deviceId, "ping");
        await client.updateSharedAccessSignature(signFor(deviceId, key, soon + 3600));
        await new Promise((resolve) => setTimeout(resolve, soon * 1000 - Date.now() + 100));
        await client.sendEvent(sdk.message("with the second"));
        assert.equal((await callMethod(deviceId, "ping")).result.payload, "pong");
        const message = next(client, "message");
        await service.send(deviceId, "hello");
        await message;
        assert.deepEqual(received, ["hello"]);
      });

      scenario("connects again after a cut, with its twin, methods and messages", async () => {
        const [client, deviceId] = await connect("again");
        client.onDeviceMethod("ping", (_request: Json, response: Json) => response.send(200, "pong").catch(() => {}));
        const received = next(client, "message");
        await callMethod(deviceId, "ping");
        sdk.hub.faults.mqtt.drop();
        await client.sendEvent(sdk.message("after the cut"));
        assert.equal((await callMethod(deviceId, "ping")).result.payload, "pong");
        await service.send(deviceId, "hello");
        assert.equal((await received).data.toString(), "hello");
      });

      scenario("receives what was sent while it was away", async () => {
        const [client, deviceId] = await connect("away");
        const first = next(client, "message");
        await service.send(deviceId, "before");
        client.complete(await first);
        await client.close();
        await service.send(deviceId, "meanwhile");
        const again = await sdk.device(transport, deviceId);
        const second = next(again, "message");
        await again.open();
        assert.equal((await second).data.toString(), "meanwhile");
      });

      scenario("tries again when the hub is away for a moment", async () => {
        const deviceId = `${transport}-retries`;
        await registry.create({ deviceId });
        const client = await sdk.device(transport, deviceId);
        sdk.hub.faults.mqtt.refuseConnections(3, 2);
        await client.open();
        await client.sendEvent(sdk.message("at last"));
      });

      scenario("sends again what was not acknowledged, or tells that it was not", async () => {
        const [client] = await connect("unacknowledged");
        client.setRetryPolicy(NEVER);
        client.on("error", () => {});
        sdk.hub.faults.mqtt.withholdAcknowledgements();
        const lost = assert.rejects(client.sendEvent(sdk.message("lost")));
        await client.sendEvent(sdk.message("arrived"));
        sdk.hub.faults.mqtt.drop();
        await lost;
      });

      scenario("is replaced by a second connection of the same device", async () => {
        const [first, deviceId] = await connect("second");
        first.setRetryPolicy(NEVER);
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

      scenario("is cut off when the device is disabled, and not let in again", async () => {
        const [client, deviceId] = await connect("disabled");
        client.setRetryPolicy(NEVER);
        client.on("error", () => {});
        await client.sendEvent(sdk.message("enabled"));
        const cut = next(client, "disconnect");
        await registry.update({ deviceId, status: "disabled" });
        await cut;
        const again = await sdk.device(transport, deviceId);
        again.setRetryPolicy(NEVER);
        await assert.rejects(again.open(), isRefusedByHub(5));
      });

      scenario("is refused with another key", async () => {
        const deviceId = `${transport}-stranger`;
        await registry.create({ deviceId });
        const client = await withAddress(deviceId, `SharedAccessKey=${btoa("x".repeat(32))}`);
        client.setRetryPolicy(NEVER);
        await assert.rejects(client.open(), isRefusedByHub(5));
      });

      scenario("is refused when its token has expired", async () => {
        const deviceId = `${transport}-expired`;
        await registry.create({ deviceId });
        const token = signFor(deviceId, await keyOf(deviceId), 1);
        const client = await bySignature(deviceId, token);
        client.setRetryPolicy(NEVER);
        await assert.rejects(client.open(), isRefusedByHub(5));
      });

      scenario("is let in with a certificate, and with no other", async () => {
        const deviceId = `${transport}-x509`;
        const [good, bad] = [await makeSelfSignedCertificate([deviceId]), await makeSelfSignedCertificate([deviceId])];
        const primaryThumbprint = new X509Certificate(good.cert).fingerprint256.replaceAll(":", "");
        await registry.create({ deviceId, authentication: { x509Thumbprint: { primaryThumbprint } } });
        const by = async ({ cert, key }: { cert: string; key: string }): Promise<Json> => {
          const client = await withAddress(deviceId, "x509=true");
          client.setRetryPolicy(NEVER);
          await client.setOptions({ cert, key });
          return client;
        };
        const client = await by(good);
        await client.open();
        await client.sendEvent(sdk.message("signed"));
        assert.equal((await client.getTwin()).properties.reported.$version, 1);
        await assert.rejects((await by(bad)).open(), isRefusedByHub(5));
      });

      scenario("is let in with a certificate of an authority, and with no other", async () => {
        const deviceId = `${transport}-ca`;
        await registry.create({ deviceId, authentication: { type: "certificateAuthority" } });
        const by = async (commonName: string, ...above: IssuedCertificate[]): Promise<Json> => {
          const { cert, key } = issue({ commonName, issuer: above[0] });
          const client = await withAddress(deviceId, "x509=true");
          client.setRetryPolicy(NEVER);
          await client.setOptions({ cert: [cert, ...above.map(({ cert }) => cert)].join(""), key });
          return client;
        };
        for (const above of [[ROOT], [BELOW]]) {
          const client = await by(deviceId, ...above);
          await client.open();
          await client.sendEvent(sdk.message("signed"));
        }
        for (const stranger of [await by(deviceId), await by(deviceId, issueAuthority()), await by("x", ROOT)]) {
          await assert.rejects(stranger.open(), isRefusedByHub(5));
        }
      });

      scenario("hears of nothing that is meant for another device", async () => {
        const [client] = await connect("one");
        const [other, otherId] = await connect("other");
        const heard: string[] = [];
        client.on("message", () => heard.push("message"));
        (await client.getTwin()).on("properties.desired", ({ meant }: Json) => meant && heard.push("desired"));
        const [arrived, changed] = [next(other, "message"), Promise.withResolvers<void>()];
        (await other.getTwin()).on("properties.desired", ({ meant }: Json) => meant && changed.resolve());
        await registry.updateTwin(otherId, { properties: { desired: { meant: true } } }, "*");
        await service.open();
        await service.send(otherId, sdk.message("for the other"));
        await Promise.all([arrived, changed.promise]);
        // What was on its way to this device has come when this is answered.
        await client.sendEvent(sdk.message("still here"));
        assert.deepEqual(heard, []);
      });

      scenario("works for modules: telemetry, output, twin, methods", async () => {
        const deviceId = `${transport}-modules`;
        await registry.create({ deviceId });
        await registry.addModule({ deviceId, moduleId: "m1" });
        const client = await sdk.device(transport, deviceId, "m1");
        await client.open();
        await client.sendEvent(sdk.message("from a module"));
        await client.sendOutputEvent("out", sdk.message("by an output"));
        client.on("inputMessage", () => {});
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
