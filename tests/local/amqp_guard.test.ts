import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import {
  array,
  attach,
  begin,
  binary,
  type Bytes,
  close,
  data,
  described,
  disposition,
  error,
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
  timestamp,
  transfer,
  TRUE,
  uint,
  ulong,
  ushort,
} from "../support/amqp_bytes.ts";
import { BareClient, startHub } from "../support/local_amqp.ts";
import { holds } from "../support/properties.ts";
import { RawPeer } from "../support/raw_peer.ts";

const ONE_AT_A_TIME = 15;

/** Holds a hub to a condition for each generated attack, and to serving a client that comes after it at once. */
async function refuses<T>(
  attacks: fc.Arbitrary<T>,
  toBytes: (attack: T) => Bytes[],
  condition: string | RegExp,
): Promise<void> {
  await using hub = await startHub();
  const { port } = hub.listener;
  await holds(
    fc.asyncProperty(attacks, async (attack) => {
      const got = await RawPeer.answerTo(port, ...toBytes(attack));
      if (typeof condition === "string") assert.equal(got, condition);
      else assert.match(String(got), condition);
      await using client = new BareClient(port);
      assert.deepEqual(await client.putToken(), [200, "OK"]);
    }),
    ONE_AT_A_TIME,
  );
}

/** The beginning of a connection with a session. */
const SESSION: Bytes[] = [header(), frame(open()), frame(begin())];
const LINK: Bytes[] = [...SESSION, frame(attach())];
const TOO_MANY = fc.integer({ min: 1000, max: 2 ** 32 - 1 });
/** Constructors of elements that have no bytes. */
const EMPTY_ELEMENTS = fc.constantFrom<Bytes>([0x40], [0x41], [0x42], [0x43], [0x44], [0x45]);

