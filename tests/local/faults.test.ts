import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Delivery, Sender } from "rhea";
import { LocalHub } from "../../lib/local/mod.ts";
import { webSocketOptions } from "../support/bare_web_socket.ts";
import { HubWatch } from "../support/hub_watch.ts";
import { BareReceiver, ListeningHub } from "../support/listening_hub.ts";
import { BareClient, once, outcomeOf, TO } from "../support/local_amqp.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { isOpen } from "../support/ports.ts";
import { signSas } from "../support/sas.ts";

const FEEDBACK = "/messages/servicebound/feedback";
const DEVICEBOUND = "/messages/devicebound";

async function startHub(): Promise<ListeningHub> {
  const hub = await ListeningHub.start();
  await hub.rest.createDevices("d1");
  return hub;
}

async function queuedAt(hub: ListeningHub): Promise<number> {
  return (await hub.rest.do("GET", "/devices/d1")).cloudToDeviceMessageCount;
}

/** The outcome of a message, by the name of its event. */
function send(sender: Sender): Promise<[outcome: string, delivery: Delivery]> {
  // The library reports "modified" as "released" too.
  const delivery: Delivery = sender.send({ to: TO, body: "?" } as never);
  return new Promise((resolve) => {
    for (const outcome of ["accepted", "rejected", "modified", "released"]) {
      sender.on(outcome, (context) => context.delivery === delivery && resolve([outcome, delivery]));
    }
  });
}

function conditionOf(delivery: Delivery): string | undefined {
  return delivery.remote_state?.["error"]?.condition;
}

/** A hub with one client on each kind of port. */
async function connectEverywhere(hub: LocalHub): Promise<BareClient[]> {
  const { amqp, amqps, ws, wss, certificate } = await hub.listen({ amqp: 0, amqps: 0, http: 0, https: 0 });
  return [
    new BareClient(portOf(amqp)),
    new BareClient(portOf(amqps), { transport: "tls", servername: "localhost", ca: certificate }),
    new BareClient(0, webSocketOptions(ws!)),
    new BareClient(0, webSocketOptions(wss!.replace("127.0.0.1", "localhost"), certificate)),
  ];
}

function portOf(address: string | undefined): number {
  return Number(address!.split(":").at(-1));
}

describe("hub.faults.drop()", () => {
  test("cuts every connection without a word, whatever carries it, and takes new ones", async () => {
    await using hub = new LocalHub();
    const clients = await connectEverywhere(hub);
    const body = signSas({ connectionString: hub.connectionString });
    for (const client of clients) await client.putToken({ body });
    const closed: unknown[] = [];
    for (const { connection } of clients) connection.on("connection_close", () => closed.push(connection));
    const gone = clients.map(({ connection }) => once(connection, "disconnected"));
    hub.faults.drop();
    await Promise.all(gone);
    assert.deepEqual(closed, []);
    for (const client of await connectEverywhere(hub)) {
      assert.equal((await client.putToken({ body }))[0], 200);
      await client[Symbol.asyncDispose]();
    }
  });

  test("gives back what a receiver had locked", async () => {
    await using hub = await startHub();
    await hub.makeFeedback("d1", "m-1");
    await new BareReceiver(await hub.connectAs("service"), FEEDBACK).next();
    hub.hub.faults.drop();
    await new BareReceiver(await hub.connectAs("service"), FEEDBACK).next();
  });
});

describe("hub.faults.stall()", () => {
  test("holds back every word, whatever carries it, until resume()", async () => {
    await using hub = new LocalHub();
    const clients = await connectEverywhere(hub);
    const body = signSas({ connectionString: hub.connectionString });
    for (const client of clients) await client.putToken({ body });
    hub.faults.stall();
    let answers = 0;
    const answered = clients.map((client) => client.putToken({ body }).then(() => answers++));
    const fresh = await connectEverywhere(hub);
    answered.push(...fresh.map((client) => client.putToken({ body }).then(() => answers++)));
    await turns(50);
    assert.equal(answers, 0);
    hub.faults.resume();
    await Promise.all(answered);
    for (const client of [...clients, ...fresh]) await client[Symbol.asyncDispose]();
  });

  test("lets the hub do what it is told: a message is queued, and its outcome comes later", async () => {
    await using hub = await startHub();
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    hub.hub.faults.stall();
    const watch = new HubWatch(hub.hub);
    const outcome = send(sender);
    await watch.until({ kind: "message", change: "queued", deviceId: "d1" });
    hub.hub.faults.resume();
    assert.equal((await outcome)[0], "accepted");
  });

  test("gives no sign of life, which a client with a limit notices", async () => {
    using time = new MockedTime();
    await using hub = await startHub();
    const client = hub.connect({ idle_time_out: 25_000 });
    await client.putToken();
    await time.passInSteps(70_000, 2_000);
    assert.ok(client.connection.is_open());
    hub.hub.faults.stall();
    await time.settle(once(client.connection, "disconnected"), 2_000);
  });

  test("ends with the connection: nothing is left of it after resume()", async () => {
    await using hub = await startHub();
    const client = await hub.connectAs("service");
    hub.hub.faults.stall();
    const gone = once(client.connection, "disconnected");
    hub.hub.faults.drop();
    await gone;
    hub.hub.faults.resume();
    await hub.connectAs("service");
  });
});

