import assert from "node:assert/strict";
import { once as onceEvent } from "node:events";
import { request } from "node:http";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { QueuedMessage } from "../../lib/local/messages/message_queue.ts";
import { AmqpFaultState } from "../../lib/local/amqp/fault_state.ts";
import { hubAmqpBackend } from "../../lib/local/amqp/hub_backend.ts";
import { MqttFaultState } from "../../lib/local/mqtt/fault_state.ts";
import { hubMqttBackend } from "../../lib/local/mqtt/hub_backend.ts";
import type { DeviceSession } from "../../lib/local/sessions/device_session.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import { startHttpListener } from "../../lib/local/sockets/http_listener.ts";
import { WebSocketUpgrades } from "../../lib/local/sockets/web_socket_upgrades.ts";
import { FaultListeners } from "../../lib/local/fault_listeners.ts";
import { HubAlarm } from "../../lib/local/hub_alarm.ts";
import { LocalHub, type LocalHubFault } from "../../lib/local/mod.ts";
import { webSocketOptions } from "../support/bare_web_socket.ts";
import { BareReceiver, ListeningHub, sendTo } from "../support/listening_hub.ts";
import { BareClient, once, startHub, TO } from "../support/local_amqp.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const SECRET_TEXT = "a text from within";
const TRACKING_ID = /[0-9a-f]{32}/;

/** A hub whose clock throws when it is told to: the one part of the inside that a test can break from outside. */
class BreakableHub {
  readonly hub: LocalHub;
  readonly faults: LocalHubFault[] = [];
  /** How many looks at the clock still succeed; `undefined` for all. */
  left: number | undefined;
  #waiting = (): void => {};

  constructor(options: { feedbackIntervalInMs?: number } = {}) {
    this.hub = new LocalHub({
      ...options,
      now: () => {
        if (this.left !== undefined && this.left-- <= 0) throw new Error(SECRET_TEXT);
        return Date.now();
      },
    });
    this.hub.onFault((fault) => {
      this.faults.push(fault);
      this.#waiting();
    });
  }

  /** Resolves with the next exception, or the one that has come already. */
  async nextFault(): Promise<LocalHubFault> {
    while (this.faults.length === 0) await new Promise<void>((resolve) => this.#waiting = resolve);
    return this.faults.shift()!;
  }
}

const OPERATIONS: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ["GET", "/devices"],
  ["GET", "/devices/d"],
  ["PUT", "/devices/e", { deviceId: "e" }],
  ["POST", "/devices", [{ id: "f", importMode: "create" }]],
  ["POST", "/devices/query", { query: "SELECT * FROM devices" }],
  ["PATCH", "/twins/d", { tags: { a: 1 }, properties: { desired: { b: 1 } } }],
  ["PUT", "/twins/d", { tags: { a: 1 } }],
  ["POST", "/twins/d/methods", { methodName: "m" }],
  ["DELETE", "/devices/d/commands"],
  ["GET", "/messages/servicebound/feedback"],
  ["DELETE", "/messages/servicebound/feedback/x"],
  ["GET", "/nowhere"],
];

