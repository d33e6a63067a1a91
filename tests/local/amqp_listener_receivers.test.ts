import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BareReceiver, ListeningHub, textOf } from "../support/listening_hub.ts";
import { once } from "../support/local_amqp.ts";
import { MockedTime } from "../support/mocked_time.ts";

const FEEDBACK = "/messages/serviceBound/feedback";
const NOTIFICATIONS = "/messages/serviceBound/filenotifications";
const FILE = { blobName: "a.txt", blobSizeInBytes: 1 };

async function startHub(options = {}): Promise<ListeningHub> {
  const hub = await ListeningHub.start(options);
  await hub.rest.createDevices("d1");
  return hub;
}

describe("A receiver of feedback at the local hub", () => {
  test("gets a message in the form that every client library wants", async () => {
    const now = Date.now();
    await using hub = await startHub({ now: () => now });
    const receiver = new BareReceiver(await hub.connectAs("service"), FEEDBACK);
    await hub.makeFeedback("d1", "m-1");
    const received = await receiver.next();
    assert.equal(received.delivery.tag.byteLength, 16);
    const { content_type, user_id, message_annotations } = received.message;
    assert.equal(content_type, "application/vnd.microsoft.iothub.feedback.json");
    assert.equal(new TextDecoder().decode(user_id as unknown as Uint8Array), hub.hub.hostName);
    assert.equal(Number(message_annotations!["iothub-enqueuedtime"]), now);
    const [record] = JSON.parse(textOf(received));
    assert.equal(record.originalMessageId, "m-1");
    assert.equal(record.deviceId, "d1");
    assert.equal(record.statusCode, "Success");
  });

  test("that gives credit before there is a message gets it when it comes, and no other receiver does", async () => {
    await using hub = await startHub();
    const first = new BareReceiver(await hub.connectAs("service"), FEEDBACK);
    await first.opened;
    const second = new BareReceiver(await hub.connectAs("iothubowner"), FEEDBACK);
    await second.opened;
    await hub.makeFeedback("d1", "m-1");
    const winner = await Promise.race([first, second].map((receiver) => receiver.next().then(() => receiver)));
    const loser = winner === first ? second : first;
    await loser.close();
    assert.equal(loser.waiting, 0);
  });
});