describe("hub.faults.detach()", () => {
  test("detaches senders and receivers of messages, and leaves the connection with its token", async () => {
    await using hub = await startHub();
    const service = await hub.connectAs("service");
    const cut = once(await service.openSender(DEVICEBOUND), "sender_error");
    const receiver = new BareReceiver(service, FEEDBACK);
    const device = new BareReceiver(await hub.connectDevice("/devices/d1"), TO);
    await Promise.all([receiver.opened, device.opened]);
    hub.hub.faults.detach();
    const { sender } = await cut;
    assert.equal((sender!.error as { condition: string }).condition, "amqp:link:detach-forced");
    assert.equal((await receiver.ended).condition, "amqp:link:detach-forced");
    assert.equal((await device.ended).condition, "amqp:link:detach-forced");
    assert.equal((await send(await service.openSender(DEVICEBOUND)))[0], "accepted");
  });

  test("gives the reason that it is told", async () => {
    await using hub = await startHub();
    const receiver = new BareReceiver(await hub.connectAs("service"), FEEDBACK);
    await receiver.opened;
    hub.hub.faults.detach({ condition: "com.microsoft:timeout", description: "too slow" });
    const { condition, description } = await receiver.ended;
    assert.deepEqual([condition, description], ["com.microsoft:timeout", "too slow"]);
  });
});

describe("hub.faults.refuseCredit()", () => {
  test("leaves new senders without credit, and gives it to them when it is turned off", async () => {
    await using hub = await startHub();
    const service = await hub.connectAs("service");
    const before = await service.openSender(DEVICEBOUND);
    hub.hub.faults.refuseCredit(true);
    const waiting = service.connection.open_sender(DEVICEBOUND);
    await once(waiting, "sender_open");
    assert.equal((await send(before))[0], "accepted");
    assert.equal(waiting.sendable(), false);
    const sendable = once(waiting, "sendable");
    hub.hub.faults.refuseCredit(false);
    await sendable;
    assert.equal((await send(waiting))[0], "accepted");
  });
});

describe("hub.faults with planned outcomes", () => {
  test("releases, modifies and rejects in the order of the plan, and queues none of these", async () => {
    await using hub = await startHub();
    const { faults } = hub.hub;
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    faults.release(2);
    faults.modify();
    faults.reject({ condition: "com.microsoft:quota-exceeded", description: "all used up" });
    faults.reject("amqp:internal-error");
    const outcomes: string[] = [];
    const conditions: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      const [outcome, delivery] = await send(sender);
      outcomes.push(outcome);
      conditions.push(conditionOf(delivery));
    }
    assert.deepEqual(outcomes, ["released", "released", "released", "rejected", "rejected", "accepted"]);
    assert.deepEqual(conditions.slice(3), ["com.microsoft:quota-exceeded", "amqp:internal-error", undefined]);
    assert.equal(await queuedAt(hub), 1);
  });

  test("tells a modified message from a released one", async () => {
    await using hub = await startHub();
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    hub.hub.faults.modify();
    const modified = once(sender, "modified");
    const [, delivery] = await send(sender);
    assert.equal((await modified).delivery, delivery);
    assert.equal((delivery.remote_state as { delivery_failed?: boolean }).delivery_failed, true);
  });

  test("gives each message of one turn its own outcome", async () => {
    await using hub = await startHub();
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    sender.setMaxListeners(0);
    const { faults } = hub.hub;
    const plan = ["release", "reject", "ignore", "reject", "modify", "release", "release", "ignore", "reject"];
    for (const what of plan) {
      if (what === "release") faults.release();
      else if (what === "modify") faults.modify();
      else if (what === "ignore") faults.ignoreOutcomes();
      else faults.reject("amqp:internal-error");
    }
    const expected = [...plan, "accept", "accept"].map((what) => {
      if (what === "modify") return "released";
      return { release: "released", reject: "rejected", accept: "accepted" }[what];
    });
    const outcomes: (string | undefined)[] = expected.map(() => undefined);
    await Promise.all(expected.map((what, i) => {
      const outcome = send(sender).then(([name]) => outcomes[i] = name);
      return what === undefined ? undefined : outcome;
    }));
    assert.deepEqual(outcomes, expected);
    assert.equal(await queuedAt(hub), 4);
  });

  test("queues a message whose outcome is ignored, and goes on after thousands of them", async () => {
    await using hub = await startHub();
    let received = 0;
    hub.hub.device("d1").onMessage(() => void received++);
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    sender.setMaxListeners(0);
    for (let round = 0; round < 100; round++) {
      hub.hub.faults.ignoreOutcomes(29);
      const ignored = Array.from({ length: 29 }, () => sender.send({ to: TO, body: "?" } as never));
      assert.equal((await send(sender))[0], "accepted");
      // The client gives up, lest its own memory of what is on the way fill up: here it is the hub's that counts.
      for (const delivery of ignored) Object.assign(delivery, { settled: true, remote_settled: true });
    }
    assert.equal(received, 3000);
  });

  test("answers a message that it has to refuse, although outcomes are ignored", async () => {
    await using hub = await startHub();
    const sender = await (await hub.connectAs("service")).openSender(DEVICEBOUND);
    hub.hub.faults.ignoreOutcomes();
    const delivery = await outcomeOf(sender, { to: "/devices/nobody/messages/devicebound" });
    assert.equal(conditionOf(delivery), "amqp:not-found");
  });
});

