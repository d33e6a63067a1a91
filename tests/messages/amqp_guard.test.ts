import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import type { Connection, EventContext, Message } from "rhea";
import { IoTHubError } from "../../lib/errors/errors.ts";
import {
  array,
  attach,
  begin,
  binary,
  type Bytes,
  data,
  described,
  disposition,
  error,
  FALSE,
  flow,
  frame,
  header,
  list,
  map,
  NULL,
  open,
  performative,
  properties,
  symbol,
  text,
  transfer,
  TRUE,
  uint,
  ulong,
  ushort,
} from "../support/amqp_bytes.ts";
import { AmqpClient } from "../support/amqp_client.ts";
import { holds } from "../support/properties.ts";
import { type HubScript, startScriptedHub } from "../support/scripted_hub.ts";
import { startWebSocketHub } from "../support/web_socket_hub.ts";

const CASES = 15;

/** Writes bytes to a client, past the library. */
function write(connection: Connection, ...parts: Bytes[]): void {
  (connection["socket"] as unknown as { write(bytes: Uint8Array): void }).write(Uint8Array.from(parts.flat()));
}

/** The library's hub answers its first message with frames that it would never write. */
function attacking(frames: readonly Bytes[], seen: string[] = []): HubScript {
  let count = 0;
  return {
    onMessage({ connection, delivery }) {
      if (count++ > 0) return delivery.accept();
      connection.once("connection_error", (context: EventContext) => {
        seen.push((context.connection.error as { condition: string }).condition);
      });
      write(connection, ...frames);
    },
  };
}

async function rejectionOf(promise: Promise<unknown>): Promise<IoTHubError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof IoTHubError, String(error));
    return error;
  }
  assert.fail("It was accepted");
}

