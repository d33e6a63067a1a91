import { AmqpFault, limitFault, notAllowed } from "./amqp_fault.ts";
import { CompositeReader } from "./composite_reader.ts";
import {
  ATTACH,
  BEGIN,
  CLOSE,
  COMPOSITES,
  DETACH,
  DISPOSITION,
  END,
  FLOW,
  OPEN,
  SASL_INIT,
  SASL_MECHANISMS,
  SASL_OUTCOME,
  TRANSFER,
} from "./composites.ts";
import { ConnectionState } from "./connection_state.ts";
import { type GuardLimits, LEAST_FRAME_SIZE, MAX_SETTLED_AT_ONCE, MAX_SETTLED_IN_TURN } from "./guard_limits.ts";
import { uint32At } from "./value_walker.ts";

/** What each side may say by SASL: each of these once, in this order. No mechanism that is used needs more. */
const SASL_OF_CLIENTS: readonly (number | undefined)[] = [SASL_INIT];
const SASL_OF_HUBS: readonly (number | undefined)[] = [SASL_MECHANISMS, SASL_OUTCOME];
const HEADER_SIZE = 8;
const SIZE_BYTES = 4;
const AMQP_FRAME = 0;
const SASL_FRAME = 1;
const AMQP_PROTOCOL = 0;
const SASL_PROTOCOL = 3;
/** The text "AMQP", with which a protocol header begins. As a size it would be a gigabyte. */
const HEADER_WORD = 0x414d5150;

/**
 * What libraries still say of a session after they have ended it: rhea does so when messages come between the end and its
 * answer. It has no meaning any more, and the decoder would take it for an error.
 */
const LATE: ReadonlySet<number> = new Set([FLOW, DISPOSITION, DETACH]);

/**
 * How a frame goes to the decoder. It keeps the parts of a message, and with them would keep all that it is passed together
 * with them, so a frame of which more is to come goes alone.
 */
type Way = "with others" | "alone" | "nowhere";

/** Where the bytes of a guarded stream go. */
export interface GuardedStream {
  /** Takes bytes that are whole frames and may be decoded. */
  pass(bytes: Uint8Array): void;
  /** Joins chunks, to bytes of the kind that the reader of the stream needs. */
  concat(chunks: Uint8Array[]): Uint8Array;
  /** Whether this side, a client, has begun SASL. */
  hasSasl(): boolean;
  /** Whether SASL, which the client has begun, is over. */
  isSaslDone(): boolean;
  /** Told what is wrong. Called once, and nothing is passed on after it. */
  refuse(fault: AmqpFault): void;
}

/**
 * Stands before the decoder of a stream of AMQP frames. Every frame is checked as a whole before the decoder sees any
 * of it: its size, the encoding of all that is in it, the types of the fields, the order of the frames, and whether the
 * peer keeps to what it was told.
 */
export class FrameGuard {
  readonly #limits: GuardLimits;
  readonly #stream: GuardedStream;
  readonly #state: ConnectionState;
  readonly #reader: CompositeReader = new CompositeReader();
  /** The beginning of a frame that has not come to its end. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** How many bytes must be there before there is something to check. */
  #needed = HEADER_SIZE;
  #phase: "header" | "sasl" | "frames" | "over" = "header";
  #saslFrames = 0;
  #hasOpened = false;
  #settledInTurn = 0;

  constructor(limits: GuardLimits, stream: GuardedStream) {
    this.#limits = limits;
    this.#stream = stream;
    this.#state = new ConnectionState(limits);
  }