describe("hub.faults with tokens", () => {
  test("does not answer put-token while it ignores tokens", async () => {
    await using hub = await startHub();
    hub.hub.faults.ignoreTokens(true);
    const client = hub.connect();
    const body = signSas({ connectionString: hub.hub.connectionString });
    let isAnswered = false;
    client.putToken({ body }).then(() => isAnswered = true, () => {});
    await once(client.connection, "connection_open");
    const sender = client.connection.open_sender(DEVICEBOUND);
    await once(sender, "sender_error");
    await turns(50);
    assert.equal(isAnswered, false);
    hub.hub.faults.ignoreTokens(false);
    await hub.connectAs("service");
  });

  test("cuts every link as at expiry, and takes new tokens", async () => {
    await using hub = await startHub();
    const service = await hub.connectAs("service");
    const cut = once(await service.openSender(DEVICEBOUND), "sender_error");
    const receiver = new BareReceiver(service, FEEDBACK);
    await receiver.opened;
    hub.hub.faults.expire();
    assert.equal(((await cut).sender!.error as { condition: string }).condition, "amqp:unauthorized-access");
    assert.equal((await receiver.ended).condition, "amqp:unauthorized-access");
    const refused = new BareReceiver(service, FEEDBACK);
    assert.equal((await refused.ended).condition, "amqp:unauthorized-access");
    await service.putToken({ body: signSas({ connectionString: hub.hub.connectionString }) });
    assert.equal((await send(await service.openSender(DEVICEBOUND)))[0], "accepted");
  });
});

describe("hub.faults.restart()", () => {
  test("closes every port for a while, cuts connections, and opens the same ports with the same state", async () => {
    using time = new MockedTime();
    await using hub = await startHub();
    const { https, amqps, http } = await hub.hub.listen({ https: 0, amqps: 0, http: 0 });
    const ports = [hub.port, ...[https, amqps, http].map(portOf)];
    const service = await hub.connectAs("service");
    await send(await service.openSender(DEVICEBOUND));
    const gone = once(service.connection, "disconnected");
    let isUp = false;
    const restarted = hub.hub.faults.restart(300).then(() => isUp = true);
    await gone;
    while ((await Promise.all(ports.map(isOpen))).includes(true)) assert.equal(isUp, false);
    await time.passInSteps(290, 29);
    assert.equal(isUp, false);
    await time.settle(restarted);
    assert.deepEqual(await Promise.all(ports.map(isOpen)), [true, true, true, true]);
    const device = new BareReceiver(await hub.connectDevice("/devices/d1"), TO);
    await device.next();
    await hub.connectAs("service");
  });

  test("takes but a moment unless it is told otherwise, again and again", async () => {
    await using hub = await startHub();
    for (let i = 0; i < 3; i++) {
      await hub.connectAs("service");
      await hub.hub.faults.restart();
    }
    assert.equal(await isOpen(hub.port), true);
  });

  test("ends with the hub, however long it was to take", async () => {
    const hub = await startHub();
    const restarted = hub.hub.faults.restart(3_600_000);
    while (await isOpen(hub.port)) await turns();
    await hub[Symbol.asyncDispose]();
    await restarted;
    assert.equal(await isOpen(hub.port), false);
  });

  test("ends with the hub, when both come at once", async () => {
    const hub = await startHub();
    const restarted = hub.hub.faults.restart(3_600_000);
    await hub[Symbol.asyncDispose]();
    await restarted;
    assert.equal(await isOpen(hub.port), false);
  });
});