describe("A hub refuses", () => {
  test("frames that are shorter than their header, or longer than it takes", async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 65_537, max: 2 ** 32 - 1 }));
    await refuses(sizes, (size) => [header(), frame(open(), { size })], "amqp:connection:framing-error");
  });

  test("frames with a data offset or a type that there is not", async () => {
    const lies = fc.oneof(
      fc.record({ offset: fc.constantFrom(0, 1, 200) }),
      fc.record({ type: fc.integer({ min: 1, max: 255 }) }),
    );
    await refuses(lies, (lie) => [header(), frame(open(), lie)], "amqp:connection:framing-error");
  });

  test("an open with a frame size that AMQP does not allow", async () => {
    const sizes = fc.integer({ min: 0, max: 511 });
    await refuses(sizes, (size) => [header(), frame(open({ 2: uint(size) }))], "amqp:invalid-field");
  });

  test("arrays of very many elements that have no bytes, in any field that may hold one", async () => {
    const arrays = fc.tuple(EMPTY_ELEMENTS, TOO_MANY).map(([constructor, count]) => array(constructor, [], { count }));
    const places = fc.constantFrom<(value: Bytes) => Bytes[]>(
      (value) => [header(), frame(open({ 9: map([symbol("k"), value]) }))],
      (value) => [...SESSION, frame(attach({ 13: map([symbol("k"), value]) }))],
      (value) => [...LINK, frame(transfer(described(0x77, value)))],
      (value) => [...LINK, frame(transfer(described(0x72, map([symbol("k"), list([value])]))))],
      (value) => {
        const whole = described(0x77, value);
        return [
          ...LINK,
          frame(transfer(whole.slice(0, 7), { 5: TRUE })),
          frame(transfer(whole.slice(7))),
        ];
      },
    );
    await refuses(fc.tuple(arrays, places), ([value, place]) => place(value), "amqp:resource-limit-exceeded");
  });

  test("counts and sizes that what is there cannot hold", async () => {
    const lies = fc.oneof(fc.record({ count: TOO_MANY }), fc.record({ size: TOO_MANY }));
    const values = fc.tuple(lies, fc.constantFrom(list, map, (_items: Bytes[], lie: object) => array([0x70], [], lie)));
    await refuses(
      values,
      ([lie, make]) => [...LINK, frame(transfer(described(0x77, make([uint(1), uint(2)], lie))))],
      "amqp:decode-error",
    );
  });

  test("values that are nested very deep", async () => {
    const wrappers = fc.constantFrom<(value: Bytes) => Bytes>(
      (value) => list([value]),
      (value) => map([symbol("k"), value]),
      (value) => described(1, value),
      (value) => array([value[0]!], [value.slice(1)]),
    );
    const deep = fc.array(wrappers, { minLength: 40, maxLength: 400 }).map((all) =>
      all.reduce<Bytes>((value, wrap) => wrap(value), list([]))
    );
    await refuses(deep, (value) => [header(), frame(open({ 9: map([symbol("k"), value]) }))], /resource-limit|decode/);
  });

  test("a disposition for more messages than there can be", async () => {
    const lasts = fc.integer({ min: 2048, max: 2 ** 32 - 1 });
    await refuses(lasts, (last) => [...SESSION, frame(disposition({ 2: uint(last) }))], "amqp:invalid-field");
  });

  test("dispositions that repeat themselves", async () => {
    const counts = fc.integer({ min: 17, max: 1000 });
    await refuses(
      counts,
      (count) => [...SESSION, ...new Array(count).fill(frame(disposition({ 2: uint(2047) })))],
      "amqp:resource-limit-exceeded",
    );
  });

  test("fields of a wrong type", async () => {
    const fields = fc.constantFrom<[(fields: Record<number, Bytes>) => Bytes, index: number, right: string]>(
      [open, 0, "text"],
      [open, 2, "uint"],
      [open, 3, "ushort"],
      [open, 4, "uint"],
      [open, 9, "map"],
      [attach, 0, "text"],
      [attach, 1, "uint"],
      [attach, 2, "boolean"],
      [attach, 6, "described"],
      [attach, 10, "ulong"],
      [flow, 1, "uint"],
      [flow, 4, "uint"],
      [disposition, 1, "uint"],
      [disposition, 2, "uint"],
      [disposition, 4, "described"],
    );
    const values = fc.constantFrom<[Bytes, kind: string]>(
      [uint(7), "uint"],
      [ushort(7), "ushort"],
      [ulong(7), "ulong"],
      [TRUE, "boolean"],
      [text("t"), "text"],
      [binary([1]), "binary"],
      [list([uint(1)]), "list"],
      [map([symbol("toString"), uint(1)]), "map"],
    );
    await refuses(
      fc.tuple(fields, values).filter(([[, , right], [, kind]]) => right !== kind),
      ([[make, index], [value]]) => {
        const bytes = frame(make({ [index]: value }));
        return make === open ? [header(), bytes] : [...SESSION, bytes];
      },
      "amqp:decode-error",
    );
  });

  test("errors that are none", async () => {
    const errors = fc.constantFrom<Bytes>(
      error(uint(1)),
      error(NULL),
      error(symbol("amqp:a"), uint(1)),
      error(symbol("amqp:a"), list([])),
      described(0x1d, text("amqp:a")),
      described(0x1d, map([])),
      text("amqp:a"),
    );
    const places = fc.constantFrom<(value: Bytes) => Bytes>(
      (value) => performative(0x16, [uint(0), TRUE, value], {}),
      (value) => performative(0x17, [value], {}),
      (value) => performative(0x18, [value], {}),
      (value) => disposition({ 4: described(0x25, list([value])) }),
    );
    await refuses(fc.tuple(errors, places), ([value, place]) => [...LINK, frame(place(value))], "amqp:decode-error");
  });

  test("performatives and outcomes that it does not know", async () => {
    const codes = fc.integer({ min: 0x40, max: 2 ** 40 });
    const places = fc.constantFrom<(code: number) => Bytes>(
      (code) => described(code, list([])),
      (code) => disposition({ 4: described(code, list([])) }),
    );
    await refuses(
      fc.tuple(codes, places),
      ([code, place]) => [...SESSION, frame(place(code))],
      "amqp:not-implemented",
    );
  });

  test("messages whose properties have a wrong type", async () => {
    const OBJECTS: Bytes[] = [map([symbol("a"), uint(1)]), list([uint(1)]), array([0x43], [[]]), TRUE];
    const fields = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12).chain((index) => {
      const wrong = [...OBJECTS];
      if (index !== 0 && index !== 5) wrong.push(ulong(7));
      if (index !== 11) wrong.push(uint(7));
      if (index === 1 || index >= 8 && index <= 9) wrong.push(text("t"));
      if (index === 8 || index === 9) wrong.push(timestamp(0x7fffffff, 0), timestamp(0x80000000, 0));
      return fc.tuple(fc.constant(index), fc.constantFrom(...wrong));
    });
    await refuses(
      fields,
      ([index, value]) => [
        ...LINK,
        frame(transfer([...properties({ [index]: value }), ...described(0x77, text("token"))])),
      ],
      "amqp:decode-error",
    );
  });

  test("sections of a message that are none", async () => {
    const sections = fc.constantFrom<Bytes>(
      described(0x74, map([symbol("k"), list([])])),
      described(0x74, map([uint(1), uint(1)])),
      described(0x74, list([])),
      described(0x72, NULL),
      described(0x73, NULL),
      described(0x75, text("t")),
      described(0x76, map([])),
      described(0x79, list([])),
      text("t"),
      [0x00],
    );
    await refuses(sections, (section) => [...LINK, frame(transfer([...section, ...data([1])]))], "amqp:decode-error");
  });

  test("more sessions and links than it has said", async () => {
    await refuses(
      fc.constantFrom<Bytes[]>(
        [frame(begin(), { channel: 1024 })],
        [frame(attach({ 1: uint(64) }))],
        [frame(attach({ 1: uint(2 ** 32 - 1) }))],
        [frame(begin())],
        [frame(begin({ 0: ushort(0) }), { channel: 1 })],
        [frame(attach(), { channel: 1 })],
      ),
      (frames) => [...SESSION, ...frames],
      "amqp:not-allowed",
    );
  });

  test("20,000 sessions or links at once", async () => {
    const numbers = Array.from({ length: 20_000 }, (_, i) => i);
    const sessions = numbers.slice(1).map((channel) => frame(begin(), { channel }));
    const links = numbers.map((i) =>
      [
        ...(i % 64 === 0 && i > 0 ? frame(begin(), { channel: i / 64 }) : []),
        ...frame(attach({ 0: text(`link ${i}`), 1: uint(i % 64) }), { channel: Math.floor(i / 64) }),
      ] as Bytes
    );
    await using hub = await startHub();
    assert.equal(await RawPeer.refusal(hub.listener.port, ...sessions), "amqp:not-allowed");
    assert.equal(await RawPeer.refusal(hub.listener.port, ...links), "amqp:resource-limit-exceeded");
  });

  test("messages that never end", async () => {
    const part = new Array(60_000).fill(0);
    const [large, small] = [part, [0]].map((payload) => frame(transfer(payload, { 5: TRUE })));
    await using hub = await startHub();
    const { port } = hub.listener;
    const condition = "amqp:link:message-size-exceeded";
    assert.equal(await RawPeer.answerTo(port, ...LINK, ...new Array(5).fill(large)), condition);
    // However small the parts are, each takes memory.
    assert.equal(
      await RawPeer.answerTo(port, ...LINK, ...new Array(2_100).fill(small)),
      "amqp:resource-limit-exceeded",
    );
  });

  test("transfers that cannot be", async () => {
    await refuses(
      fc.constantFrom<Bytes>(
        transfer([]),
        transfer(data([1]), { 1: NULL }),
        transfer(data([1]), { 2: NULL }),
        transfer(data([1]), { 2: binary(new Uint8Array(40)) }),
        transfer(data([1]), { 0: uint(1) }),
        transfer(data([1]), { 9: TRUE }),
      ),
      (body) => [...LINK, frame(body)],
      /decode-error|unattached-handle|not-implemented/,
    );
  });

  test("frames out of order", async () => {
    await refuses(
      fc.constantFrom<Bytes[]>(
        [frame(begin())],
        [frame(open()), frame(open())],
        [frame(attach())],
        [frame(open()), frame(disposition())],
        [frame(open()), frame(begin()), frame(performative(0x17, [], {})), frame(attach())],
      ),
      (frames) => [header(), ...frames],
      "amqp:not-allowed",
    );
  });

  test("SASL that is none, and AMQP that does not wait for its end", async () => {
    const init = performative(0x41, [symbol("ANONYMOUS")], {});
    await using hub = await startHub();
    for (
      const parts of [
        [frame(performative(0x41, [uint(1)], {}), { type: 1 })],
        [frame(init, { type: 0 })],
        [frame(open(), { type: 1 })],
        [frame(init, { type: 1, size: 2 ** 31 })],
        [frame(performative(0x43, [binary([])], {}), { type: 1 })],
        [frame(init, { type: 1 }), header(), frame(open())],
      ]
    ) {
      await RawPeer.answerTo(hub.listener.port, header(3), ...parts);
      await using client = new BareClient(hub.listener.port, { username: "anonymous" });
      assert.deepEqual(await client.putToken(), [200, "OK"]);
    }
  });
});

