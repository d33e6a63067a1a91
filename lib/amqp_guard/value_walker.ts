import { type AmqpFault, decodeFault, limitFault } from "./amqp_fault.ts";
import { MAX_DEPTH, MAX_EMPTY_ELEMENTS } from "./guard_limits.ts";

/** The code with which a described value begins. */
export const DESCRIBED = 0x00;
const BOOLEAN = 0x56;
const TIMESTAMP = 0x83;
/** The most that a date can be away from 1970, in milliseconds. */
const MAX_TIME = 8.64e15;

/** The codes of all types. */
const CODES: ReadonlySet<number> = new Set([
  ...[0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x60, 0x61],
  ...[0x70, 0x71, 0x72, 0x73, 0x74, 0x80, 0x81, 0x82, 0x83, 0x84, 0x94, 0x98],
  ...[0xa0, 0xa1, 0xa3, 0xb0, 0xb1, 0xb3, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0, 0xf0],
]);

/** The bytes of a value of fixed width, by the high half of its code. */
const FIXED_WIDTHS = [0, 0, 0, 0, 0, 1, 2, 4, 8, 16];

/** Whether each code is that of a type, to look it up fast. */
const IS_TYPE: readonly boolean[] = Array.from({ length: 256 }, (_, code) => CODES.has(code));

/**
 * Walks over encoded values without decoding them. It never reads behind the end it is given, takes time in proportion
 * to the bytes, and throws an {@linkcode AmqpFault} where the bytes are not the encoding of a value.
 */
export class ValueWalker {
  #bytes: Uint8Array = new Uint8Array(0);
  #emptyElements = 0;

  /** Sets the bytes to walk over: those of a frame or of a message. */
  start(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#emptyElements = 0;
  }

  /** Returns the code of a value's type. */
  code(at: number, end: number): number {
    if (at >= end) throw cutOff();
    return this.#bytes[at]!;
  }

  /** Returns where the value ends that starts at `at`, which must be before `end`. */
  skip(at: number, end: number, depth: number = 0): number {
    const code = this.code(at, end);
    if (code !== DESCRIBED) return this.#skipContent(code, at + 1, end, depth);
    if (depth >= MAX_DEPTH) throw tooDeep();
    return this.skip(this.skipDescriptor(at + 1, end), end, depth + 1);
  }

  /** Returns where a descriptor ends. It is a number, or a symbol with a domain. */
  skipDescriptor(at: number, end: number): number {
    const code = this.code(at, end);
    const isNumber = code === 0x44 || code === 0x53 || code === 0x80;
    if (!isNumber && (code | 0x10) !== 0xb3) throw decodeFault(`A descriptor has the type ${hex(code)}`);
    const next = this.#skipContent(code, at + 1, end, 0);
    if (!isNumber && !this.#bytes.subarray(at, next).includes(0x3a)) {
      throw decodeFault("A descriptor is a symbol without a domain");
    }
    return next;
  }

  /** Returns where the values of a list, map or array begin, and checks that they end before `end`. */
  contentOf(code: number, at: number, end: number): number {
    if (code === 0x45) return at;
    const width = isWide(code) ? 4 : 1;
    const start = at + 2 * width;
    if (start > end || this.endOf(code, at, end) < start) throw cutOff();
    return start;
  }

  /** Returns where a list, map or array ends, given where its size is. */
  endOf(code: number, at: number, end: number): number {
    if (code === 0x45) return at;
    const width = isWide(code) ? 4 : 1;
    if (at + width > end) throw cutOff();
    const next = at + width + this.#size(code, at);
    if (next > end) throw decodeFault("A list, map or array is larger than what it is in");
    return next;
  }

  /** Returns how many values a list, map or array says that it has. */
  countOf(code: number, at: number): number {
    if (code === 0x45) return 0;
    return isWide(code) ? this.uint32(at + 4) : this.#bytes[at + 1]!;
  }

  uint32(at: number): number {
    return uint32At(this.#bytes, at);
  }

  #size(code: number, at: number): number {
    return isWide(code) ? this.uint32(at) : this.#bytes[at]!;
  }

