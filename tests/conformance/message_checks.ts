import type { Check } from "./check.ts";
import { DEVICE, MODULE, QUEUE_LENGTH } from "./names.ts";
import { expectEqual, expectRejection } from "./expect.ts";

const IN_FLIGHT = 200;

/** Cloud-to-device messages; which way they take is the manager's. */
export const MESSAGE_CHECKS: readonly Check[] = [
  {
    name: "a message arrives with its properties",
    async run({ registry }) {
      await registry.sendC2dMessage(DEVICE, "Grüße, 世界", {
        messageId: "m-1",
        ack: "full",
        priority: 5,
        urgent: true,
      });
      const { payload } = await registry.invokeDeviceMethod(DEVICE, { methodName: "nextMessage" });
      const properties = { priority: 5, urgent: true };
      expectEqual(payload, { text: "Grüße, 世界", messageId: "m-1", ack: "full", properties });
    },
  },
  {
    name: "a message to a module arrives",
    async run({ registry }) {
      await registry.sendC2dMessageToModule(DEVICE, MODULE, "Grüße, Modul");
      const answer = await registry.invokeDeviceModuleMethod(DEVICE, MODULE, { methodName: "nextMessage" });
      expectEqual(answer, { status: 200, payload: "Grüße, Modul" });
    },
  },
  {
    name: "feedback comes for a message that was delivered and for one that was taken back",
    async run({ registry }) {
      await registry.createDeviceWithSas("asleep");
      await registry.sendC2dMessage("asleep", "never read", { messageId: "f-2", ack: "full" });
      expectEqual(await registry.purgeC2dMessages("asleep"), {
        deviceId: "asleep",
        moduleId: null,
        totalMessagesPurged: 1,
      });
      await registry.sendC2dMessage(DEVICE, "tell me", { messageId: "f-1", ack: "full" });
      await registry.invokeDeviceMethod(DEVICE, { methodName: "nextMessage" });
      const statuses = new Map<unknown, unknown>();
      for await (const { originalMessageId, statusCode } of registry.receiveFeedback()) {
        statuses.set(originalMessageId, statusCode);
        if (statuses.has("f-1") && statuses.has("f-2")) break;
      }
      expectEqual([statuses.get("f-1"), statuses.get("f-2")], ["Success", "Purged"]);
      await registry.deleteDevice("asleep");
    },
  },
  {
    name: "events of a device come, from the event hub that the hub names",
    async run({ registry }) {
      const { partitionIds } = await registry.getEventHubEndpoint();
      await registry.invokeDeviceMethod(DEVICE, { methodName: "sendTelemetry", payload: "21.5 °C" });
      for await (const event of registry.receiveEvents({ from: "earliest" })) {
        expectEqual([event.deviceId, event.text], [DEVICE, "21.5 °C"]);
        expectEqual(partitionIds.includes(event.partitionId), true);
        break;
      }
    },
  },
  {
    name: "a loop that waits for feedback is ended by a signal, and so is one for file notifications",
    async run({ registry }) {
      const wait = async (loop: AsyncIterableIterator<unknown>): Promise<void> => {
        while (!(await loop.next()).done);
      };
      const abortSignal = AbortSignal.timeout(300);
      const loops = [registry.receiveFeedback({ abortSignal }), registry.receiveFileNotifications({ abortSignal })];
      await Promise.all(loops.map((loop) => expectRejection(wait(loop), { name: "TimeoutError" })));
    },
  },
  {
    name: "bytes arrive as they are",
    async run({ registry }) {
      const bytes = Uint8Array.from({ length: 60_000 }, (_, index) => index % 251);
      await registry.sendC2dMessage(DEVICE, bytes);
      const { payload } = await registry.invokeDeviceMethod(DEVICE, { methodName: "nextDigest" });
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      expectEqual(payload, { length: bytes.length, digest: Array.from(digest) });
    },
  },
  {
    name: `${IN_FLIGHT} messages in flight are all accepted, and closing ends with nothing left`,
    async run({ registry, connect }) {
      const ids = Array.from({ length: IN_FLIGHT / QUEUE_LENGTH }, (_, index) => `queue-${index}`);
      await Promise.all(ids.map((id) => registry.createDeviceWithSas(id)));
      const other = connect();
      const messages = ids.flatMap((id) =>
        Array.from({ length: QUEUE_LENGTH }, (_, index) => [id, `n${index}`] as const)
      );
      await Promise.all(messages.map(([id, text]) => other.sendC2dMessage(id, text)));
      const counts = await Promise.all(ids.map((id) => registry.getDevice(id)));
      expectEqual(counts.map((device) => device.cloudToDeviceMessageCount), ids.map(() => QUEUE_LENGTH));
      await expectRejection(other.sendC2dMessage(ids[0]!, "one more"), { code: "DeviceMaximumQueueDepthExceeded" });
      await other.close();
      await expectRejection(other.sendC2dMessage(ids[0]!, "too late"), { code: "Closed" });
      await Promise.all(ids.map((id) => registry.deleteDevice(id)));
    },
  },
  {
    name: "what the hub refuses rejects with its code, and the connection goes on",
    async run({ registry }) {
      const facts = { name: "IoTHubError", code: "DeviceNotFound", operation: "sendC2dMessage" };
      await expectRejection(registry.sendC2dMessage("nobody", "hello"), facts);
      await registry.sendC2dMessage(DEVICE, "after that");
      const { payload } = await registry.invokeDeviceMethod(DEVICE, { methodName: "nextMessage" });
      expectEqual((payload as { text: string }).text, "after that");
    },
  },
  {
    name: "signals and closing end sends",
    async run({ registry, connect }) {
      const reason = new Error("not wanted any more");
      const sent = registry.sendC2dMessage(DEVICE, "never", {}, { abortSignal: AbortSignal.abort(reason) });
      await expectRejection(sent, { message: reason.message });
      const other = connect();
      const outcome = expectRejection(other.sendC2dMessage("nobody", "hello"), { name: "IoTHubError" });
      await Promise.all([outcome, other.close()]);
    },
  },
];
