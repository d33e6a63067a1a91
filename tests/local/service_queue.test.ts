import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utcTime } from "../../lib/local/hub_time.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { MessagingHub } from "../support/messaging_hub.ts";

const MINUTE = 60_000;

describe("the queue to back ends", () => {
  test("tells its listeners of messages that are new, abandoned, unlocked or were locked for too long", () => {
    using hub = new MessagingHub();
    const queue = hub.state.fileNotifications;
    let told = 0;
    const stop = queue.onMessage(() => told++);
    queue.add("text/plain", "1", hub.now);
    assert.equal(told, 1);
    const first = queue.lockNext(hub.now)!;
    assert.deepEqual([first.contentType, first.body, first.enqueuedTime], ["text/plain", "1", hub.now]);
    queue.abandon(first.lockToken, hub.now);
    assert.equal(told, 2);
    const second = queue.lockNext(hub.now)!;
    assert.deepEqual([first.deliveryCount, second.deliveryCount], [0, 1]);
    queue.unlock(second.lockToken);
    assert.equal(told, 3);
    const third = queue.lockNext(hub.now)!;
    assert.equal(third.deliveryCount, 1);
    hub.tick(MINUTE);
    assert.equal(queue.complete(third.lockToken, hub.now), false);
    hub.state.alarm.ring();
    assert.equal(told, 4);
    stop();
    queue.add("text/plain", "2", hub.now);
    assert.equal(told, 4);
  });
});

describe("the upload of a file", () => {
  test("is told to back ends, with a place and a time of the hub's own where none are given", () => {
    using hub = new MessagingHub();
    hub.device().notifyFileUpload({ blobName: "logs/week 1.txt", blobSizeInBytes: 17 });
    const { contentType, body, enqueuedTime } = hub.state.fileNotifications.lockNext(hub.now)!;
    const now = utcTime(hub.now);
    assert.equal(contentType, "application/vnd.microsoft.iothub.filenotification.json");
    assert.equal(enqueuedTime, hub.now);
    assert.deepEqual(JSON.parse(body), {
      deviceId: "d",
      blobUri: "https://storage.localhost/uploads/d/logs/week%201.txt",
      blobName: "d/logs/week 1.txt",
      lastUpdatedTime: now,
      blobSizeInBytes: 17,
      enqueuedTimeUtc: now,
    });
  });

  test("is told with the place and the time that the device names", () => {
    using hub = new MessagingHub();
    const lastUpdatedTime = new Date(0);
    const blobUri = "https://elsewhere.example/x";
    hub.device().notifyFileUpload({ blobName: "x", blobSizeInBytes: 0, blobUri, lastUpdatedTime });
    const notification = JSON.parse(hub.state.fileNotifications.lockNext(hub.now)!.body);
    assert.deepEqual([notification.blobUri, notification.lastUpdatedTime], [blobUri, "1970-01-01T00:00:00Z"]);
  });

  test("is refused without a name or a size, for a module, and for a device that the hub does not know", async () => {
    await using hub = new LocalHub();
    using known = new MessagingHub();
    const upload = { blobName: "x", blobSizeInBytes: 1 };
    assert.throws(() => hub.device("d").notifyFileUpload(upload), { code: "DeviceNotFound" });
    assert.throws(() => hub.device("d").module("m").notifyFileUpload(upload), TypeError);
    const wrong: [members: object, error: string][] = [
      [{ blobName: "" }, "RangeError: Cannot use blobName: it must be a string that is not empty"],
      [{ blobName: undefined }, "TypeError: Cannot use blobName: it must be a string, got undefined"],
      [{ blobUri: 1 }, "TypeError: Cannot use blobUri: it must be a string, got a number"],
      [{ lastUpdatedTime: 1 }, "TypeError: Cannot use lastUpdatedTime: it must be a Date, got a number"],
      [{ lastUpdatedTime: new Date(NaN) }, "RangeError: Cannot use lastUpdatedTime: it must be a valid date"],
    ];
    for (const size of [-1, 1.5, NaN]) {
      const rule = "it must be a whole number of bytes, 0 or more";
      wrong.push([{ blobSizeInBytes: size }, `RangeError: Cannot use blobSizeInBytes ${size}: ${rule}`]);
    }
    for (const [members, error] of wrong) {
      const isRight = (thrown: unknown): boolean => String(thrown) === error;
      assert.throws(() => known.device().notifyFileUpload({ ...upload, ...members }), isRight, error);
    }
  });
});
