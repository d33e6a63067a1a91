import fc from "fast-check";
import {
  attach,
  begin,
  type Bytes,
  data,
  described,
  disposition,
  FALSE,
  flow,
  frame,
  list,
  NULL,
  open,
  performative,
  symbol,
  text,
  transfer,
  TRUE,
  uint,
  ulong,
  ushort,
  word,
} from "../support/amqp_bytes.ts";
import { type AmqpFrame, type AmqpNode, nodesOf, readFrame, writeFrame, writeNode } from "./amqp_tree.ts";
import { EDGES, VALUES } from "./amqp_values.ts";

/** One thing that is made wrong in a conversation. */
export interface AmqpMutation {
  /** Which frame, in percent of the conversation. */
  readonly place: number;
  /** Which value of it, counted round and round. */
  readonly node: number;
  readonly change: AmqpChange;
}

/** What is made wrong. */
export type AmqpChange =
  /** A value becomes another one, mostly of another type. */
  | { readonly kind: "value"; readonly value: Bytes }
  /** The same bytes are said to be of another type. */
  | { readonly kind: "constructor"; readonly code: number }
  | { readonly kind: "size" | "count"; readonly value: number }
  /** The bytes of a value become the most, the least, or others. */
  | { readonly kind: "range"; readonly bytes: Bytes }
  | { readonly kind: "nested"; readonly depth: number; readonly shape: "list" | "map" | "described" }
  | { readonly kind: "drop item" | "swap items" }
  | { readonly kind: "repeat item"; readonly times: number }
  | { readonly kind: "channel" | "type" | "offset" | "frame size"; readonly value: number }
  | { readonly kind: "drop frame" | "swap frames" }
  | { readonly kind: "repeat frame"; readonly times: number }
  | { readonly kind: "cut frame"; readonly at: number }
  | { readonly kind: "insert"; readonly bytes: Bytes };

const TIMES = fc.oneof(fc.integer({ min: 2, max: 5 }), fc.constantFrom(20, 100, 300), fc.constantFrom(1_000, 5_000));

const SMALL = fc.integer({ min: 0, max: 5 });

/** Performatives that are right in themselves, where nobody expects them. */
const PERFORMATIVES: fc.Arbitrary<Bytes> = fc.tuple(
  fc.oneof(
    fc.constantFrom<Bytes>(
      [],
      open(),
      begin(),
      begin({ 0: ushort(0) }),
      attach({ 0: text("other"), 1: uint(9) }),
      attach({ 0: text("other"), 1: uint(9), 2: TRUE }),
      flow(),
      flow({ 9: TRUE }),
      performative(0x17, [], {}),
      performative(0x18, [], {}),
    ),
    SMALL.map((handle) => flow({ 4: uint(handle), 5: uint(0), 6: uint(1_000), 8: TRUE, 9: TRUE })),
    SMALL.map((handle) => performative(0x16, [uint(handle), TRUE], {})),
    fc.tuple(SMALL, SMALL).map(([handle, id]) => transfer(data([1]), { 0: uint(handle), 1: uint(id) })),
    fc.tuple(fc.constantFrom(TRUE, FALSE), SMALL, SMALL, fc.constantFrom(0x23, 0x24, 0x25, 0x26, 0x27)).map(
      ([role, first, count, state]) =>
        disposition({ 0: role, 1: uint(first), 2: uint(first + count), 3: TRUE, 4: described(state, list([])) }),
    ),
    // sasl-mechanisms, init, challenge, response and outcome
    fc.constantFrom(0x40, 0x41, 0x42, 0x43, 0x44).map((code) => performative(code, [symbol("PLAIN")], {})),
  ),
  fc.constantFrom(0, 0, 0, 1, 7),
  fc.constantFrom(0, 0, 0, 0, 1),
).map(([body, channel, type]) => frame(body, { channel, type }));

const CHANGES: fc.Arbitrary<AmqpChange> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("value"), value: VALUES }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("constructor"), code: fc.nat(255) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("size", "count"), value: EDGES }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("range"),
      bytes: fc.oneof(
        fc.constantFrom([0], [0xff], [0x80, 0], [0x7f, 0xff]),
        fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("nested"),
      depth: fc.constantFrom(1, 10, 31, 33, 300, 2_000),
      shape: fc.constantFrom("list", "map", "described"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("drop item", "swap items") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat item"), times: TIMES }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("channel", "type", "offset", "frame size"), value: EDGES }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("drop frame", "swap frames") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat frame"), times: TIMES }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut frame"), at: fc.nat(100) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("insert"),
      bytes: fc.oneof(
        { weight: 1, arbitrary: fc.array(fc.nat(255), { minLength: 1, maxLength: 40 }) },
        { weight: 1, arbitrary: VALUES.map((value) => frame(value)) },
        { weight: 4, arbitrary: PERFORMATIVES },
      ),
    }),
  },
);