/** Holds a client to ending the connection for each generated attack, and to sending the next message at once. */
async function refuses<T>(attacks: fc.Arbitrary<T>, toFrames: (attack: T) => Bytes[], why: RegExp): Promise<void> {
  await holds(
    fc.asyncProperty(attacks, async (attack) => {
      const seen: string[] = [];
      await using hub = await startScriptedHub(attacking(toFrames(attack), seen));
      await using client = new AmqpClient(hub.endpoint, {
        retryOptions: { maxRetries: 3, retryDelayInMs: 0, maxRetryDelayInMs: 0 },
      });
      const { code, retryable, message } = await rejectionOf(client.send("1"));
      assert.deepEqual([code, retryable], ["InvalidResponse", false]);
      assert.match(message, /the hub broke the AMQP protocol \(/);
      await client.send("2");
      assert.equal(hub.connections.length, 2);
      assert.equal(seen.length, 1);
      assert.match(seen[0]!, why);
    }),
    CASES,
  );
}

/** The session and the link on which messages are sent have the second number of both sides. */
const SENDING = { channel: 1 };
const TOO_MANY = fc.integer({ min: 1000, max: 2 ** 32 - 1 });
const EMPTY_ELEMENTS = fc.constantFrom<Bytes>([0x40], [0x41], [0x42], [0x43], [0x44], [0x45]);

describe("A client refuses", () => {
  test("frames that are shorter than their header, or longer than it takes", async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 65_537, max: 2 ** 32 - 1 }));
    await refuses(sizes, (size) => [frame([], { size })], /framing-error/);
  });

  test("frames of a wrong type, SASL among them", async () => {
    const types = fc.integer({ min: 1, max: 255 });
    await refuses(types, (type) => [frame(flow(), { ...SENDING, type })], /framing-error/);
  });

  test("arrays of very many elements that have no bytes, and counts that are too large", async () => {
    const values = fc.oneof(
      fc.tuple(EMPTY_ELEMENTS, TOO_MANY).map(([constructor, count]) => array(constructor, [], { count })),
      fc.tuple(fc.constantFrom(list, map), TOO_MANY).map(([make, count]) => make([], { count })),
    );
    const places = fc.constantFrom<(value: Bytes) => Bytes>(
      (value) => flow({ 10: map([symbol("k"), value]) }),
      (value) => disposition({ 4: described(0x27, list([NULL, NULL, map([symbol("k"), value])])) }),
      (value) => performative(0x18, [described(0x1d, list([symbol("a"), NULL, map([symbol("k"), value])]))], {}),
    );
    await refuses(
      fc.tuple(values, places),
      ([value, place]) => [frame(place(value), SENDING)],
      /resource-limit-exceeded|decode-error/,
    );
  });

  test("dispositions for more messages than there can be, and those that repeat themselves", async () => {
    const attacks = fc.oneof(
      fc.integer({ min: 2048, max: 2 ** 32 - 1 }).map((last) => [last, 1]),
      fc.integer({ min: 17, max: 500 }).map((times) => [2047, times]),
    );
    await refuses(
      attacks,
      ([last, times]) => new Array(times).fill(frame(disposition({ 2: uint(last!) }), SENDING)),
      /invalid-field|resource-limit/,
    );
  });

  test("errors whose condition or description is no text, wherever they are", async () => {
    const errors = fc.constantFrom<Bytes>(
      error(uint(1)),
      error(list([])),
      error(NULL),
      error(symbol("amqp:a"), uint(1)),
      error(symbol("amqp:a"), TRUE),
      error(symbol("amqp:a"), map([symbol("replace"), uint(1)])),
      described(0x1d, text("amqp:a")),
      text("amqp:a"),
    );
    const places = fc.constantFrom<(value: Bytes) => Bytes>(
      (value) => disposition({ 3: TRUE, 4: described(0x25, list([value])) }),
      (value) => performative(0x16, [uint(0), TRUE, value], {}),
      (value) => performative(0x17, [value], {}),
      (value) => performative(0x18, [value], {}),
    );
    await refuses(fc.tuple(errors, places), ([value, place]) => [frame(place(value), SENDING)], /decode-error/);
  });

  test("fields of a wrong type", async () => {
    const wrong = fc.constantFrom<Bytes>(text("7"), ulong(7), list([]), map([]), binary([7]));
    const places = fc.constantFrom<(value: Bytes) => Bytes>(
      (value) => flow({ 1: value }),
      (value) => flow({ 4: value }),
      (value) => flow({ 6: value }),
      (value) => flow({ 8: value }),
      (value) => disposition({ 0: value }),
      (value) => disposition({ 1: value }),
      (value) => disposition({ 2: value }),
      (value) => disposition({ 4: value }),
      (value) => begin({ 0: value }),
      (value) => attach({ 1: value }),
      (value) => performative(0x16, [value], {}),
    );
    await refuses(fc.tuple(wrong, places), ([value, place]) => [frame(place(value), SENDING)], /decode-error/);
  });

  test("sessions that it did not ask for, and more of them and of links than it has said", async () => {
    const frames = fc.constantFrom<Bytes>(
      frame(begin(), { channel: 2 }),
      frame(begin({ 0: ushort(0) }), { channel: 256 }),
      frame(begin({ 0: ushort(0) }), { channel: 0 }),
      frame(attach({ 1: uint(256) }), SENDING),
      frame(flow(), { channel: 7 }),
    );
    await refuses(frames, (bytes) => [bytes], /not-allowed/);
  });

  test("messages that never end", async () => {
    const link = frame(attach({ 0: text("new"), 1: uint(9) }), SENDING);
    const part = (size: number): Bytes => frame(transfer(new Array(size).fill(0), { 0: uint(9), 5: TRUE }), SENDING);
    const attacks = fc.constantFrom<Bytes[]>([link, ...new Array(20).fill(part(60_000))], [
      link,
      ...new Array(9_000).fill(part(1)),
    ]);
    await refuses(attacks, (frames) => frames, /message-size-exceeded|resource-limit-exceeded/);
  });

  test("replies to its token, and other messages, of which a part has a wrong type", async () => {
    const sections = fc.constantFrom<Bytes>(
      properties({ 5: list([]) }),
      properties({ 5: map([symbol("toString"), uint(1)]) }),
      properties({ 0: TRUE }),
      properties({ 6: uint(1) }),
      properties({ 8: text("now") }),
      described(0x74, map([symbol("status-code"), list([])])),
      described(0x74, map([uint(1), uint(1)])),
      described(0x72, list([])),
      described(0x75, text("t")),
      described(0x70, list([text("durable")])),
    );
    const token = { channel: 0 };
    await refuses(
      sections,
      (section) => [
        frame(attach({ 0: text("new"), 1: uint(9) }), token),
        frame(transfer([...section, ...data([1])], { 0: uint(9), 1: uint(1) }), token),
      ],
      /decode-error/,
    );
  });

  test("an open with a frame size that AMQP does not allow, without freezing", async () => {
    const server = createServer((socket: Socket) => {
      socket.on("error", () => {}).resume();
      socket.write(Uint8Array.from([...header(), ...frame(open({ 2: uint(10) }))]));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    await using client = new AmqpClient(`amqp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const { code, message } = await rejectionOf(client.send(""));
    assert.equal(code, "InvalidResponse");
    assert.match(message, /max-frame-size of 10/);
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test("a message of a WebSocket that is larger than any it needs", async () => {
    await using server = await startWebSocketHub(attacking([frame([], { size: 8 }), new Array(1_048_577).fill(0)]));
    await using client = new AmqpClient(`ws://127.0.0.1:${server.port}`);
    assert.equal((await rejectionOf(client.send(""))).code, "InvalidResponse");
    await client.send("next");
  });
});

describe("A client takes", () => {
  test("frames that come in pieces, and several at once", async () => {
    await using hub = await startScriptedHub({
      onMessage({ connection, delivery }) {
        const id = (delivery as unknown as { id: number }).id;
        const accepted = described(0x24, [0x45]);
        const all = [...frame([]), ...frame(disposition({ 1: uint(id), 3: TRUE, 4: accepted }), SENDING), ...frame([])];
        write(connection, ...all.map((byte) => [byte]));
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.send(`${i}`)));
    assert.equal(hub.connections.length, 1);
  });

  test("a disposition for messages that it has not received", async () => {
    await using hub = await startScriptedHub(attacking([frame(disposition({ 0: FALSE, 1: uint(7) }), SENDING)]));
    await using client = new AmqpClient(hub.endpoint);
    await rejectionOf(client.send("no answer", {}, { timeoutInMs: 50 }));
    await client.send("next");
    assert.equal(hub.connections.length, 1);
  });

  test("a message to back ends whose body is no bytes as one without any", async () => {
    const bodies: unknown[] = [
      rhea.message.sequence_section([1, "a", null]),
      { content: 7 },
      { content: { byteLength: 2 ** 32 } },
      [7],
      "text",
      null,
    ];
    await using hub = await startScriptedHub({
      onSource(link) {
        link.set_source({ address: link.source.address });
        link.on("sendable", () => {
          // The library would send the message before its own attach.
          (link.connection as unknown as { _process(): void })._process();
          link.send({ body: bodies.shift() } as Message);
        });
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    const options = { operation: "receiveFeedback", address: "/messages/servicebound/feedback", timeoutInMs: 5_000 };
    const receiver = client.connection.openReceiver(options);
    while (bodies.length > 0) {
      const received = await receiver.next(5_000);
      assert.deepEqual([...received!.body], []);
      received!.complete();
    }
    receiver.close();
    assert.equal(hub.connections.length, 1);
  });
});
