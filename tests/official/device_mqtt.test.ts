import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import { defineDeviceScenarios } from "../support/sdk_device_scenarios.ts";
import { answerPing, NEVER, next, SdkDevices, SdkScene } from "../support/sdk_devices.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const TRANSPORTS = ["Mqtt", "MqttWs"] as const;

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
  let scene: SdkScene;
  before(async () => {
    scene = await SdkScene.start();
  });
  after(() => scene[Symbol.asyncDispose]());

  for (const transport of TRANSPORTS) {
    describe(`The SDK for devices at the local hub, over ${transport}`, () => {
      const devices = new SdkDevices(transport, () => scene);

      defineDeviceScenarios(devices, {
        thumbprint: "fingerprint256",
        drop: () => scene.sdk.hub.faults.mqtt.drop(),
        // MQTT has a status for it, and no words.
        isTooLarge: () => true,
        isWrongKey: isRefusedByHub(5),
        assertStranger: (client) => assert.rejects(client.open(), isRefusedByHub(5)),
      });

      devices.scenario("announces a model", async () => {
        const deviceId = await devices.create("model");
        const client = await scene.sdk.device(transport, deviceId);
        await client.setOptions({ modelId: "dtmi:com:example:Thermostat;1" });
        await client.open();
        assert.equal((await scene.registry.getTwin(deviceId)).responseBody.modelId, "dtmi:com:example:Thermostat;1");
      });

      devices.scenario("receives messages with their properties, and completes them", async () => {
        const [client, deviceId] = await devices.connect("messages");
        // A client of the SDK gives its receiver once, and later the same one, which is detached.
        const { result: receiver } = await scene.sdk.client().getFeedbackReceiver();
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
        const sent = Object.assign(scene.sdk.message("hello"), { messageId: "first", correlationId: "c", ack: "full" });
        sent.contentType = "text/plain";
        sent.properties.add("a b", "&=/");
        await scene.service.send(deviceId, sent);
        await scene.service.send(deviceId, Object.assign(scene.sdk.message("bye"), { messageId: "last", ack: "full" }));
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

      devices.scenario("renews its token by connecting again, with its messages and methods", async () => {
        const deviceId = await devices.create("renews");
        const key = await devices.keyOf(deviceId);
        const soon = Math.ceil(Date.now() / 1000) + 2;
        const client = await devices.bySignature(deviceId, devices.signFor(deviceId, key, soon));
        await client.open();
        const received: string[] = [];
        client.on("message", (message: Json) => received.push(message.data.toString()));
        client.onDeviceMethod("ping", answerPing);
        await client.sendEvent(scene.sdk.message("with the first"));
        await devices.callMethod(deviceId, "ping");
        await client.updateSharedAccessSignature(devices.signFor(deviceId, key, soon + 3600));
        await new Promise((resolve) => setTimeout(resolve, soon * 1000 - Date.now() + 100));
        await client.sendEvent(scene.sdk.message("with the second"));
        assert.equal((await devices.callMethod(deviceId, "ping")).result.payload, "pong");
        const message = next(client, "message");
        await scene.service.send(deviceId, "hello");
        await message;
        assert.deepEqual(received, ["hello"]);
      });

      devices.scenario("receives what was sent while it was away", async () => {
        const [client, deviceId] = await devices.connect("away");
        const first = next(client, "message");
        await scene.service.send(deviceId, "before");
        client.complete(await first);
        await client.close();
        await scene.service.send(deviceId, "meanwhile");
        const again = await scene.sdk.device(transport, deviceId);
        const second = next(again, "message");
        await again.open();
        assert.equal((await second).data.toString(), "meanwhile");
      });

      devices.scenario("tries again when the hub is away for a moment", async () => {
        const deviceId = await devices.create("retries");
        const client = await scene.sdk.device(transport, deviceId);
        scene.sdk.hub.faults.mqtt.refuseConnections(3, 2);
        await client.open();
        await client.sendEvent(scene.sdk.message("at last"));
      });

      devices.scenario("sends again what was not acknowledged, or tells that it was not", async () => {
        const [client] = await devices.connect("unacknowledged");
        client.setRetryPolicy(NEVER);
        client.on("error", () => {});
        scene.sdk.hub.faults.mqtt.withholdAcknowledgements();
        const lost = assert.rejects(client.sendEvent(scene.sdk.message("lost")));
        await client.sendEvent(scene.sdk.message("arrived"));
        scene.sdk.hub.faults.mqtt.drop();
        await lost;
      });

      devices.scenario("is cut off when the device is disabled, and not let in again", async () => {
        const [client, deviceId] = await devices.connect("disabled");
        client.setRetryPolicy(NEVER);
        client.on("error", () => {});
        await client.sendEvent(scene.sdk.message("enabled"));
        const cut = next(client, "disconnect");
        await scene.registry.update({ deviceId, status: "disabled" });
        await cut;
        const again = await scene.sdk.device(transport, deviceId);
        again.setRetryPolicy(NEVER);
        await assert.rejects(again.open(), isRefusedByHub(5));
      });

      devices.scenario("is refused when its token has expired", async () => {
        const deviceId = await devices.create("expired");
        const token = devices.signFor(deviceId, await devices.keyOf(deviceId), 1);
        const client = await devices.bySignature(deviceId, token);
        client.setRetryPolicy(NEVER);
        await assert.rejects(client.open(), isRefusedByHub(5));
      });

      devices.scenario("hears of nothing that is meant for another device", async () => {
        const [client] = await devices.connect("one");
        const [other, otherId] = await devices.connect("other");
        const heard: string[] = [];
        client.on("message", () => heard.push("message"));
        (await client.getTwin()).on("properties.desired", ({ meant }: Json) => meant && heard.push("desired"));
        const [arrived, changed] = [next(other, "message"), Promise.withResolvers<void>()];
        (await other.getTwin()).on("properties.desired", ({ meant }: Json) => meant && changed.resolve());
        await scene.registry.updateTwin(otherId, { properties: { desired: { meant: true } } }, "*");
        await scene.service.open();
        await scene.service.send(otherId, scene.sdk.message("for the other"));
        await Promise.all([arrived, changed.promise]);
        // What was on its way to this device has come when this is answered.
        await client.sendEvent(scene.sdk.message("still here"));
        assert.deepEqual(heard, []);
      });
    });
  }
});