  /** Takes bytes as they come from the peer. Never throws what the bytes are to blame for. */
  feed(chunk: Uint8Array): void {
    if (this.#phase === "over") return;
    const { maxChunkSize } = this.#limits;
    if (chunk.byteLength > maxChunkSize) {
      this.stop();
      return this.#stream.refuse(limitFault(`${chunk.byteLength} bytes came at once, more than ${maxChunkSize}`));
    }
    this.#size += chunk.byteLength;
    if (this.#size < this.#needed) return void this.#chunks.push(chunk);
    const bytes = this.#chunks.length === 0 ? chunk : this.#stream.concat([...this.#chunks, chunk]);
    this.#chunks = [];
    this.#settledInTurn = 0;
    this.#take(bytes);
  }

  /** Refuses all that comes from now on. */
  stop(): void {
    this.#phase = "over";
    this.#chunks = [];
  }

  /** Checks what is whole, passes it on, and keeps the rest. */
  #take(bytes: Uint8Array): void {
    let passed = 0;
    const passUntil = (end: number): void => {
      if (end > passed) this.#stream.pass(bytes.subarray(passed, end));
      passed = end;
    };
    let at = 0;
    try {
      // The phase is over as soon as the reader has failed, which may happen while it is passed a frame.
      while (this.#hasPhase()) {
        const size = this.#sizeAt(bytes, at);
        if (size > bytes.byteLength - at) {
          this.#needed = size;
          break;
        }
        if (this.#phase === "header" || this.#isHeader(bytes, at)) {
          passUntil(at);
          this.#takeHeader(bytes, at);
          passUntil(at + size);
        } else {
          const way = this.#check(bytes, at, at + size);
          if (way !== "with others") {
            passUntil(at);
            if (way === "alone") this.#stream.pass(this.#stream.concat([bytes.subarray(at, at + size)]));
            passed = at + size;
          }
        }
        at += size;
      }
    } catch (error) {
      if (!(error instanceof AmqpFault)) throw error;
      passUntil(at);
      if (!this.#hasPhase()) return;
      this.stop();
      return this.#stream.refuse(error);
    }
    passUntil(at);
    this.#size = bytes.byteLength - at;
    if (this.#size > 0 && this.#hasPhase()) this.#chunks = [bytes.subarray(at)];
  }

  #hasPhase(): boolean {
    return this.#phase !== "over";
  }

  /** How many bytes from `at` on belong together, as far as that can be told. */
  #sizeAt(bytes: Uint8Array, at: number): number {
    if (this.#phase === "header") return HEADER_SIZE;
    if (bytes.byteLength - at < SIZE_BYTES) return SIZE_BYTES;
    const size = uint32At(bytes, at);
    if (this.#isHeader(bytes, at)) return HEADER_SIZE;
    const { maxFrameSize } = this.#limits;
    if (size < HEADER_SIZE) throw framing(`A frame of ${size} bytes is shorter than its header`);
    if (size > maxFrameSize) throw framing(`A frame of ${size} bytes is above the max-frame-size of ${maxFrameSize}`);
    return size;
  }

  /** Whether the header of the next protocol follows, after SASL. */
  #isHeader(bytes: Uint8Array, at: number): boolean {
    return this.#phase === "sasl" && uint32At(bytes, at) === HEADER_WORD;
  }

  #takeHeader(bytes: Uint8Array, at: number): void {
    const protocol = bytes[at + 4];
    const isAmqp = uint32At(bytes, at) === HEADER_WORD && bytes[at + 5] === 1 && bytes[at + 6] === 0;
    if (isAmqp && protocol === AMQP_PROTOCOL) {
      if (this.#phase === "sasl" && !this.#stream.isSaslDone()) {
        throw notAllowed("AMQP begins before SASL is over");
      }
      this.#phase = "frames";
    } else if (isAmqp && protocol === SASL_PROTOCOL && this.#phase === "header" && this.#takesSasl()) {
      this.#phase = "sasl";
    } else {
      // Another protocol: the decoder says which, and the stream is over for this guard.
      this.#phase = "over";
    }
  }

  #takesSasl(): boolean {
    return this.#limits.isHub || this.#stream.hasSasl();
  }

