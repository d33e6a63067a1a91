import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import { AmqpFault } from "../../lib/amqp_guard/amqp_fault.ts";
import { checkMessage } from "../../lib/amqp_guard/check_message.ts";
import { CompositeReader } from "../../lib/amqp_guard/composite_reader.ts";
import { FrameGuard } from "../../lib/amqp_guard/frame_guard.ts";
import { HUB_LIMITS } from "../../lib/local/amqp/hub_limits.ts";
import {
  array,
  attach,
  begin,
  binary,
  type Bytes,
  described,
  disposition,
  flow,
  frame,
  header,
  list,
  map,
  NULL,
  open,
  symbol,
  text,
  timestamp,
  transfer,
  TRUE,
  uint,
  ulong,
  ushort,
} from "../support/amqp_bytes.ts";
import { holds } from "../support/properties.ts";

const RUNS = 3_000;

const SCALARS: fc.Arbitrary<Bytes> = fc.oneof(
  fc.constantFrom(NULL, TRUE, [0x42], [0x44], [0x56, 1], [0x50, 9], [0x61, 1, 2], [0x72, 0, 0, 0, 0]),
  fc.nat().map(uint),
  fc.nat().map(ulong),
  fc.nat(0xffff).map(ushort),
  fc.nat().map((low) => timestamp(400, low)),
  fc.string().map(text),
  fc.stringMatching(/^[a-z]{0,9}$/).map(symbol),
  fc.uint8Array({ maxLength: 300 }).map(binary),
);
const { value: VALUES } = fc.letrec<{ value: Bytes }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    SCALARS,
    fc.constant<Bytes>([0x45]),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => list(items)),
    fc.array(fc.tuple(fc.string().map(text), tie("value")), { maxLength: 3 }).map((pairs) => map(pairs.flat())),
    fc.tuple(fc.nat(255), tie("value")).map(([code, value]) => described(code, value)),
    fc.array(fc.nat().map((value) => uint(value + 256).slice(1)), { maxLength: 5 }).map((all) => array([0x70], all)),
  ),
}));
const KEYED = fc.array(fc.tuple(fc.string().map(text), SCALARS).map((pair) => pair.flat()), { maxLength: 4 });
const ANNOTATIONS = fc.array(fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/).map(symbol), VALUES).map((p) => p.flat()), {
  maxLength: 3,
});
/** Whole messages, as a client may write them. */
const MESSAGES: fc.Arbitrary<Bytes> = fc.tuple(
  ANNOTATIONS.map((pairs) => described(0x72, doubled(pairs))),
  fc.string().map((to) => described(0x73, list([ulong(7), binary([1]), text(to), NULL, NULL, text("id")]))),
  KEYED.map((pairs) => described(0x74, doubled(pairs))),
  fc.oneof(VALUES.map((value) => described(0x77, value)), fc.uint8Array().map((all) => described(0x75, binary(all)))),
).map((sections) => sections.flat());

/** A map, given each key and its value in one. */
function doubled(pairs: Bytes[]): Bytes {
  return map(pairs, { count: 2 * pairs.length });
}

/** Bytes of which some are others: sizes, counts and types are hit, and often become the most or the least. */
function mutated(bytes: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  const place = fc.nat(9_999).map((part) => part / 10_000);
  const change = fc.oneof(
    // One byte for another, which may still be right.
    fc.record({ place, values: fc.nat(255).map((value) => [value]), removed: fc.constant(1) }),
    fc.record({ place, values: fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0]), removed: fc.constant(4) }),
    fc.record({ place, values: fc.constantFrom([0x40], [0x45], [0xf0], [0xd1], [0x83]), removed: fc.constant(1) }),
    fc.record({ place, values: fc.array(fc.nat(255), { maxLength: 4 }), removed: fc.nat(4) }),
  );
  return fc.tuple(bytes, fc.array(change, { minLength: 1, maxLength: 2 })).map(([all, changes]) => {
    const changed = [...all];
    for (const { place, values, removed } of changes) {
      changed.splice(Math.floor(place * changed.length), removed, ...values);
    }
    return changed;
  });
}

/** What the guard says of a message: nothing if it may be decoded. */
function faultOf(message: Bytes): AmqpFault | undefined {
  try {
    checkMessage(new CompositeReader(), Uint8Array.from(message), 0, message.length);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof AmqpFault, String(error));
    return error;
  }
}

function decode(message: Bytes): Record<string, unknown> {
  return rhea.message.decode(Buffer.from(message)) as unknown as Record<string, unknown>;
}

describe("The guard", () => {
  test("lets every message pass that is one", async () => {
    await holds(
      fc.property(MESSAGES, (message) => {
        assert.equal(faultOf(message), undefined);
        decode(message);
      }),
      RUNS,
    );
  });

  test("lets none pass that the library cannot decode, or decodes to something of another type", async () => {
    const TEXTS = ["to", "subject", "reply_to", "content_type", "content_encoding", "group_id", "reply_to_group_id"];
    let [passed, refused] = [0, 0];
    await holds(
      fc.property(mutated(MESSAGES), (message) => {
        if (faultOf(message) !== undefined) return void refused++;
        passed++;
        const decoded = decode(message);
        for (const name of TEXTS) assert.ok(["string", "undefined"].includes(typeof decoded[name]), name);
        for (const id of [decoded["message_id"], decoded["correlation_id"]]) {
          assert.ok(["string", "number", "undefined"].includes(typeof id) || id instanceof Uint8Array);
        }
        for (const value of Object.values(decoded["application_properties"] ?? {})) {
          assert.ok(
            typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Date,
          );
        }
      }),
      5 * RUNS,
    );
    assert.ok(passed > RUNS / 10 && refused > RUNS / 10, `${passed} passed, ${refused} were refused`);
  });

  test("takes time in proportion to the bytes, whatever they say", async () => {
    await holds(
      fc.property(mutated(MESSAGES), (message) => {
        const began = performance.now();
        faultOf(message);
        assert.ok(performance.now() - began < 200);
      }),
      RUNS,
    );
  });

  test("passes on what is whole, in order, and nothing after a fault, however it is cut into pieces", async () => {
    const good = [header(), frame(open()), frame(begin()), frame(attach()), frame([]), frame(flow())];
    const message = described(0x77, text("x".repeat(40)));
    good.push(frame(transfer(message.slice(0, 20), { 5: TRUE })), frame(transfer(message.slice(20))));
    const bad = fc.constantFrom(frame([], { size: 4 }), frame(disposition({ 2: uint(1e9) })), frame(open()), undefined);
    const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 });
    await holds(
      fc.property(bad, sizes, (fault, pieces) => {
        const passed: number[] = [];
        const faults: AmqpFault[] = [];
        const guard = new FrameGuard(HUB_LIMITS, {
          pass: (bytes) => void passed.push(...bytes),
          concat: (chunks) => Uint8Array.from(chunks.flatMap((chunk) => [...chunk])),
          hasSasl: () => false,
          isSaslDone: () => true,
          refuse: (error) => void faults.push(error),
        });
        const all = [...good, ...(fault === undefined ? [] : [fault, frame(flow())])].flat();
        for (let at = 0, i = 0; at < all.length; i++) {
          const size = pieces[i % pieces.length]!;
          guard.feed(Uint8Array.from(all.slice(at, at + size)));
          at += size;
        }
        assert.deepEqual(passed, good.flat());
        assert.equal(faults.length, fault === undefined ? 0 : 1);
      }),
      300,
    );
  });
});
