import fc from "fast-check";
import { joinBytes } from "../../lib/values/join_bytes.ts";

const CONTINUATION = 0;
const BINARY = 2;
const CLOSE = 8;
const FIN = 0x80;
const MASKED = 0x80;

/** One frame of a WebSocket, as it is written. */
interface WebSocketFrame {
  /** The first byte: the flags and the opcode. */
  readonly first: number;
  readonly isMasked: boolean;
  readonly payload: Uint8Array;
  /** What is said of its length in place of the truth, in eight bytes. */
  readonly length?: bigint | undefined;
}

/** One thing that is made wrong in the frames of a WebSocket. */
export interface WebSocketMutation {
  /** Which message. */
  readonly message: number;
  readonly change:
    | { readonly kind: "first"; readonly value: number }
    | { readonly kind: "mask" }
    | { readonly kind: "length"; readonly value: bigint }
    /** Frames of another kind before it, which are right for some kinds and sizes. */
    | { readonly kind: "before"; readonly first: number; readonly size: number; readonly times: number }
    /** Right, but unusual. */
    | { readonly kind: "parts"; readonly size: number };
}

export const WEB_SOCKET_MUTATIONS: fc.Arbitrary<WebSocketMutation> = fc.record({
  message: fc.nat(5),
  change: fc.oneof(
    fc.record({ kind: fc.constant("first" as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant("mask" as const) }),
    fc.record({
      kind: fc.constant("length" as const),
      value: fc.constantFrom(0n, 1n, 125n, 65_536n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
    }),
    fc.record({
      kind: fc.constant("before" as const),
      first: fc.constantFrom(...[0x88, 0x89, 0x8a, 0x09, 0x81, 0x01, 0x82, 0x80, 0x00, 0xc2, 0x8b]),
      size: fc.constantFrom(0, 1, 2, 125, 126, 70_000),
      times: fc.constantFrom(1, 2, 100, 3_000),
    }),
    fc.record({ kind: fc.constant("parts" as const), size: fc.constantFrom(1, 7, 1_000) }),
  ),
});

/** What one side of a WebSocket writes and reads, once it is open. */
export class WebSocketFraming {
  readonly #isClient: boolean;
  readonly #mutations: ReadonlyMap<number, WebSocketMutation>;
  #count = 0;
  #unread: Uint8Array = new Uint8Array();

  constructor(isClient: boolean, mutations: readonly WebSocketMutation[]) {
    this.#isClient = isClient;
    this.#mutations = new Map(mutations.map((mutation) => [mutation.message, mutation]));
  }

  /** A message, with what is to be wrong. */
  write(payload: Uint8Array): Uint8Array {
    const frame = { first: FIN | BINARY, isMasked: this.#isClient, payload };
    const change = this.#mutations.get(this.#count++)?.change;
    const frames = change === undefined ? [frame] : framesFor(frame, change);
    return joinBytes(frames.map(writeFrame));
  }

  /** The payloads that a well-behaved peer has sent. */
  read(chunk: Uint8Array): Uint8Array[] {
    this.#unread = joinBytes([this.#unread, chunk]);
    const payloads: Uint8Array[] = [];
    for (;;) {
      const frame = readFrame(this.#unread);
      if (frame === undefined) return payloads;
      this.#unread = this.#unread.subarray(frame.end);
      if (frame.opcode < CLOSE) payloads.push(frame.payload);
    }
  }
}

const MOST_BYTES = 4_000_000;

function framesFor(frame: WebSocketFrame, change: WebSocketMutation["change"]): WebSocketFrame[] {
  const { first, isMasked, payload } = frame;
  switch (change.kind) {
    case "first":
      return [{ ...frame, first: change.value }];
    case "mask":
      return [{ ...frame, isMasked: !isMasked }];
    case "length":
      return [{ ...frame, length: change.value }];
    case "before": {
      const other = { first: change.first, isMasked, payload: new Uint8Array(change.size).fill(3) };
      const times = Math.min(change.times, Math.ceil(MOST_BYTES / (change.size + 10)));
      return [...new Array(times).fill(other), frame];
    }
    case "parts": {
      const parts: WebSocketFrame[] = [];
      const size = Math.max(change.size, Math.ceil(payload.length / 1_000));
      for (let at = 0; at < payload.length; at += size) {
        const isLast = at + size >= payload.length;
        const opcode = at === 0 ? first & 0x0f : CONTINUATION;
        parts.push({ first: (isLast ? FIN : 0) | opcode, isMasked, payload: payload.subarray(at, at + size) });
      }
      return parts;
    }
  }
}

function writeFrame({ first, isMasked, payload, length }: WebSocketFrame): Uint8Array {
  const head = new DataView(new ArrayBuffer(14));
  let at = 2;
  let short = payload.length;
  if (length !== undefined) {
    short = 127;
    head.setBigUint64(at, length);
    at += 8;
  } else if (payload.length > 125) {
    short = payload.length > 0xffff ? 127 : 126;
    if (short === 127) head.setBigUint64(at, BigInt(payload.length));
    else head.setUint16(at, payload.length);
    at += short === 127 ? 8 : 2;
  }
  head.setUint8(0, first);
  head.setUint8(1, (isMasked ? MASKED : 0) | short);
  // A mask of zeros leaves the payload as it is.
  if (isMasked) at += 4;
  return joinBytes([new Uint8Array(head.buffer, 0, at), payload]);
}

function readFrame(bytes: Uint8Array): { opcode: number; payload: Uint8Array; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isMasked = (bytes[1]! & MASKED) !== 0;
  const short = bytes[1]! & 0x7f;
  let at = short === 127 ? 10 : short === 126 ? 4 : 2;
  const start = at + (isMasked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = short === 127 ? Number(view.getBigUint64(2)) : short === 126 ? view.getUint16(2) : short;
  const end = start + length;
  if (bytes.length < end) return undefined;
  const mask = bytes.subarray(at, at += isMasked ? 4 : 0);
  const payload = bytes.slice(start, end).map((byte, index) => byte ^ (isMasked ? mask[index % 4]! : 0));
  return { opcode: bytes[0]! & 0x0f, payload, end };
}
