import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CloudMessage } from "../../lib/local/messages/cloud_message.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import { LocalDevice } from "../../lib/local/devices/local_device.ts";
import { type HubFault, LocalHub, type LocalMessage } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { RestCaller } from "../support/rest_caller.ts";

describe("cloud-to-device messages", () => {
  interface Messaging extends AsyncDisposable {
    hub: LocalHub;
    rest: RestCaller;
    registry: IoTHubRegistryManager;
    tick(milliseconds: number): void;
  }

  async function messaging(): Promise<Messaging> {
    let ahead = 0;
    const hub = new LocalHub({ now: () => Date.now() + ahead, clockSkewInSeconds: 1e9 });
    const rest = new RestCaller(hub);
    await rest.createDevices("d");
    await rest.do("PUT", "/devices/off", { deviceId: "off", status: "disabled" });
    const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    return {
      hub,
      rest,
      registry,
      tick: (milliseconds) => ahead += milliseconds,
      [Symbol.asyncDispose]: async () => {
        await registry.close();
        await hub.close();
      },
    };
  }

  /** The next messages of a device, each completed at once. */
  function receive(hub: LocalHub, count: number): Promise<LocalMessage[]> {
    const messages: LocalMessage[] = [];
    return new Promise((resolve) => {
      hub.device("d").onMessage((message) => {
        if (messages.push(message) === count) resolve(messages);
      });
    });
  }

  async function countOf(rest: RestCaller): Promise<number> {
    return (await rest.do("GET", "/devices/d")).cloudToDeviceMessageCount;
  }

  test("wait in order for the device and are gone when it has handled them", async () => {
    await using all = await messaging();
    for (const text of ["one", "two", "three"]) await all.registry.sendC2dMessage("d", text);
    assert.equal(await countOf(all.rest), 3);
    assert.equal((await all.rest.do("GET", "/twins/d")).cloudToDeviceMessageCount, 3);
    const messages = await receive(all.hub, 3);
    assert.deepEqual(messages.map(({ text }) => text), ["one", "two", "three"]);
    assert.deepEqual(messages.map(({ sequenceNumber }) => sequenceNumber), [1, 2, 3]);
    assert.deepEqual(messages.map(({ deliveryCount }) => deliveryCount), [0, 0, 0]);
    await all.registry.getServiceStatistics();
    assert.equal(await countOf(all.rest), 0);
  });

  test("carry their bytes and properties", async () => {
    await using all = await messaging();
    const received = receive(all.hub, 1);
    const expiryTimeUtc = new Date(Date.now() + 60_000);
    await all.registry.sendC2dMessage("d", Uint8Array.of(0, 255, 1), {
      messageId: "m1",
      correlationId: "c1",
      contentType: "application/octet-stream",
      contentEncoding: "none",
      userId: "me",
      ack: "full",
      expiryTimeUtc,
      colour: "red",
    });
    const [message] = await received;
    const { messageId, correlationId, contentType, contentEncoding, userId, ack, properties, to } = message!;
    assert.deepEqual([...message!.data], [0, 255, 1]);
    assert.deepEqual(
      [messageId, correlationId, contentType, contentEncoding, userId, ack],
      ["m1", "c1", "application/octet-stream", "none", "me", "full"],
    );
    assert.deepEqual(properties, { colour: "red" });
    assert.equal(message!.expiryTimeUtc.getTime(), expiryTimeUtc.getTime());
    assert.equal(to, "/devices/d/messages/devicebound");
  });

  test("come one at a time, the next when the one before is handled", async () => {
    await using all = await messaging();
    for (let i = 0; i < 5; i++) await all.registry.sendC2dMessage("d", String(i));
    let running = 0;
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      all.hub.device("d").onMessage(async ({ text }) => {
        assert.equal(++running, 1);
        await all.registry.getServiceStatistics();
        running--;
        if (seen.push(text) === 5) resolve();
      });
    });
    assert.deepEqual(seen, ["0", "1", "2", "3", "4"]);
  });

  test("that a device cannot handle come again ten times in all, before the next one", async () => {
    await using all = await messaging();
    await all.registry.sendC2dMessage("d", "bad");
    await all.registry.sendC2dMessage("d", "good");
    const seen: [string, number][] = [];
    await new Promise<void>((resolve) => {
      all.hub.device("d").onMessage(({ text, deliveryCount }) => {
        seen.push([text, deliveryCount]);
        if (text === "bad") throw new Error("cannot");
        resolve();
      });
    });
    assert.deepEqual(seen, [...Array.from({ length: 10 }, (_, i) => ["bad", i]), ["good", 0]]);
    await all.registry.getServiceStatistics();
    assert.equal(await countOf(all.rest), 0);
  });

  test("that a device was handling when it left come again without counting", async () => {
    await using all = await messaging();
    await all.registry.sendC2dMessage("d", "x");
    const device = all.hub.device("d");
    let finish = () => {};
    await new Promise<void>((resolve) => {
      device.onMessage(() => {
        resolve();
        return new Promise<void>((done) => finish = done);
      });
    });
    device.disconnect();
    let finishAgain = () => {};
    const again = await new Promise<LocalMessage>((resolve) => {
      device.onMessage((message) => {
        resolve(message);
        return new Promise<void>((done) => finishAgain = done);
      });
    });
    assert.deepEqual([again.text, again.deliveryCount], ["x", 0]);
    finish();
    await all.registry.getServiceStatistics();
    assert.equal(await countOf(all.rest), 1);
    finishAgain();
    await all.registry.getServiceStatistics();
    assert.equal(await countOf(all.rest), 0);
  });

  test("that come while the last one is being settled are not left lying", async () => {
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    state.devices.create("d", {});
    const device = new LocalDevice(state, "d");
    const message = { to: "", properties: {}, data: new Uint8Array(1) };
    for (let microtasks = 0; microtasks < 10; microtasks++) {
      let count = 0;
      const both = new Promise<void>((resolve) => {
        device.onMessage(() => {
          if (++count === 2) return resolve();
          // The second message comes a few microtasks after the handler of the first has returned.
          let later = Promise.resolve();
          for (let i = 0; i < microtasks; i++) later = later.then(() => {});
          later.then(() => state.queues.enqueue({ deviceId: "d" }, message));
        });
      });
      state.queues.enqueue({ deviceId: "d" }, message);
      await both;
      await new Promise((resolve) => setTimeout(resolve));
    }
  });

  test("that take longer than a minute to handle are taken for lost", async () => {
    await using all = await messaging();
    await all.registry.sendC2dMessage("d", "slow");
    let runs = 0;
    await new Promise<void>((resolve) => {
      all.hub.device("d").onMessage(({ deliveryCount }) => {
        assert.equal(deliveryCount, 0);
        if (++runs === 2) return resolve();
        all.tick(60_001);
      });
    });
    assert.equal(runs, 2);
  });

  test("expire after an hour, or when they say", async () => {
    await using all = await messaging();
    await all.registry.sendC2dMessage("d", "default");
    await all.registry.sendC2dMessage("d", "short", { expiryTimeUtc: Date.now() + 60_000 });
    all.tick(61_000);
    assert.equal(await countOf(all.rest), 1);
    all.tick(3_600_000);
    assert.equal(await countOf(all.rest), 0);
  });

  test("are 50 at most, and a purge tells how many it dropped", async () => {
    await using all = await messaging();
    for (let i = 0; i < 50; i++) await all.registry.sendC2dMessage("d", String(i));
    await assert.rejects(all.registry.sendC2dMessage("d", "51"), { errorNumber: 403004 });
    const purged = { totalMessagesPurged: 50, deviceId: "d", moduleId: null };
    assert.deepEqual(await all.rest.do("DELETE", "/devices/d/commands"), purged);
    assert.equal((await all.rest.do("DELETE", "/devices/d/commands")).totalMessagesPurged, 0);
    await all.rest.fails([404, "DeviceNotFound"], "DELETE", "/devices/none/commands");
  });

  test("are refused for a device that is not there or is disabled", async () => {
    await using all = await messaging();
    await assert.rejects(all.registry.sendC2dMessage("none", "x"), { code: "DeviceNotFound" });
    await assert.rejects(all.registry.sendC2dMessage("off", "x"), { code: "DeviceNotFound" });
  });

  const NOW = Date.UTC(2026, 0, 1);
  const DAY = 24 * 60 * 60 * 1000;
  const RULES: [what: string, message: Partial<CloudMessage>, code: HubFault["code"] | undefined][] = [
    ["64 KB in all", { data: new Uint8Array(65_536) }, undefined],
    ["a byte more", { data: new Uint8Array(65_536 + 1) }, "MessageTooLarge"],
    ["properties that make it too large", {
      data: new Uint8Array(65_000),
      properties: { a: "x".repeat(536) },
    }, "MessageTooLarge"],
    ["an expiry in two days", { expiryTime: NOW + 2 * DAY }, undefined],
    ["an expiry after that", { expiryTime: NOW + 2 * DAY + 1 }, "InvalidMessageExpiryTime"],
    ["an expiry that has passed", { expiryTime: NOW }, "InvalidMessageExpiryTime"],
    ["a message id of 128 characters", { messageId: "x".repeat(128) }, undefined],
    ["a longer message id", { messageId: "x".repeat(129) }, "ArgumentInvalid"],
    ["an unknown kind of feedback", { ack: "maybe" }, "ArgumentInvalid"],
  ];
  for (const [what, message, code] of RULES) {
    test(`with ${what} are ${code === undefined ? "taken" : `refused with ${code}`}, for a module as for a device`, () => {
      const hub = new HubState({ hostName: "hub.example", now: () => NOW, clockSkew: 0 });
      const device = hub.devices.create("d", {});
      const module = hub.modules.create(device, "m", {});
      for (const target of [{ deviceId: "d" }, { deviceId: "d", moduleId: "m" }]) {
        const send = () =>
          hub.queues.enqueue(target, { to: "/d/m", properties: {}, data: new Uint8Array(1), ...message });
        if (code === undefined) send();
        else assert.throws(send, { name: "HubFault", code });
      }
      const count = code === undefined ? 1 : 0;
      assert.deepEqual([hub.queues.count(device), hub.queues.count(module)], [count, count]);
      assert.throws(
        () => hub.queues.enqueue({ deviceId: "d", moduleId: "n" }, { to: "", properties: {}, data: new Uint8Array() }),
        {
          code: "ModuleNotFound",
        },
      );
    });
  }
});
