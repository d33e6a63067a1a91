import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EventContext, Receiver } from "rhea";
import { EventReceivers } from "../../lib/local/amqp/event_receivers.ts";
import { EventLog } from "../../lib/local/events/event_log.ts";
import { HubStorage } from "../../lib/local/storage/hub_storage.ts";
import { BareClient, startHub } from "../support/local_amqp.ts";

const EVENTS = 50;

/** The events of one device, in one partition. */
function logOf(count: number): EventLog {
  const log = new EventLog({
    now: Date.now,
    partitions: 1,
    retention: { maxEvents: count, maxAgeInMs: Infinity },
    report: (error) => assert.ifError(error),
    storage: new HubStorage(),
  });
  for (let index = 0; index < count; index++) {
    log.append({
      source: "Telemetry",
      deviceId: "d",
      moduleId: undefined,
      receivedTime: 0,
      // Each third takes two frames.
      message: { to: "", properties: {}, data: new Uint8Array(index % 3 === 0 ? 100_000 : 10) },
      stamps: {},
    });
  }
  return log;
}

/** Reads all events in one session, which takes no more frames than are announced. */
async function readAll(port: number, incoming: number, options: Record<string, unknown>): Promise<number[]> {
  await using client = new BareClient(port, { max_frame_size: 65_536 });
  await client.putToken();
  const session = client.connection.create_session(
    { incoming } as unknown as Parameters<
      typeof client.connection.create_session
    >[0],
  );
  session.begin();
  const receiver = session.open_receiver(
    {
      source: { address: "myhub/ConsumerGroups/$Default/Partitions/0" },
      credit_window: 0,
      ...options,
    } as unknown as Parameters<typeof session.open_receiver>[0],
  ) as Receiver;
  const numbers: number[] = [];
  const all = new Promise<void>((resolve, reject) => {
    receiver.on("receiver_error", () => reject(receiver.error));
    receiver.on("message", ({ message, delivery }: EventContext) => {
      if (delivery!.remote_settled) delivery!.update(true, undefined as never);
      if (numbers.push(message!.message_annotations!["x-opt-sequence-number"]) === EVENTS) resolve();
    });
  });
  receiver.add_credit(EVENTS);
  await all;
  return numbers;
}

describe("A link that reads events", () => {
  for (const incoming of [3, 7, 2_048]) {
    for (const [how, options] of [["settled", { snd_settle_mode: 1, autoaccept: false }], ["accepted", {}]] as const) {
      test(`gets all in order, though its session takes ${incoming} frames at a time; ${how}`, async () => {
        const eventHub = { name: "myhub", createdTime: 0, log: logOf(EVENTS), receivers: new EventReceivers() };
        await using hub = await startHub({
          eventHub,
          verifyToken: () => Promise.resolve({ expiresOn: Date.now() + 3_600_000, rights: new Set(["Listen"]) }),
        });
        const numbers = await readAll(hub.listener.port, incoming, options);
        assert.deepEqual(numbers, Array.from({ length: EVENTS }, (_, index) => index));
      });
    }
  }
});