const MOST_REPEATED_BYTES = 1_000_000;

/** What is late comes to a peer that has got further. */
const PLACES = fc.oneof({ weight: 1, arbitrary: fc.nat(99) }, {
  weight: 2,
  arbitrary: fc.integer({ min: 45, max: 99 }),
});

/** Mutations, mostly one. */
export const AMQP_MUTATIONS: fc.Arbitrary<AmqpMutation[]> = fc.array(
  fc.record({ place: PLACES, node: fc.nat(200), change: CHANGES }),
  { minLength: 1, maxLength: 3, size: "-1" },
);

/** Makes a conversation wrong, frame by frame. */
export class AmqpMutator {
  readonly #mutations: ReadonlyMap<number, AmqpMutation>;
  #count = 0;
  #held: Bytes[] = [];

  /** `length` is how many frames the conversation has, or will have if all goes well. */
  constructor(mutations: readonly AmqpMutation[], length: number) {
    this.#mutations = new Map(mutations.map((mutation) => [Math.floor(mutation.place * length / 100), mutation]));
  }

  /** What is written in place of the next frame, or header of a protocol. */
  write(next: Bytes): Bytes[] {
    const mutation = this.#mutations.get(this.#count++);
    if (mutation?.change.kind === "swap frames") {
      this.#held.push(next);
      return [];
    }
    return [...(mutation === undefined ? [next] : mutated(next, mutation)), ...this.#held.splice(0)];
  }
}

function mutated(bytes: Bytes, { node, change }: AmqpMutation): Bytes[] {
  switch (change.kind) {
    case "drop frame":
      return [];
    case "repeat frame": {
      // What is large is not repeated so often that the test itself needs much memory.
      const times = Math.min(change.times, Math.ceil(MOST_REPEATED_BYTES / bytes.length));
      return new Array(times).fill(bytes);
    }
    case "cut frame":
      return [bytes.slice(0, change.at % bytes.length)];
    case "insert":
      return [bytes, change.bytes];
    default:
  }
  if (isHeader(bytes)) return [bytes.map((byte, index) => index === node % bytes.length ? node : byte)];
  const frame = readFrame(bytes);
  if (!mutateFrame(frame, change)) {
    const nodes = nodesOf(frame);
    if (nodes.length > 0) mutateNode(nodes[node % nodes.length]!, change);
  }
  return [writeFrame(frame)];
}

function isHeader(bytes: Bytes): boolean {
  return bytes[0] === 0x41 && bytes[1] === 0x4d;
}

/** Returns whether the change is one of the frame and not of a value in it. */
function mutateFrame(frame: AmqpFrame, change: AmqpChange): boolean {
  switch (change.kind) {
    case "channel":
      frame.channel = change.value & 0xffff;
      return true;
    case "type":
    case "offset":
      frame[change.kind] = change.value & 0xff;
      return true;
    case "frame size":
      frame.size = change.value;
      return true;
    default:
      return false;
  }
}

function mutateNode(node: AmqpNode, change: AmqpChange): void {
  switch (change.kind) {
    case "value":
      node.raw = change.value;
      break;
    case "constructor":
      node.raw = [change.code, ...writeNode(node).slice(1)];
      break;
    case "size":
    case "count":
      node[change.kind] = change.value;
      break;
    case "range": {
      const { bytes } = change;
      if (node.bytes !== undefined) node.bytes = node.bytes.map((_, index) => bytes[index % bytes.length]!);
      break;
    }
    case "nested":
      node.raw = nested(writeNode(node), change.depth, WRAPPERS[change.shape]);
      break;
    default:
      if (node.items !== undefined) mutateItems(node.items, change);
  }
}

/** What goes before a value of so many bytes that it becomes one in a value. */
const WRAPPERS: Readonly<Record<"list" | "map" | "described", (size: number) => Bytes>> = {
  list: (size) => [0xd0, ...word(size + 4), ...word(1)],
  map: (size) => [0xd1, ...word(size + 5), ...word(2), ...NULL],
  described: () => [0x00, ...ulong(0x77)],
};

function nested(value: Bytes, depth: number, before: (size: number) => Bytes): Bytes {
  const parts = [value];
  let size = value.length;
  for (let i = 0; i < depth; i++) {
    const part = before(size);
    parts.push(part);
    size += part.length;
  }
  return parts.reverse().flat();
}

function mutateItems(items: AmqpNode[], change: AmqpChange): void {
  if (change.kind === "drop item") items.pop();
  else if (change.kind === "swap items") items.reverse();
  else if (change.kind === "repeat item" && items.length > 0) {
    const last = items.at(-1)!;
    const raw = writeNode(last);
    const times = Math.min(change.times, Math.ceil(MOST_REPEATED_BYTES / raw.length));
    items.push(...new Array(times).fill(last));
  }
}
