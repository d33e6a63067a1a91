/** The type that a field of a composite must have. `text` is a string or a symbol, which peers mix up harmlessly. */
export type FieldType =
  | "any"
  | "binary"
  | "boolean"
  | "error"
  | "id"
  | "map"
  | "source"
  | "state"
  | "symbols"
  | "target"
  | "text"
  | "time"
  | "ubyte"
  | "uint"
  | "ulong"
  | "ushort";

/** A list whose elements have a meaning each. */
export interface Composite {
  readonly name: string;
  readonly types: readonly FieldType[];
  /** Whether each of them must be there. */
  readonly mandatory: readonly boolean[];
}

/** The codes of the performatives. */
export const OPEN = 0x10;
export const BEGIN = 0x11;
export const ATTACH = 0x12;
export const FLOW = 0x13;
export const TRANSFER = 0x14;
export const DISPOSITION = 0x15;
export const DETACH = 0x16;
export const END = 0x17;
export const CLOSE = 0x18;
export const SASL_MECHANISMS = 0x40;
export const SASL_INIT = 0x41;
export const SASL_OUTCOME = 0x44;

/** The codes of other composites. */
export const ERROR = 0x1d;
export const RECEIVED = 0x23;
export const MODIFIED = 0x27;
export const SOURCE = 0x28;
export const TARGET = 0x29;
export const HEADER = 0x70;
export const PROPERTIES = 0x73;

/** Each composite by its code; `!` marks the fields that are mandatory. */
export const COMPOSITES: ReadonlyMap<number, Composite> = new Map([
  define(OPEN, "open", "text! text uint ushort uint symbols symbols symbols symbols map"),
  define(BEGIN, "begin", "ushort uint! uint! uint! uint symbols symbols map"),
  define(
    ATTACH,
    "attach",
    "text! uint! boolean! ubyte ubyte source target map boolean uint ulong symbols symbols map",
  ),
  define(FLOW, "flow", "uint uint! uint! uint! uint uint uint uint boolean boolean map"),
  define(TRANSFER, "transfer", "uint! uint binary uint boolean boolean ubyte state boolean boolean boolean"),
  define(DISPOSITION, "disposition", "boolean! uint! uint boolean state boolean"),
  define(DETACH, "detach", "uint! boolean error"),
  define(END, "end", "error"),
  define(CLOSE, "close", "error"),
  define(ERROR, "error", "text! text map"),
  define(RECEIVED, "received", "uint! ulong!"),
  define(0x24, "accepted", ""),
  define(0x25, "rejected", "error"),
  define(0x26, "released", ""),
  define(MODIFIED, "modified", "boolean boolean map"),
  define(SOURCE, "source", "text uint text uint boolean map text map any symbols symbols"),
  define(TARGET, "target", "text uint text uint boolean map symbols"),
  define(SASL_MECHANISMS, "sasl-mechanisms", "symbols"),
  define(SASL_INIT, "sasl-init", "text! binary text"),
  define(SASL_OUTCOME, "sasl-outcome", "ubyte! binary"),
  define(HEADER, "header", "boolean ubyte uint boolean uint"),
  define(PROPERTIES, "properties", "id binary text text text id text text time time text uint text"),
]);

/** The codes of what has a code but is no composite: the sections of a message, by their symbols. */
const SECTIONS: readonly (readonly [string, number])[] = [
  ["amqp:delivery-annotations:map", 0x71],
  ["amqp:message-annotations:map", 0x72],
  ["amqp:application-properties:map", 0x74],
  ["amqp:data:binary", 0x75],
  ["amqp:amqp-sequence:list", 0x76],
  ["amqp:value:*", 0x77],
  ["amqp:footer:map", 0x78],
];

/** The numeric descriptors by the symbolic ones. */
export const CODES_OF_SYMBOLS: ReadonlyMap<string, number> = new Map([
  ...[...COMPOSITES].map(([code, { name }]): [string, number] => [`amqp:${name}:list`, code]),
  ...SECTIONS,
]);

function define(code: number, name: string, fields: string): [number, Composite] {
  const words = fields === "" ? [] : fields.split(" ");
  const types = words.map((word) => word.replace("!", "") as FieldType);
  return [code, { name, types, mandatory: words.map((word) => word.endsWith("!")) }];
}
