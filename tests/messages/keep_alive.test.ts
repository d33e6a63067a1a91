import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Connection } from "rhea";
import { AmqpClient } from "../support/amqp_client.ts";
import { EventLog } from "../support/event_log.ts";
import { retries } from "../support/hub_scripts.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { drop, type HubScript, type ScriptedHub, startScriptedHub } from "../support/scripted_hub.ts";
import { startWebSocketHub } from "../support/web_socket_hub.ts";

const RETRIES = retries(4);

interface Wire {
  readonly name: string;
  start(script: HubScript): Promise<{ hub: ScriptedHub; endpoint: string } & AsyncDisposable>;
}

const WIRES: Wire[] = [
  {
    name: "TCP",
    async start(script) {
      const hub = await startScriptedHub(script);
      return { hub, endpoint: hub.endpoint, [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose]() };
    },
  },
  { name: "a WebSocket", start: startWebSocketHub },
];

/** Counts what comes from the client. A WebSocket knows one listener only, the library's. */
function logInput(connection: Connection, log: EventLog): void {
  const { socket } = connection;
  const isWebSocket = typeof socket.removeAllListeners !== "function";
  const { input } = connection as unknown as { input(bytes: Uint8Array): void };
  socket.on("data", (bytes: Uint8Array) => {
    log.add("bytes");
    if (isWebSocket) Reflect.apply(input, connection, [bytes]);
  });
}

/** Has the hub give no sign of life of its own accord. */
function silence(connection: Connection): void {
  (connection as unknown as { remote: { open: { idle_time_out: number } } }).remote.open.idle_time_out = 0;
}

for (const { name, start } of WIRES) {
  describe(`A connection over ${name} that nobody uses`, () => {
    test("gives a sign of life twice in the time that the hub grants it", async () => {
      using time = new MockedTime();
      const log = new EventLog();
      await using server = await start({ idleTimeOutInMs: 20_000, onOpen: (connection) => logInput(connection, log) });
      const { hub, endpoint } = server;
      // A socket of a browser's kind is kept open by a receiver only.
      await using client = new AmqpClient(endpoint);
      const receiver = client.connection.openReceiver({ operation: "receive", address: "queue", timeoutInMs: 60_000 });
      const received = receiver.next();
      await client.send("1");
      await time.passInSteps(1_000, 200);
      log.events.length = 0;
      for (let passed = 0; passed < 50_000; passed += 10_000) {
        await time.passInSteps(8_000, 2_000);
        assert.equal(log.count("bytes"), passed / 10_000);
        time.pass(2_000);
        await log.until("bytes", passed / 10_000 + 1);
      }
      assert.equal(hub.connections.length, 1);
      await client.send("2");
      assert.equal(hub.connections.length, 1);
      hub.sources[0]!.send({ body: "news" });
      await received;
      receiver.close();
    });

    test("gives a sign of life every 80 s where the hub asks for none", async () => {
      using time = new MockedTime();
      const log = new EventLog();
      await using server = await start({ onOpen: (connection) => logInput(connection, log) });
      const { hub, endpoint } = server;
      await using client = new AmqpClient(endpoint);
      const receiver = client.connection.openReceiver({ operation: "receive", address: "queue", timeoutInMs: 60_000 });
      const received = receiver.next();
      await client.send("1");
      await time.passInSteps(1_000, 200);
      log.events.length = 0;
      for (let signs = 0; signs < 4; signs++) {
        await time.passInSteps(78_000, 13_000);
        assert.equal(log.count("bytes"), signs);
        time.pass(2_000);
        await log.until("bytes", signs + 1);
      }
      assert.equal(hub.connections.length, 1);
      hub.sources[0]!.send({ body: "news" });
      await received;
      receiver.close();
    });

    test("is given up when the hub has given no sign of life for 120 s, and replaced", async () => {
      using time = new MockedTime();
      await using server = await start({ onOpen: silence });
      const { hub, endpoint } = server;
      await using client = new AmqpClient(endpoint, RETRIES);
      const receiver = client.connection.openReceiver({ operation: "receive", address: "queue", timeoutInMs: 60_000 });
      const received = receiver.next();
      await client.send("1");
      while (hub.sources.length === 0) await time.passInSteps(1, 1);
      await time.passInSteps(118_000, 5_900);
      assert.equal(hub.connections.length, 1);
      time.pass(2_000);
      while (hub.sources.length < 2) await time.passInSteps(1, 1);
      assert.equal(hub.connections.length, 2);
      hub.sources[1]!.send({ body: "news" });
      await received;
      receiver.close();
    });

    test("is not given up while the hub gives signs of life", async () => {
      using time = new MockedTime();
      // The library's own, every 30 s.
      await using server = await start({});
      const { hub, endpoint } = server;
      await using client = new AmqpClient(endpoint);
      const receiver = client.connection.openReceiver({ operation: "receive", address: "queue", timeoutInMs: 60_000 });
      const received = receiver.next();
      await client.send("1");
      await time.passInSteps(600_000, 10_000);
      hub.sources[0]!.send({ body: "news" });
      await received;
      receiver.close();
      assert.equal(hub.connections.length, 1);
    });
  });
}

