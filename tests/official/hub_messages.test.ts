import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import type { LocalMessage } from "../../lib/local/mod.ts";
import type { Json } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { failureOf, SdkAtHub, type SdkTransport } from "../support/sdk_at_hub.ts";
import { describeSdk } from "../support/sdk_runtime.ts";

const TRANSPORTS: readonly SdkTransport[] = ["Amqp", "AmqpWs"];

/** What comes of the messages that a device has received. */
class Inbox {
  readonly #messages: LocalMessage[] = [];
  #wake = (): void => {};

  put(message: LocalMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  async take(): Promise<LocalMessage> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#messages.shift()!;
  }
}

describeSdk("scenarios of the SDK's messages", () => {
  let sdk: SdkAtHub;
  let registry: Json;
  before(async () => {
    sdk = await SdkAtHub.start();
    registry = sdk.registry();
  });
  after(() => sdk[Symbol.asyncDispose]());

  /** Makes a device of a test's own, with the messages that it completes. */
  async function connect(deviceId: string): Promise<Inbox> {
    await registry.create({ deviceId });
    const inbox = new Inbox();
    sdk.hub.device(deviceId).onMessage((message) => inbox.put(message));
    return inbox;
  }

  /** How many messages wait for a device. */
  async function waitingFor(deviceId: string): Promise<number> {
    return (await registry.get(deviceId)).responseBody.cloudToDeviceMessageCount;
  }

  for (const transport of TRANSPORTS) {
    describe(`The SDK's messages at the local hub, over ${transport}`, () => {
      let client: Json;
      before(() => client = sdk.client(transport));

      test("arrive: texts, bytes and nothing at all", async () => {
        const inbox = await connect(`${transport}-bodies`);
        const bodies = ["Grüße, 世界", Buffer.from([0, 1, 254, 255]), "x".repeat(60_000)];
        for (const body of [...bodies, sdk.message("")]) await client.send(`${transport}-bodies`, body);
        for (const body of [...bodies, ""]) assert.deepEqual(Buffer.from((await inbox.take()).data), Buffer.from(body));
      });

      test("arrive with their properties", async () => {
        const inbox = await connect(`${transport}-properties`);
        const message = sdk.message("{}");
        const own = {
          messageId: "m-1",
          correlationId: "c-1",
          contentType: "application/json",
          contentEncoding: "utf-8",
        };
        Object.assign(message, own, { ack: "none", expiryTimeUtc: Date.now() + 60_000 });
        message.properties.add("priority", "5");
        message.properties.add("Größe", "groß");
        await client.send(`${transport}-properties`, message);
        const received = await inbox.take();
        const { messageId, correlationId, contentType, contentEncoding, properties } = received;
        assert.deepEqual({ messageId, correlationId, contentType, contentEncoding }, own);
        assert.deepEqual(properties, { priority: "5", Größe: "groß" });
      });

      test("arrive with an id that the SDK sends as a UUID", async () => {
        const inbox = await connect(`${transport}-uuid`);
        const message = sdk.message("");
        message.messageId = crypto.randomUUID();
        await client.send(`${transport}-uuid`, message);
        assert.equal((await inbox.take()).messageId, message.messageId);
      });

      test("arrive at a device whose id has every legal character", async () => {
        const deviceId = `${transport}-:.+%_#*?!(),=@;$'`;
        const inbox = await connect(deviceId);
        await client.send(deviceId, "hello");
        assert.equal((await inbox.take()).text, "hello");
      });

      test("arrive in their order, sent at once", async () => {
        const inbox = await connect(`${transport}-many`);
        const texts = Array.from({ length: 50 }, (_, index) => `${index}`);
        await Promise.all(texts.map((text) => client.send(`${transport}-many`, text)));
        const received: string[] = [];
        while (received.length < texts.length) received.push((await inbox.take()).text);
        assert.deepEqual(received, texts);
      });

      test("wait for a device that is not connected, 50 at most", async () => {
        const deviceId = `${transport}-offline`;
        await registry.create({ deviceId });
        for (let sent = 0; sent < 50; sent++) await client.send(deviceId, `${sent}`);
        assert.equal(await waitingFor(deviceId), 50);
        assert.deepEqual(await failureOf(client.send(deviceId, "one too many")), [
          "DeviceMaximumQueueDepthExceededError",
        ]);
      });

      test("to nobody, too large or late are refused, and those that follow arrive", async () => {
        const inbox = await connect(`${transport}-after`);
        const late = sdk.message("late");
        late.expiryTimeUtc = Date.now() - 60_000;
        assert.deepEqual(await failureOf(client.send("nobody", "hello")), ["DeviceNotFoundError"]);
        assert.deepEqual(await failureOf(client.send(`${transport}-after`, "x".repeat(65_537))), [
          "MessageTooLargeError",
        ]);
        assert.deepEqual(await failureOf(client.send(`${transport}-after`, late)), ["ArgumentOutOfRangeError"]);
        await client.send(`${transport}-after`, "in time");
        assert.equal((await inbox.take()).text, "in time");
      });

      test("to a disabled device are refused", async () => {
        await registry.create({ deviceId: `${transport}-disabled`, status: "disabled" });
        assert.deepEqual(await failureOf(client.send(`${transport}-disabled`, "hello")), ["DeviceNotFoundError"]);
      });

      test("go on when the connection was closed, and when it was cut", async () => {
        const inbox = await connect(`${transport}-again`);
        await client.send(`${transport}-again`, "first");
        await client.close();
        await client.send(`${transport}-again`, "second");
        const disconnected = once(client, "disconnect");
        await client.open();
        sdk.hub.faults.drop();
        await disconnected;
        await client.send(`${transport}-again`, "third");
        const received = [await inbox.take(), await inbox.take(), await inbox.take()].map(({ text }) => text);
        assert.deepEqual(received, ["first", "second", "third"]);
      });

      test("go by a ready-made token, and by a token credential", async () => {
        const inbox = await connect(`${transport}-tokens`);
        const host = sdk.hub.connectionString.match(/HostName=([^;]+)/)![1]!;
        const token = signSas({ connectionString: sdk.hub.connectionStringFor("service") });
        const clients = [
          sdk.client(transport, (factories, protocol) => factories.fromSharedAccessSignature(token, protocol)),
          sdk.client(
            transport,
            (factories, protocol) => factories.fromTokenCredential(host, sdk.hub.tokenCredential(), protocol),
          ),
        ];
        for (const [index, other] of clients.entries()) {
          await other.send(`${transport}-tokens`, `${index}`);
          assert.equal((await inbox.take()).text, `${index}`);
        }
      });

      test("are refused without the right to send, and with a key that is not the hub's", async () => {
        const by = (connectionString: string): Json =>
          sdk.client(transport, (factories, protocol) => factories.fromConnectionString(connectionString, protocol));
        const writer = by(sdk.hub.connectionStringFor("registryReadWrite"));
        assert.deepEqual(await failureOf(writer.send("nobody", "hello")), ["UnauthorizedError"]);
        const key = btoa("x".repeat(32));
        const stranger = by(sdk.hub.connectionString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${key}`));
        // The SDK puts its own error into one without a class.
        await assert.rejects(stranger.open(), ({ amqpError }: Json) => amqpError.name === "UnauthorizedError");
      });
    });

    describe(`The SDK's receivers at the local hub, over ${transport}`, () => {
      let client: Json;
      before(() => client = sdk.client(transport));
      after(() => client.close());

      /** Sends a message that asks for feedback. */
      async function sendAsking(deviceId: string, messageId: string, fields: object = {}): Promise<void> {
        const message = Object.assign(sdk.message("?"), { messageId, ack: "full" }, fields);
        await client.send(deviceId, message);
      }

      /** Collects feedback until there is some on every message that is named. */
      async function feedbackOn(messageIds: string[]): Promise<Map<string, Json>> {
        const { result: receiver } = await client.getFeedbackReceiver();
        const found = new Map<string, Json>();
        while (!messageIds.every((id) => found.has(id))) {
          const [message] = await once(receiver, "message");
          for (const record of JSON.parse(message.getData().toString())) found.set(record.originalMessageId, record);
        }
        return found;
      }

      test("give feedback on messages that were completed, and on those that were rejected", async () => {
        const [good, bad] = [`${transport}-completes`, `${transport}-rejects`];
        await registry.create({ deviceId: good });
        await registry.create({ deviceId: bad });
        sdk.hub.device(good).onMessage(() => {});
        sdk.hub.device(bad).onMessage(() => "reject");
        const ids = [`${transport}-good`, `${transport}-bad`];
        const feedback = feedbackOn(ids);
        await sendAsking(good, ids[0]!);
        await sendAsking(bad, ids[1]!);
        const found = await feedback;
        assert.deepEqual(ids.map((id) => [found.get(id).deviceId, found.get(id).statusCode]), [
          [good, "Success"],
          [bad, "Rejected"],
        ]);
        const { responseBody } = await registry.get(good);
        assert.equal(found.get(ids[0]!).deviceGenerationId, responseBody.generationId);
      });

      test("give feedback on messages that have expired, and none where none was asked for", async () => {
        const deviceId = `${transport}-expires`;
        await registry.create({ deviceId });
        const ids = [`${transport}-expired`];
        const feedback = feedbackOn(ids);
        await sendAsking(deviceId, `${transport}-unasked`, { ack: "positive", expiryTimeUtc: Date.now() + 300 });
        await sendAsking(deviceId, ids[0]!, { expiryTimeUtc: Date.now() + 300 });
        const found = await feedback;
        assert.equal(found.get(ids[0]!).statusCode, "Expired");
        assert.equal(found.has(`${transport}-unasked`), false);
      });

      test("give feedback that can be completed", async () => {
        const deviceId = `${transport}-settles`;
        await connect(deviceId);
        const { result: receiver } = await client.getFeedbackReceiver();
        const received = once(receiver, "message");
        await sendAsking(deviceId, `${transport}-settled`);
        const [message] = await received;
        await receiver.complete(message);
        await receiver.detach();
      });

      test("tell of uploads", async () => {
        const deviceId = `${transport}-uploads`;
        await registry.create({ deviceId });
        const { result: receiver } = await client.getFileNotificationReceiver();
        const received = once(receiver, "message");
        sdk.hub.device(deviceId).notifyFileUpload({ blobName: "logs/1.txt", blobSizeInBytes: 7 });
        const [message] = await received;
        const notification = JSON.parse(message.getData().toString());
        assert.deepEqual([notification.deviceId, notification.blobName, notification.blobSizeInBytes], [
          deviceId,
          `${deviceId}/logs/1.txt`,
          7,
        ]);
        await receiver.complete(message);
      });
    });
  }
});
