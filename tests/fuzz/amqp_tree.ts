import { type Bytes, frame, word } from "../support/amqp_bytes.ts";

/** An encoded AMQP value as a tree, any part of which can be replaced, and which is then written with the right sizes. */
export interface AmqpNode {
  /** The constructor. 0 is that of a described value, whose items are the descriptor and the value. */
  code: number;
  /** What the value holds, unless it has items. */
  bytes?: Bytes;
  items?: AmqpNode[];
  /** What is written in place of the right size and count. */
  size?: number;
  count?: number;
  /** What is written in place of the whole value. */
  raw?: Bytes;
}

const DESCRIBED = 0x00;
/** How many bytes a value of fixed width has, by the first digit of its constructor. */
const WIDTHS: Readonly<Record<number, number>> = { 0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16 };
const EMPTY_LIST = 0x45;

/** Reads a value that is encoded without a mistake. */
export function readNode(bytes: Bytes, at: number): { node: AmqpNode; next: number } {
  const code = bytes[at++]!;
  if (code === DESCRIBED) {
    const descriptor = readNode(bytes, at);
    const value = readNode(bytes, descriptor.next);
    return { node: { code, items: [descriptor.node, value.node] }, next: value.next };
  }
  if (code === EMPTY_LIST) return { node: { code: 0xd0, items: [] }, next: at };
  const digit = code >>> 4;
  const width = WIDTHS[digit];
  if (width !== undefined) return { node: { code, bytes: bytes.slice(at, at + width) }, next: at + width };
  const isWide = (digit & 1) === 1;
  const size = isWide ? wordAt(bytes, at) : bytes[at]!;
  const start = at + (isWide ? 4 : 1);
  const next = start + size;
  // The elements of an array share a constructor, so that they are no values of their own.
  if (digit < 0xc || digit >= 0xe) return { node: { code, bytes: bytes.slice(start, next) }, next };
  const items: AmqpNode[] = [];
  for (let itemAt = start + (isWide ? 4 : 1); itemAt < next;) {
    const item = readNode(bytes, itemAt);
    items.push(item.node);
    itemAt = item.next;
  }
  return { node: { code: code | 0x10, items }, next };
}

/** Writes a value, with what it was told to lie about. */
export function writeNode({ code, bytes = [], items, size, count, raw }: AmqpNode): Bytes {
  if (raw !== undefined) return raw;
  const digit = code >>> 4;
  if (items === undefined) {
    if (digit < 0xa) return [code, ...bytes];
    return [code, ...number(size ?? bytes.length, digit), ...bytes];
  }
  const content = items.flatMap(writeNode);
  if (code === DESCRIBED || digit < 0xa) return [code, ...content];
  const counted = [...number(count ?? items.length, digit), ...content];
  return [code, ...number(size ?? counted.length, digit), ...counted];
}

/** A size or a count, in as many bytes as the constructor says. */
function number(value: number, digit: number): Bytes {
  return (digit & 1) === 1 ? word(value) : [value & 0xff];
}

export function wordAt(bytes: Bytes, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** A frame whose performative, and what follows it, can be changed. */
export interface AmqpFrame {
  channel: number;
  type: number;
  /** In words of four bytes. */
  offset: number;
  /** The performative and the sections of a message, of which there are none in a heartbeat. */
  nodes: AmqpNode[];
  /** What follows and is no whole value, such as a part of a message. */
  rest: Bytes;
  /** What is written in place of the right size. */
  size?: number;
}

/** Reads a frame that is encoded without a mistake. */
export function readFrame(bytes: Bytes): AmqpFrame {
  const frame: AmqpFrame = {
    channel: bytes[6]! << 8 | bytes[7]!,
    type: bytes[5]!,
    offset: bytes[4]!,
    nodes: [],
    rest: [],
  };
  let at = frame.offset * 4;
  while (at < bytes.length) {
    // The first is the performative; what follows it may be the middle of a message.
    if (frame.nodes.length > 0 && !isSection(bytes, at)) break;
    const { node, next } = readNode(bytes, at);
    if (!(next <= bytes.length)) break;
    frame.nodes.push(node);
    at = next;
  }
  frame.rest = bytes.slice(at);
  return frame;
}

function isSection(bytes: Bytes, at: number): boolean {
  return bytes[at] === DESCRIBED && bytes[at + 1] === 0x53 && bytes[at + 2]! >= 0x70 && bytes[at + 2]! <= 0x78;
}

/** Writes a frame, with what it was told to lie about. */
export function writeFrame({ nodes, rest, size, ...header }: AmqpFrame): Bytes {
  return frame([...nodes.flatMap(writeNode), ...rest], { ...header, ...(size !== undefined && { size }) });
}

/** The nodes of a frame, each before what is in it. */
export function nodesOf({ nodes }: AmqpFrame): AmqpNode[] {
  const all = (node: AmqpNode): AmqpNode[] => [node, ...(node.items ?? []).flatMap(all)];
  return nodes.flatMap(all);
}

/** The code of a frame's performative; `undefined` if it has none. */
export function codeOf({ nodes }: AmqpFrame): number | undefined {
  return nodes[0]?.items?.[0]?.bytes?.[0];
}

/** An unsigned number; 0 for what is none. */
export function numberOf(node: AmqpNode | undefined): number {
  return (node?.bytes ?? []).reduce((value, byte) => value * 256 + byte, 0);
}
