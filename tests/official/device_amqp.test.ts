import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type { Json } from "../support/rest_caller.ts";
import type { SdkTransport } from "../support/sdk_at_hub.ts";
import { defineDeviceScenarios } from "../support/sdk_device_scenarios.ts";
import { NEVER, next, SdkDevices, SdkScene } from "../support/sdk_devices.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const TRANSPORTS: readonly SdkTransport[] = ["Amqp", "AmqpWs"];

describeSdk("scenarios of the SDK for devices", () => {
  let scene: SdkScene;
  before(async () => {
    scene = await SdkScene.start();
  });
  after(() => scene[Symbol.asyncDispose]());

  for (const transport of TRANSPORTS) {
    describe(`The SDK for devices at the local hub, over ${transport}`, () => {
      const devices = new SdkDevices(transport, () => scene);

      defineDeviceScenarios(devices, {
        thumbprint: "fingerprint",
        drop: () => scene.sdk.hub.faults.drop(),
        isTooLarge({ amqpError, message }) {
          // The SDK puts its own error into one without a class.
          assert.equal(amqpError.name, "FormatError");
          assert.match(message, /maximum 4096 bytes/);
          return true;
        },
        isWrongKey({ name, amqpError, message }) {
          // The SDK calls a failed handshake unauthorized, too: the text is the hub's.
          assert.equal(name, "UnauthorizedError");
          assert.match(`${amqpError?.message} ${message}`, /does not fit the keys/);
          return true;
        },
        async assertStranger(client) {
          // It is connected already, so this is no refused connection, which the SDK calls by the same name.
          await client.open();
          await assert.rejects(client.sendEvent(scene.sdk.message("not mine")), { name: "UnauthorizedError" });
        },
      });

      devices.scenario("receives messages, and completes, abandons and rejects them", async () => {
        const [client, deviceId] = await devices.connect("messages");
        const { result: receiver } = await scene.service.getFeedbackReceiver();
        const codes: Record<string, string> = {};
        let told = (): void => {};
        receiver.on("message", (batch: Json) => {
          for (const { originalMessageId, statusCode, deviceId: from } of JSON.parse(batch.getData().toString())) {
            if (from === deviceId) codes[originalMessageId] = statusCode;
          }
          told();
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
          await scene.service.send(deviceId, Object.assign(scene.sdk.message(messageId), { messageId, ack: "full" }));
          // Of two outcomes in one turn the SDK's own library would write the first for both.
          while (codes[messageId] === undefined) await new Promise<void>((resolve) => told = resolve);
        }
        assert.deepEqual(codes, { complete: "Success", reject: "Rejected", abandon: "Success" });
        assert.equal(seen.filter((id) => id === "abandon").length, 3);
        receiver.removeAllListeners("message");
        await receiver.detach();
      });

      devices.scenario("renews its token on the same connection", async () => {
        const deviceId = await devices.create("renews");
        const key = await devices.keyOf(deviceId);
        const soon = Math.ceil(Date.now() / 1000) + 2;
        const client = await devices.bySignature(deviceId, devices.signFor(deviceId, key, soon));
        await client.open();
        await client.sendEvent(scene.sdk.message("with the first"));
        await client.updateSharedAccessSignature(devices.signFor(deviceId, key, soon + 3600));
        await new Promise((resolve) => setTimeout(resolve, soon * 1000 - Date.now() + 100));
        await client.sendEvent(scene.sdk.message("with the second"));
      });

      devices.scenario("is cut off when the device is disabled, and not let in again", async () => {
        const [client, deviceId] = await devices.connect("disabled");
        client.setRetryPolicy(NEVER);
        client.on("error", () => {});
        await client.sendEvent(scene.sdk.message("enabled"));
        const cut = next(client, "disconnect");
        await scene.registry.update({ deviceId, status: "disabled" });
        await cut;
        await client.close();
        await assert.rejects(client.open(), { name: "UnauthorizedError" });
      });
    });
  }
});
