import { AmqpFault, decodeFault } from "./amqp_fault.ts";
import {
  CODES_OF_SYMBOLS,
  type Composite,
  COMPOSITES,
  ERROR,
  type FieldType,
  MODIFIED,
  RECEIVED,
  SOURCE,
  TARGET,
} from "./composites.ts";
import { DESCRIBED, hex, isBinary, isList, isSimple, ValueWalker } from "./value_walker.ts";

const NULL = 0x40;
/** As many as the composite with the most fields has. */
const MOST_FIELDS = 14;

/** Checks composites by the types of their fields, and keeps the numbers that the outermost one has. */
export class CompositeReader extends ValueWalker {
  /** The fields of the last composite read: numbers, sizes of texts and bytes, 1 for true; `undefined` where absent. */
  readonly fields: (number | undefined)[] = new Array(MOST_FIELDS).fill(undefined);
  /** Where the last descriptor or composite ends that was read. */
  #next = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  override start(bytes: Uint8Array): void {
    super.start(bytes);
    this.#bytes = bytes;
  }

  /** Where the composite ends that {@linkcode CompositeReader.read} has read, or the descriptor. */
  get next(): number {
    return this.#next;
  }

  /** Reads the descriptor of a described value, and returns its code; `undefined` for one that is not known. */
  readDescriptor(at: number, end: number): number | undefined {
    if (this.code(at, end) !== DESCRIBED) throw decodeFault(`Expected a described value, got ${hex(this.#bytes[at]!)}`);
    const code = this.code(at + 1, end);
    this.#next = this.skipDescriptor(at + 1, end);
    if (code === 0x53) return this.#bytes[at + 2]!;
    if (code === 0x44) return 0;
    if (code === 0x80) return this.uint32(at + 2) === 0 ? this.uint32(at + 6) : undefined;
    return CODES_OF_SYMBOLS.get(textOf(this.#bytes.subarray(at + (code === 0xa3 ? 3 : 6), this.#next)));
  }

  /** Reads a composite, whose descriptor has been read, and keeps its fields. */
  read(composite: Composite, at: number, end: number): number {
    this.fields.fill(undefined);
    return this.#next = this.#check(composite, at, end, 0, this.fields);
  }

  /** Checks a map whose keys are texts, and returns where it ends. */
  checkMap(at: number, end: number, depth: number, hasSimpleValues: boolean): number {
    const code = this.code(at, end);
    if ((code | 0x10) !== 0xd1) throw decodeFault(`Expected a map, got the type ${hex(code)}`);
    const next = this.skip(at, end, depth);
    let key = this.contentOf(code, at + 1, end);
    while (key < next) {
      if (!isText(this.#bytes[key]!)) throw decodeFault(`A key of a map has the type ${hex(this.#bytes[key]!)}`);
      const value = this.skip(key, next, depth);
      if (hasSimpleValues && !isSimple(this.#bytes[value]!)) {
        throw decodeFault(`The value of an application property has the type ${hex(this.#bytes[value]!)}`);
      }
      key = this.skip(value, next, depth);
    }
    return next;
  }

  #check(
    { name, types, mandatory }: Composite,
    at: number,
    end: number,
    depth: number,
    fields: (number | undefined)[] | undefined,
  ): number {
    const code = this.code(at, end);
    if (!isList(code)) throw decodeFault(`The type of ${name} is ${hex(code)}, not a list`);
    const start = this.contentOf(code, at + 1, end);
    const next = this.endOf(code, at + 1, end);
    const count = this.countOf(code, at + 1);
    let field = start;
    for (let i = 0; i < count; i++) {
      const type = types[i];
      if (type === undefined) throw decodeFault(`${name} has ${count} fields, more than there are`);
      if (this.code(field, next) === NULL) {
        if (mandatory[i]) throw missing(name, i);
        field++;
      } else {
        field = this.#checkField(type, field, next, depth + 1, name, i, fields);
      }
    }
    for (let i = count; i < types.length; i++) if (mandatory[i]) throw missing(name, i);
    if (field !== next) throw decodeFault(`${name} ends before its size says so`);
    return next;
  }

  #checkField(
    type: FieldType,
    at: number,
    end: number,
    depth: number,
    name: string,
    index: number,
    fields: (number | undefined)[] | undefined,
  ): number {
    const code = this.#bytes[at]!;
    switch (type) {
      case "any":
        return this.skip(at, end, depth);
      case "map":
        return this.checkMap(at, end, depth, false);
      case "error":
      case "state":
      case "source":
      case "target":
        return this.#checkDescribed(type, at, end, depth);
      case "symbols":
        if ((code | 0x10) === 0xf0) {
          this.#checkSymbols(code, at, end);
          return this.skip(at, end, depth);
        }
        break;
      default:
    }
    if (!isOfType(code, type)) throw decodeFault(`Field ${index} of ${name} is no ${type}: ${hex(code)}`);
    const next = this.skip(at, end, depth);
    if (fields !== undefined) fields[index] = this.#numberOf(code, at + 1, next);
    return next;
  }

  /** Checks that the elements of an array are texts. */
  #checkSymbols(code: number, at: number, end: number): void {
    const start = this.contentOf(code, at + 1, end);
    if (!isText(this.code(start, end))) throw decodeFault("An array of symbols has elements of another type");
  }

  #checkDescribed(type: FieldType, at: number, end: number, depth: number): number {
    const code = this.readDescriptor(at, end);
    const isExpected = type === "error"
      ? code === ERROR
      : type === "source"
      ? code === SOURCE
      : type === "target"
      ? code === TARGET
      : code !== undefined && code >= RECEIVED && code <= MODIFIED;
    if (!isExpected) throw new AmqpFault("amqp:not-implemented", `${type} has a descriptor that is not known here`);
    return this.#check(COMPOSITES.get(code!)!, this.#next, end, depth, undefined);
  }

  #numberOf(code: number, at: number, next: number): number | undefined {
    const bytes = this.#bytes;
    switch (code) {
      case 0x41:
        return 1;
      case 0x42:
      case 0x43:
      case 0x44:
        return 0;
      case 0x80:
        return this.uint32(at) * 2 ** 32 + this.uint32(at + 4);
      case 0x60:
        return bytes[at]! << 8 | bytes[at + 1]!;
      case 0x70:
        return this.uint32(at);
      case 0x50:
      case 0x52:
      case 0x53:
      case 0x56:
        return bytes[at];
      default:
        return next - at;
    }
  }
}

function isText(code: number): boolean {
  return (code | 0x12) === 0xb3;
}

function isOfType(code: number, type: FieldType): boolean {
  switch (type) {
    case "text":
    case "symbols":
      return isText(code);
    case "binary":
      return isBinary(code);
    case "boolean":
      return code === 0x41 || code === 0x42 || code === 0x56;
    case "ubyte":
      return code === 0x50;
    case "ushort":
      return code === 0x60;
    case "uint":
      return code === 0x43 || code === 0x52 || code === 0x70;
    case "ulong":
      return code === 0x44 || code === 0x53 || code === 0x80;
    case "time":
      return code === 0x83;
    case "id":
      return isOfType(code, "ulong") || code === 0x98 || isBinary(code) || isText(code);
    default:
      return false;
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}

function missing(name: string, index: number): AmqpFault {
  return decodeFault(`${name} has no field ${index}, which is mandatory`);
}