describe("an exception inside the local hub", () => {
  test("at any step of any request is a 500 with the hub's envelope, and told with its tracking id", async () => {
    const broken = new BreakableHub();
    const rest = new RestCaller(broken.hub);
    await rest.createDevices("d");
    broken.hub.device("d").onMethod(() => ({ status: 200 }));
    await holds(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        fc.nat({ max: 6 }),
        fc.boolean(),
        async (operation, left, fresh) => {
          broken.faults.length = 0;
          // A token that was not seen before is verified by the clock, too.
          const se = Math.floor(Date.now() / 1000) + 3600 + (fresh ? Math.floor(Math.random() * 1e6) : 0);
          const authorization = signSas({ connectionString: broken.hub.connectionString, se });
          broken.left = left;
          const [method, path, body] = operation;
          const answer = await rest.call(method, path, body, { authorization });
          broken.left = undefined;
          assert.doesNotMatch(JSON.stringify(answer.body ?? ""), new RegExp(SECRET_TEXT));
          if (answer.status !== 500) return;
          assert.equal(answer.code, "ServerError");
          const [trackingId] = TRACKING_ID.exec(JSON.stringify(answer.body))!;
          const told = broken.faults.find((fault) => fault.trackingId === trackingId);
          assert.match(String(told?.error), new RegExp(SECRET_TEXT));
        },
      ),
      300,
    );
    broken.left = 0;
    const { status } = await rest.call("GET", "/devices");
    assert.equal(status, 500, "the property was not held by nothing");
    broken.left = undefined;
    assert.equal((await rest.call("GET", "/devices")).status, 200, "the hub lives on");
    await broken.hub.close();
  });

  test("is a 500 over a socket, and an answer of its own for what no request can be", async () => {
    const broken = new BreakableHub();
    const { http } = await broken.hub.listen({ http: 0 });
    const ask = async (method: string): Promise<[number, string]> => {
      const outgoing = request(`${http}/devices?api-version=2021-04-12`, { method });
      outgoing.end();
      const [response] = await onceEvent(outgoing, "response");
      let text = "";
      for await (const chunk of response) text += chunk;
      return [response.statusCode, text];
    };
    broken.left = 0;
    const [status, text] = await ask("GET");
    assert.equal(status, 500);
    assert.equal((await broken.nextFault()).trackingId, TRACKING_ID.exec(text)![0]);
    broken.left = undefined;
    const [traceStatus, traceText] = await ask("TRACE");
    assert.equal(traceStatus, 405);
    assert.match(traceText, /GenericMethodNotAllowed/);
    assert.deepEqual(broken.faults, []);
    await broken.hub.close();
  });

  test("ends an AMQP connection in whose work it happens, with a tracking id, and no other", async () => {
    const broken = new BreakableHub({ feedbackIntervalInMs: 0 });
    const { amqp } = await broken.hub.listen({ amqp: 0 });
    await using hub = new ListeningHub(broken.hub, Number(amqp!.split(":").at(-1)));
    await hub.rest.createDevices("d");
    const steps: readonly ((client: BareClient) => void)[] = [
      (client) => void client.connection.open_sender("/messages/devicebound"),
      (client) => void client.connection.open_receiver("/messages/servicebound/feedback"),
    ];
    for (const step of steps) {
      const client = await hub.connectAs("service");
      const bystander = await hub.connectAs("service");
      const closed = once(client.connection, "connection_error");
      client.connection.on("connection_error", () => {});
      broken.left = 0;
      step(client);
      await closed;
      broken.left = undefined;
      const { trackingId, error } = await broken.nextFault();
      assert.match(String(error), new RegExp(SECRET_TEXT));
      const { condition, description, info } = client.connection.error as unknown as Record<string, unknown>;
      assert.equal(condition, "amqp:internal-error");
      assert.doesNotMatch(String(description), new RegExp(SECRET_TEXT));
      assert.deepEqual({ ...(info as object) }, { "com.microsoft:tracking-id": trackingId });
      assert.equal(bystander.connection.is_open(), true);
      await bystander.openSender("/messages/devicebound");
    }
    await sendTo(hub, "/devices/d");
    const device = await hub.connectDevice("/devices/d");
    assert.ok(await new BareReceiver(device, "/devices/d/messages/devicebound").next());
  });

  test("is the status 500 of a put-token request", async () => {
    const reported: unknown[] = [];
    const fault = new TypeError(SECRET_TEXT);
    await using hub = await startHub({
      verifyToken: () => Promise.reject(fault),
      report: (error) => {
        reported.push(error);
        return "0123456789ABCDEF0123456789ABCDEF";
      },
    });
    await using client = new BareClient(hub.listener.port);
    const [status, description] = await client.putToken();
    assert.equal(status, 500);
    assert.match(description, /0123456789ABCDEF0123456789ABCDEF/);
    assert.doesNotMatch(description, new RegExp(SECRET_TEXT));
    assert.deepEqual(reported, [fault]);
  });

  test("rejects the message that it happened for", async () => {
    const reported: unknown[] = [];
    await using hub = await startHub({
      enqueueMessage() {
        throw new TypeError(SECRET_TEXT);
      },
      report: (error) => `TRACKED${reported.push(error)}`,
    });
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const sender = await client.openSender("/messages/devicebound");
    const rejected = once(sender, "rejected");
    sender.send({ to: TO, body: "x" });
    const { remote_state } = (await rejected).delivery as unknown as {
      remote_state: { error: { condition: string; info: object } };
    };
    assert.equal(remote_state.error.condition, "amqp:internal-error");
    assert.deepEqual({ ...remote_state.error.info }, { "com.microsoft:tracking-id": "TRACKED1" });
  });

  test("in writing a message ends that connection, and the message comes no more", async () => {
    const rejected: unknown[] = [];
    const reported: unknown[] = [];
    // No peer can put such a message into a queue; here the hub itself has made it.
    const message = { to: TO, properties: {}, data: new Uint8Array(1), contentType: { a: 1 } as unknown as string };
    const lockToken = crypto.randomUUID();
    const queued = { message, lockToken, expiryTime: 1, enqueuedTime: 1, deliveryCount: 0, sequenceNumber: 1 };
    await using hub = await startHub({
      verifyToken: () => Promise.resolve({ expiresOn: Infinity, rights: new Set(["DeviceConnect"]) }),
      openSession: () => ({
        nextMessage: () => ({
          message: queued as unknown as QueuedMessage,
          complete: () => true,
          abandon: () => true,
          reject: () => rejected.push(lockToken) > 0,
          unlock() {},
        }),
        close() {},
      } as unknown as DeviceSession),
      report: (error) => `TRACKED${reported.push(error)}`,
    });
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const closed = once(client.connection, "connection_error");
    client.connection.on("connection_error", () => {});
    client.connection.open_receiver(TO);
    await closed;
    const { condition, info } = client.connection.error as unknown as Record<string, unknown>;
    assert.equal(condition, "amqp:internal-error");
    assert.deepEqual({ ...(info as object) }, { "com.microsoft:tracking-id": "TRACKED1" });
    assert.deepEqual([rejected, reported.length], [[lockToken], 1]);
  });

  test("in accepting a connection closes it, over TCP and over a WebSocket, and the port stays open", async () => {
    const reported: unknown[] = [];
    const faults = new AmqpFaultState();
    let isBroken = true;
    const { connections } = faults;
    const add = connections.add.bind(connections);
    connections.add = (connection) => {
      if (isBroken) throw new TypeError(SECRET_TEXT);
      add(connection);
    };
    const report = (error: unknown) => `TRACKED${reported.push(error)}`;
    await using hub = await startHub({ faults, report });
    const refused = (): BareClient => new BareClient(hub.listener.port);
    await using first = refused();
    await once(first.connection, "disconnected");
    assert.match(String(reported[0]), new RegExp(SECRET_TEXT));
    isBroken = false;
    await using second = refused();
    assert.equal((await second.putToken())[0], 200);

    isBroken = true;
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    const upgrades = new WebSocketUpgrades({
      amqp: { ...hubAmqpBackend(state, faults), report },
      mqtt: hubMqttBackend(state, new MqttFaultState()),
    });
    const http = await startHttpListener(() => Promise.resolve({ status: 200, headers: {}, body: "alive" }), {
      hostname: "127.0.0.1",
      port: 0,
      upgrades,
    });
    const before = reported.length;
    const socket = new WebSocket(`ws://127.0.0.1:${http.port}/$iothub/websocket`, ["AMQPWSB10"]);
    await new Promise((resolve) => socket.addEventListener("close", resolve));
    assert.equal(reported.length, before + 1);
    assert.equal(await (await fetch(`http://127.0.0.1:${http.port}/`)).text(), "alive");
    await http.close();
    state.close();
  });

  test("over a WebSocket ends that connection alone", async () => {
    const broken = new BreakableHub();
    const { ws } = await broken.hub.listen({ http: 0 });
    await using client = new BareClient(0, webSocketOptions(ws!));
    await client.putToken({ body: signSas({ connectionString: broken.hub.connectionString }) });
    client.connection.on("connection_error", () => {});
    const closed = once(client.connection, "connection_error");
    broken.left = 0;
    client.connection.open_sender("/messages/devicebound");
    await closed;
    broken.left = undefined;
    assert.match(String((await broken.nextFault()).error), new RegExp(SECRET_TEXT));
    await broken.hub.close();
  });

  test("in the work of a device in process is told, and the device goes on", async () => {
    const broken = new BreakableHub();
    const { amqp } = await broken.hub.listen({ amqp: 0 });
    await using hub = new ListeningHub(broken.hub, Number(amqp!.split(":").at(-1)));
    await hub.rest.createDevices("d");
    let count = 0;
    const handled: (() => void)[] = [];
    broken.hub.device("d").onMessage(() => {
      // The clock is looked at after the handler, to settle the message.
      if (++count === 1) broken.left = 0;
      else handled.shift()?.();
    });
    await sendTo(hub, "/devices/d");
    assert.match(String((await broken.nextFault()).error), new RegExp(SECRET_TEXT));
    broken.left = undefined;
    const second = new Promise<void>((resolve) => handled.push(resolve));
    await sendTo(hub, "/devices/d");
    await second;
  });

  test("in a timer is told, and keeps nothing else from its time", async () => {
    const faults = new FaultListeners();
    const told: unknown[] = [];
    faults.add(({ error }) => told.push(error));
    const alarm = new HubAlarm(Date.now, faults);
    const alive = setTimeout(() => {}, 60_000);
    const fault = new Error(SECRET_TEXT);
    await new Promise<void>((resolve) => {
      alarm.set({
        wake() {
          throw fault;
        },
      }, Date.now() + 5);
      alarm.set({ wake: () => resolve() }, Date.now() + 5);
    });
    clearTimeout(alive);
    assert.deepEqual(told, [fault]);
    alarm.close();
  });
});