  /** Checks a frame. */
  #check(bytes: Uint8Array, at: number, end: number): Way {
    const offset = bytes[at + 4]! * 4;
    const type = bytes[at + 5]!;
    if (offset < HEADER_SIZE || offset > end - at) throw framing(`A frame has the data offset ${bytes[at + 4]}`);
    if (type !== (this.#phase === "sasl" ? SASL_FRAME : AMQP_FRAME)) throw framing(`A frame has the type ${type}`);
    const start = at + offset;
    if (this.#phase === "sasl") {
      this.#checkSasl(bytes, start, end);
      return "with others";
    }
    // An empty frame, which says that the peer is still there.
    if (start === end) return "with others";
    const reader = this.#reader;
    reader.start(bytes);
    const code = reader.readDescriptor(start, end);
    if (code === undefined || code < OPEN || code > CLOSE) {
      throw new AmqpFault("amqp:not-implemented", "A frame has a descriptor that is not known");
    }
    const next = reader.read(COMPOSITES.get(code)!, reader.next, end);
    if (code !== TRANSFER && next !== end) throw framing("A frame goes on after its performative");
    return this.#follow(code, bytes[at + 6]! << 8 | bytes[at + 7]!, bytes, next, end);
  }

  #checkSasl(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader;
    reader.start(bytes);
    const code = reader.readDescriptor(start, end);
    const expected = this.#limits.isHub ? SASL_OF_CLIENTS : SASL_OF_HUBS;
    // The library would answer each frame.
    if (this.#saslFrames >= expected.length) throw notAllowed("SASL goes on after its beginning");
    if (code === undefined || code !== expected[this.#saslFrames++]) {
      throw framing(this.#limits.isHub ? "SASL does not begin with sasl-init" : "A SASL frame is out of place");
    }
    if (reader.read(COMPOSITES.get(code)!, reader.next, end) !== end) {
      throw framing("A SASL frame goes on after its end");
    }
  }

  /** Follows what a frame does to the connection, whose fields the reader holds. */
  #follow(code: number, channel: number, bytes: Uint8Array, next: number, end: number): Way {
    const { fields } = this.#reader;
    const state = this.#state;
    if (LATE.has(code) && state.hasEnded(channel)) return "nowhere";
    if ((code === OPEN) === this.#hasOpened) throw notAllowed("A connection has to begin with open, and to open once");
    switch (code) {
      case OPEN:
        this.#hasOpened = true;
        if ((fields[2] ?? LEAST_FRAME_SIZE) < LEAST_FRAME_SIZE) {
          throw invalidField(`A max-frame-size of ${fields[2]} is below ${LEAST_FRAME_SIZE}`);
        }
        break;
      case BEGIN:
        state.begin(channel, fields[0]);
        break;
      case ATTACH:
        state.attach(channel, fields[1]!, fields[2] === 1);
        break;
      case FLOW:
        state.use(channel, fields[4]);
        break;
      case TRANSFER:
        return state.transfer(channel, this.#reader, bytes, next, end) ? "alone" : "with others";
      case DISPOSITION:
        state.use(channel, undefined);
        this.#settle(fields[1]!, fields[2] ?? fields[1]!);
        break;
      case DETACH:
        state.detach(channel, fields[0]!);
        break;
      case END:
        state.end(channel);
        break;
      case CLOSE:
        this.#phase = "over";
        break;
      default:
    }
    return "with others";
  }

  /** Checks that a disposition does not name more messages than there can be. */
  #settle(first: number, last: number): void {
    const count = last - first + 1;
    if (count > MAX_SETTLED_AT_ONCE) throw invalidField(`A disposition is for ${count} messages`);
    this.#settledInTurn += Math.max(0, count);
    if (this.#settledInTurn > MAX_SETTLED_IN_TURN) throw limitFault("Dispositions repeat themselves");
  }
}

function framing(description: string): AmqpFault {
  return new AmqpFault("amqp:connection:framing-error", description);
}

function invalidField(description: string): AmqpFault {
  return new AmqpFault("amqp:invalid-field", description);
}
