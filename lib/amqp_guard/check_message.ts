import { decodeFault } from "./amqp_fault.ts";
import type { CompositeReader } from "./composite_reader.ts";
import { COMPOSITES, HEADER, PROPERTIES } from "./composites.ts";
import { hex, isBinary, isList } from "./value_walker.ts";

/** Checks the sections of a whole message: their encoding, and the types of the properties. */
export function checkMessage(reader: CompositeReader, bytes: Uint8Array, start: number, end: number): void {
  if (start === end) throw decodeFault("A message has no sections");
  reader.start(bytes);
  for (let at = start; at < end;) at = checkSection(reader, bytes, at, end);
}

function checkSection(reader: CompositeReader, bytes: Uint8Array, start: number, end: number): number {
  const section = reader.readDescriptor(start, end);
  const at = reader.next;
  const code = reader.code(at, end);
  switch (section) {
    case HEADER:
    case PROPERTIES:
      return reader.read(COMPOSITES.get(section)!, at, end);
    case 0x71: // delivery annotations
    case 0x72: // message annotations
    case 0x78: // footer
      return reader.checkMap(at, end, 1, false);
    case 0x74: // application properties
      return reader.checkMap(at, end, 1, true);
    case 0x75: // data
      if (!isBinary(code)) throw decodeFault(`A data section has the type ${hex(bytes[at]!)}`);
      return reader.skip(at, end, 1);
    case 0x76: // sequence
      if (!isList(code)) throw decodeFault(`A sequence has the type ${hex(bytes[at]!)}`);
      return reader.skip(at, end, 1);
    case 0x77: // value
      return reader.skip(at, end, 1);
    default:
      throw decodeFault("A section of a message has a descriptor that is not known");
  }
}