  #skipContent(code: number, at: number, end: number, depth: number): number {
    if (!IS_TYPE[code]) throw decodeFault(`No type has the code ${hex(code)}`);
    if (code < 0xa0) {
      const next = at + FIXED_WIDTHS[code >>> 4]!;
      if (next > end) throw cutOff();
      if (code === TIMESTAMP) this.#checkTime(at);
      if (code === BOOLEAN && this.#bytes[at]! > 1) throw decodeFault(`${this.#bytes[at]} is no boolean`);
      return next;
    }
    if (code < 0xc0) {
      const width = isWide(code) ? 4 : 1;
      if (at + width > end) throw cutOff();
      const next = at + width + this.#size(code, at);
      if (next > end) throw cutOff();
      return next;
    }
    if (depth >= MAX_DEPTH) throw tooDeep();
    const start = this.contentOf(code, at, end);
    const next = this.endOf(code, at, end);
    const count = this.countOf(code, at);
    const reached = code >= 0xe0
      ? this.#skipElements(count, start, next, depth + 1)
      : this.#skipValues(count, start, next, depth + 1, (code & 0x0f) === 1);
    if (reached !== next) throw decodeFault("A list, map or array ends before its size says so");
    return next;
  }

  #skipValues(count: number, start: number, end: number, depth: number, isMap: boolean): number {
    if (count > end - start) throw decodeFault(`${count} values are said to be in ${end - start} bytes`);
    if (isMap && count % 2 !== 0) throw decodeFault("A map has a key without a value");
    let at = start;
    for (let i = 0; i < count; i++) {
      if (isMap && i % 2 === 0 && !isSimple(this.code(at, end))) throw decodeFault("A map has a key that is no scalar");
      at = this.skip(at, end, depth);
    }
    return at;
  }

  /** Skips the elements of an array, which share one constructor. */
  #skipElements(count: number, start: number, end: number, depth: number): number {
    let at = start;
    let code = this.code(at++, end);
    for (let i = depth; code === DESCRIBED; i++) {
      if (i >= MAX_DEPTH) throw tooDeep();
      at = this.skipDescriptor(at, end);
      code = this.code(at++, end);
    }
    if (code >>> 4 === 4) {
      this.#emptyElements += count;
      if (this.#emptyElements > MAX_EMPTY_ELEMENTS) {
        throw limitFault(`Arrays have ${this.#emptyElements} elements without bytes`);
      }
      return this.#skipContent(code, at, end, depth);
    }
    if (count > end - at) throw decodeFault(`${count} elements are said to be in ${end - at} bytes`);
    if (!IS_TYPE[code]) throw decodeFault(`No type has the code ${hex(code)}`);
    for (let i = 0; i < count; i++) at = this.#skipContent(code, at, end, depth);
    return at;
  }

  #checkTime(at: number): void {
    const time = (this.uint32(at) | 0) * 2 ** 32 + this.uint32(at + 4);
    if (Math.abs(time) > MAX_TIME) throw decodeFault("A timestamp is out of the range of dates");
  }
}

/** Reads an unsigned number of four bytes. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Whether a type is that of bytes. */
export function isBinary(code: number): boolean {
  return (code | 0x10) === 0xb0;
}

/** Whether a type is that of a list, which has a code of its own when it is empty. */
export function isList(code: number): boolean {
  return code === 0x45 || (code | 0x10) === 0xd0;
}

/** Whether a type is neither compound nor described. */
export function isSimple(code: number): boolean {
  return code !== DESCRIBED && code !== 0x45 && code < 0xc0;
}

/** The code in the form in which AMQP's specification shows it. */
export function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}

/** Whether the size of a value has four bytes. */
function isWide(code: number): boolean {
  return (code & 0x10) !== 0;
}

function cutOff(): AmqpFault {
  return decodeFault("A value is longer than what it is in");
}

function tooDeep(): AmqpFault {
  return limitFault(`Values are nested deeper than ${MAX_DEPTH}`);
}