describe("A connection", () => {
  test("survives a hub that cuts whoever is silent for longer than it grants", async () => {
    using time = new MockedTime();
    const cut = new EventLog();
    await using hub = await startScriptedHub({
      idleTimeOutInMs: 20_000,
      onOpen(connection) {
        const { socket } = connection;
        let timer: ReturnType<typeof setTimeout> | undefined;
        const listen = () => {
          clearTimeout(timer);
          timer = setTimeout(() => {
            cut.add("cut");
            socket.destroy();
          }, 20_000);
        };
        listen();
        socket.on("data", listen).on("close", () => clearTimeout(timer));
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await client.send("1");
    await time.passInSteps(90_000, 2_000);
    await client.send("2");
    assert.deepEqual(cut.events, []);
    assert.equal(hub.connections.length, 1);
  });

  for (const isKnown of [true, false]) {
    test(`that the hub cut since nobody used it is replaced by the next send, known to be gone or not: ${isKnown}`, async () => {
      await using hub = await startScriptedHub();
      await using client = new AmqpClient(hub.endpoint, RETRIES);
      await client.send("1");
      if (isKnown) {
        const gone = new Promise((resolve) => hub.connections[0]!.once("disconnected", resolve));
        drop(hub.connections[0]!);
        await gone;
        await turns(10);
      } else {
        drop(hub.connections[0]!);
      }
      await client.send("2");
      assert.equal(hub.connections.length, 2);
      assert.deepEqual(hub.messages.map(({ body }) => body.content.toString()), ["1", "2"]);
    });
  }

  test("whose peer reads and never answers is given up, and the message sent on another one", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onOpen: silence,
      onMessage({ delivery }) {
        log.add("message");
        if (hub.connections.length > 1) delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, attemptTimeoutInMs: 600_000 });
    const sent = client.send("", {}, { timeoutInMs: 1_200_000 });
    await log.until("message");
    await time.passInSteps(119_000, 7_000);
    assert.equal(hub.connections.length, 1);
    await time.passInSteps(2_000, 1_000);
    await time.passInSteps(10, 1);
    await sent;
    assert.equal(hub.connections.length, 2);
  });
});

describe("A WebSocket", () => {
  test("that is used now and then stays open, and is closed 30 s after its last use", async () => {
    using time = new MockedTime();
    await using server = await startWebSocketHub();
    const { hub, endpoint } = server;
    await using client = new AmqpClient(endpoint);
    const closed = new EventLog();
    for (let sends = 0; sends < 10; sends++) {
      await client.send(`${sends}`);
      if (sends === 0) hub.connections[0]!.once("connection_close", () => closed.add("closed"));
      await time.passInSteps(20_000, 4_000);
    }
    assert.equal(hub.connections.length, 1);
    await time.passInSteps(8_000, 1_000);
    assert.equal(closed.count("closed"), 0);
    await time.passInSteps(3_000, 1_000);
    await closed.until("closed");
    await client.send("again");
    assert.equal(hub.connections.length, 2);
  });
});