describe("A receiver of file notifications at the local hub", () => {
  for (
    const address of [
      NOTIFICATIONS,
      "/messages/servicebound/fileuploadnotifications",
      "amqps://hub.example:5671/MESSAGES/SERVICEBOUND/FILENOTIFICATIONS",
    ]
  ) {
    test(`may have the address ${address}`, async () => {
      await using hub = await startHub();
      const receiver = new BareReceiver(await hub.connectAs("service"), address);
      hub.hub.device("d1").notifyFileUpload(FILE);
      const received = await receiver.next();
      assert.equal(receiver.link.source.address, address);
      assert.equal(received.message.content_type, "application/vnd.microsoft.iothub.filenotification.json");
      assert.equal(JSON.parse(textOf(received)).blobName, "d1/a.txt");
    });
  }

  test("needs the right ServiceConnect", async () => {
    await using hub = await startHub();
    for (const client of [hub.connect(), await hub.connectAs("device"), await hub.connectAs("registryReadWrite")]) {
      const { condition } = await new BareReceiver(client, NOTIFICATIONS).ended;
      assert.equal(condition, "amqp:unauthorized-access");
    }
  });

  test("gets as much as it gives credit for, and the rest when it gives more", async () => {
    await using hub = await startHub();
    for (let i = 0; i < 5; i++) hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName: `${i}` });
    const receiver = new BareReceiver(await hub.connectAs("service"), NOTIFICATIONS, { credit: 0 });
    await receiver.opened;
    receiver.link.add_credit(2);
    const names = [await receiver.next(), await receiver.next()].map((got) => JSON.parse(textOf(got)).blobName);
    assert.equal(receiver.waiting, 0);
    receiver.link.add_credit(10);
    for (let i = 0; i < 3; i++) names.push(JSON.parse(textOf(await receiver.next())).blobName);
    assert.deepEqual(names, ["d1/0", "d1/1", "d1/2", "d1/3", "d1/4"]);
  });

  test("that drains its credit gets what there is, and its credit back", async () => {
    await using hub = await startHub();
    hub.hub.device("d1").notifyFileUpload(FILE);
    const receiver = new BareReceiver(await hub.connectAs("service"), NOTIFICATIONS, { credit: 0 });
    await receiver.opened;
    const drained = once(receiver.link, "receiver_drained");
    receiver.link.add_credit(10);
    receiver.link.drain_credit();
    await drained;
    assert.equal(receiver.waiting, 1);
    hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName: "b" });
    receiver.link.drain = false;
    receiver.link.add_credit(1);
    await receiver.next();
    assert.equal(JSON.parse(textOf(await receiver.next())).blobName, "d1/b");
  });

  for (const rcv_settle_mode of [0, 1] as const) {
    test(`ends a message by accepting or rejecting it, in settle mode ${rcv_settle_mode}`, async () => {
      await using hub = await startHub();
      for (const blobName of ["0", "1", "2"]) hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName });
      const service = await hub.connectAs("service");
      const receiver = new BareReceiver(service, NOTIFICATIONS, { rcv_settle_mode });
      receiver.settle(await receiver.next(), "accept");
      receiver.settle(await receiver.next(), "reject");
      assert.equal(JSON.parse(textOf(await receiver.next())).blobName, "d1/2");
      await receiver.close();
      const next = new BareReceiver(service, NOTIFICATIONS, { rcv_settle_mode });
      assert.equal(JSON.parse(textOf(await next.next())).blobName, "d1/2");
    });

    test(`gets a message again, until the tenth time, by releasing it in settle mode ${rcv_settle_mode}`, async () => {
      await using hub = await startHub();
      hub.hub.device("d1").notifyFileUpload(FILE);
      const receiver = new BareReceiver(await hub.connectAs("service"), NOTIFICATIONS, { rcv_settle_mode });
      const tags = new Set<string>();
      for (let i = 0; i < 10; i++) {
        const { delivery } = await receiver.next();
        tags.add(String(delivery.tag));
        if (i % 2 === 0) delivery.release();
        else delivery.modified({ delivery_failed: true, undeliverable_here: false });
      }
      assert.equal(tags.size, 10);
      hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName: "b" });
      assert.equal(JSON.parse(textOf(await receiver.next())).blobName, "d1/b");
    });
  }

  test("that goes leaves what it has not settled to the next one, without counting", async () => {
    await using hub = await startHub();
    hub.hub.device("d1").notifyFileUpload(FILE);
    for (let i = 0; i < 12; i++) {
      const service = await hub.connectAs("service");
      const receiver = new BareReceiver(service, NOTIFICATIONS);
      await receiver.next();
      if (i % 3 === 0) await receiver.close();
      else if (i % 3 === 1) await service[Symbol.asyncDispose]();
      else {
        const closed = once(service.connection, "session_close");
        receiver.link.session.close();
        await closed;
      }
    }
  });

  test("with settle mode second is told that each outcome is settled, and of a lost lock", async () => {
    let now = Date.now();
    await using hub = await startHub({ now: () => now });
    const receiver = new BareReceiver(await hub.connectAs("service"), NOTIFICATIONS, { rcv_settle_mode: 1 });
    for (const blobName of ["0", "1", "2"]) hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName });
    const [first, second, third] = [await receiver.next(), await receiver.next(), await receiver.next()];
    assert.equal(receiver.link.rcv_settle_mode, 1);
    const outcomes = new Map<unknown, string | undefined>();
    const settled = new Promise<void>((resolve) =>
      receiver.link.on("settled", ({ delivery }) => {
        outcomes.set(delivery, delivery!.remote_state?.error?.condition);
        if (outcomes.size === 2) resolve();
      })
    );
    first.delivery.accept();
    await once(receiver.link, "settled");
    now += 60_000;
    second.delivery.accept();
    await settled;
    assert.equal(outcomes.get(first.delivery), undefined);
    assert.equal(outcomes.get(second.delivery), "com.microsoft:message-lock-lost");
    assert.equal(outcomes.has(third.delivery), false);
    assert.equal(JSON.parse(textOf(await receiver.next())).blobName, "d1/1");
  });

  test("takes thousands of messages on one link, in either settle mode", async () => {
    await using hub = await startHub();
    for (const rcv_settle_mode of [0, 1] as const) {
      const count = 2500; // more than the library keeps of unsettled ones
      const receiver = new BareReceiver(await hub.connectAs("service"), NOTIFICATIONS, { credit: 0, rcv_settle_mode });
      await receiver.opened;
      receiver.link.add_credit(count);
      for (let i = 0; i < count; i++) hub.hub.device("d1").notifyFileUpload({ ...FILE, blobName: `${i}` });
      for (let i = 0; i < count; i++) {
        const received = await receiver.next();
        assert.equal(JSON.parse(textOf(received)).blobName, `d1/${i}`);
        received.delivery.accept();
      }
      await receiver.close();
    }
  });

  test("ends with its token by the hub's clock, and so does its lock on a message", async () => {
    let now = Date.now();
    await using hub = await startHub({ now: () => now });
    const service = await hub.connectAs("service", { se: Math.floor(now / 1000) + 60 });
    const receiver = new BareReceiver(service, NOTIFICATIONS);
    hub.hub.device("d1").notifyFileUpload(FILE);
    const { delivery } = await receiver.next();
    now += 61_000;
    delivery.accept();
    assert.equal((await receiver.ended).condition, "amqp:unauthorized-access");
    const later = await hub.connectAs("service", { se: Math.floor(now / 1000) + 60 });
    await new BareReceiver(later, NOTIFICATIONS).next();
  });

  test("ends by itself when its token expires", async () => {
    using time = new MockedTime();
    await using hub = await startHub();
    const se = Math.floor(Date.now() / 1000) + 60;
    const receiver = new BareReceiver(await hub.connectAs("service", { se }), NOTIFICATIONS);
    await receiver.opened;
    assert.equal((await time.settle(receiver.ended, 1_000)).condition, "amqp:unauthorized-access");
    assert.ok(Date.now() >= se * 1000);
  });
});