test("A hub answers one sasl-init, and no more of them", async () => {
  const init = frame(performative(0x41, [symbol("none of the hub's")], {}), { type: 1 });
  await using hub = await startHub();
  for (const more of [init, frame(performative(0x43, [binary([])], {}), { type: 1 })]) {
    using peer = new RawPeer(hub.listener.port);
    // The last one would end the connection in any case.
    peer.write(header(3), init, ...new Array(5_000).fill(more), frame([], { size: 4 }));
    // What comes with the end is no SASL.
    const [answer = ""] = (await peer.answered).split("AMQP\0");
    assert.ok(answer.split("\0\x53\x44").length <= 2, "at most one outcome");
  }
});

describe("A hub takes", () => {
  test("frames that come in pieces of any size", async () => {
    await using hub = await startHub();
    const body = described(0x77, text("x"));
    const all = [
      ...LINK,
      frame(transfer(body.slice(0, 3), { 5: TRUE })),
      frame([]),
      frame(transfer(body.slice(3))),
      frame(close("amqp:internal-error")),
    ].flat();
    await holds(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), async (sizes) => {
        using peer = new RawPeer(hub.listener.port);
        for (let at = 0, i = 0; at < all.length; at += sizes[i++ % sizes.length]!) {
          peer.write(all.slice(at, at + sizes[i % sizes.length]!));
        }
        // An accepted message, and a close without an error.
        const answer = await peer.answered;
        assert.ok(answer.includes("\x00\x53\x24"), "accepted");
        assert.doesNotMatch(answer, /amqp:/);
      }),
      10,
    );
  });

  test("what a client still says of a session that it has ended, and takes its messages on the next", async () => {
    await using hub = await startHub();
    const [detach, end] = [performative(0x16, [uint(0), TRUE], {}), performative(0x17, [], {})];
    const late = fc.array(fc.constantFrom(flow(), flow({ 4: uint(0) }), disposition(), detach), { minLength: 1 });
    await holds(
      fc.asyncProperty(late, async (bodies) => {
        using peer = new RawPeer(hub.listener.port);
        const rest = [frame(transfer(described(0x77, text("x")))), frame(close("amqp:internal-error"))];
        peer.write(
          ...LINK,
          frame(end),
          ...bodies.map((body) => frame(body)),
          ...SESSION.slice(2),
          frame(attach()),
          ...rest,
        );
        const answer = await peer.answered;
        assert.ok(answer.includes("\x00\x53\x24"), "accepted");
        assert.doesNotMatch(answer, /amqp:/);
      }),
      10,
    );
  });

  test("an idle time-out of any length without writing all the time", async () => {
    await using hub = await startHub();
    for (const timeout of [1, 2 ** 32 - 1]) {
      using peer = new RawPeer(hub.listener.port);
      peer.write(header(), frame(open({ 4: uint(timeout) })));
      setTimeout(() => peer.write(frame(close("amqp:internal-error"))), 300);
      const heartbeats = (await peer.answered).split("\x00\x00\x00\x08\x02\x00\x00\x00").length - 1;
      assert.ok(heartbeats < 10, `${heartbeats} heartbeats`);
    }
  });
});

test("A whole hub goes on after a thousand broken connections", async () => {
  await using hub = new LocalHub();
  const port = Number((await hub.listen({ amqp: 0 })).amqp!.split(":").at(-1));
  const attack = frame(transfer(described(0x77, array([0x40], [], { count: 2 ** 32 - 1 }))));
  await Promise.all(Array.from({ length: 100 }, async () => {
    for (let i = 0; i < 10; i++) {
      assert.equal(await RawPeer.answerTo(port, ...LINK, attack), "amqp:resource-limit-exceeded");
    }
  }));
});