describe("a listener for exceptions inside the local hub", () => {
  test("is one of many, may be removed, and may throw", async () => {
    await using hub = new LocalHub({
      now: () => {
        throw new Error(SECRET_TEXT);
      },
    });
    const calls: string[] = [];
    const listener = () => void calls.push("same");
    const remove = hub.onFault(listener);
    hub.onFault(listener);
    hub.onFault(() => {
      throw new Error("from the listener");
    });
    hub.onFault(({ trackingId }) => calls.push(trackingId));
    const url = `https://${hub.hostName}/devices?api-version=2021-04-12`;
    const { ExceptionMessage } = await (await hub.fetch(new Request(url))).json();
    const [trackingId] = TRACKING_ID.exec(ExceptionMessage)!;
    assert.deepEqual(calls, ["same", "same", trackingId]);
    remove();
    remove();
    await hub.fetch(new Request(url));
    assert.deepEqual(calls.slice(3, -1), ["same"]);
    assert.throws(() => hub.onFault(undefined as never), TypeError);
  });

  test("is not told of the refusals of the hub, nor of callers who leave", async () => {
    const broken = new BreakableHub();
    const rest = new RestCaller(broken.hub);
    await rest.createDevices("d");
    await rest.fails([404, "DeviceNotFound"], "GET", "/devices/none");
    await rest.fails([400, "GenericBadRequest"], "PUT", "/devices/d", "{");
    const gone = new AbortController();
    broken.hub.device("d").onMethod(() => {
      gone.abort();
      return new Promise(() => {});
    });
    const call = rest.call("POST", "/twins/d/methods", { methodName: "m" }, { signal: gone.signal });
    await assert.rejects(call, { name: "AbortError" });
    assert.deepEqual(broken.faults, []);
    await broken.hub.close();
  });
});
