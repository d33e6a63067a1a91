/** AMQP encoded by hand, so that it can be wrong in every way. Sizes and counts are right unless told otherwise. */
export type Bytes = readonly number[];

export const NULL: Bytes = [0x40];
export const TRUE: Bytes = [0x41];
export const FALSE: Bytes = [0x42];

export function uint(value: number): Bytes {
  return value === 0 ? [0x43] : value < 256 ? [0x52, value] : [0x70, ...word(value)];
}

export function ushort(value: number): Bytes {
  return [0x60, value >>> 8, value & 0xff];
}

export function ulong(value: number): Bytes {
  return value < 256 ? [0x53, value] : [0x80, ...word(Math.floor(value / 2 ** 32)), ...word(value)];
}

export function timestamp(high: number, low: number): Bytes {
  return [0x83, ...word(high), ...word(low)];
}

export function text(value: string): Bytes {
  return sized(0xa1, new TextEncoder().encode(value));
}

export function symbol(value: string): Bytes {
  return sized(0xa3, new TextEncoder().encode(value));
}

export function binary(value: Iterable<number>): Bytes {
  return sized(0xa0, Uint8Array.from(value));
}

interface Lies {
  size?: number;
  count?: number;
}

export function list(items: readonly Bytes[], lies: Lies = {}): Bytes {
  return compound(0xd0, items, lies);
}

export function map(items: readonly Bytes[], lies: Lies = {}): Bytes {
  return compound(0xd1, items, lies);
}

/** An array, given the constructor of its elements and the elements without theirs. */
export function array(constructor: Bytes, items: readonly Bytes[], { size, count = items.length }: Lies = {}): Bytes {
  const content = [...word(count), ...constructor, ...items.flat()];
  return [0xf0, ...word(size ?? content.length), ...content];
}

export function described(descriptor: number, value: Bytes): Bytes {
  return [0x00, ...ulong(descriptor), ...value];
}

/** The header of the protocol, or of SASL. */
export function header(protocol = 0): Bytes {
  return [0x41, 0x4d, 0x51, 0x50, protocol, 1, 0, 0];
}

/** One frame. */
export function frame(
  body: Bytes,
  { channel = 0, type = 0, offset = 2, size = body.length + 8 }: {
    channel?: number;
    type?: number;
    offset?: number;
    size?: number;
  } = {},
): Bytes {
  return [...word(size), offset, type, channel >>> 8, channel & 0xff, ...body];
}

/** The performatives with what they have to have, any field of which can be given. */
export function open(fields: Record<number, Bytes> = {}): Bytes {
  return performative(0x10, [text("peer")], fields);
}

export function begin(fields: Record<number, Bytes> = {}): Bytes {
  return performative(0x11, [NULL, uint(0), uint(2048), uint(2048)], fields);
}

/** Attaches a link on which the peer sends, to the hub's node for tokens. */
export function attach(fields: Record<number, Bytes> = {}): Bytes {
  const [source, target] = [described(0x28, list([])), described(0x29, list([text("$cbs")]))];
  return performative(0x12, [text("link"), uint(0), FALSE, NULL, NULL, source, target, NULL, NULL, uint(0)], fields);
}

export function flow(fields: Record<number, Bytes> = {}): Bytes {
  return performative(0x13, [NULL, uint(2048), uint(0), uint(2048)], fields);
}

/** Transfers a message, or a part of one. */
export function transfer(payload: Bytes, fields: Record<number, Bytes> = {}): Bytes {
  return [...performative(0x14, [uint(0), uint(0), binary([1]), uint(0)], fields), ...payload];
}

export function disposition(fields: Record<number, Bytes> = {}): Bytes {
  return performative(0x15, [TRUE, uint(0)], fields);
}

export function close(condition: string, description: Bytes = NULL): Bytes {
  return performative(0x18, [error(symbol(condition), description)], {});
}

export function error(condition: Bytes, description: Bytes = NULL): Bytes {
  return described(0x1d, list([condition, description]));
}

export function data(bytes: Iterable<number>): Bytes {
  return described(0x75, binary(bytes));
}

/** A section of properties, given some of them by number. */
export function properties(fields: Record<number, Bytes>): Bytes {
  return performative(0x73, [], fields);
}

export function performative(code: number, usual: readonly Bytes[], fields: Record<number, Bytes>): Bytes {
  const all = [...usual];
  for (const [index, value] of Object.entries(fields)) {
    while (all.length <= Number(index)) all.push(NULL);
    all[Number(index)] = value;
  }
  return described(code, list(all));
}

export function word(value: number): Bytes {
  return [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
}

function sized(code: number, bytes: Uint8Array): Bytes {
  return bytes.byteLength < 256
    ? [code, bytes.byteLength, ...bytes]
    : [code + 0x10, ...word(bytes.byteLength), ...bytes];
}

function compound(code: number, items: readonly Bytes[], { size, count = items.length }: Lies): Bytes {
  const content = [...word(count), ...items.flat()];
  return [code, ...word(size ?? content.length), ...content];
}
