import { decodeBase64, encodeBase64 } from "../../values/base64.ts";

/** A message, as far as it matters for keeping it. */
export interface MessageContent {
  /** The body, which is kept as bytes. */
  readonly data?: Uint8Array | undefined;
  /** Values of the sender's own, of any simple type of AMQP. */
  readonly properties?: Record<string, unknown> | undefined;
  readonly contentType?: string | undefined;
}

/** Stands for a value that JSON does not have. No value is an array otherwise. */
type Marked = readonly [type: "bytes" | "date" | "number" | "bigint", text: string];

/** Returns what is kept of a message, its body apart, as JSON. */
export function toKept({ data: _data, properties, ...rest }: MessageContent): unknown {
  return properties === undefined ? rest : { ...rest, properties: mapValues(properties, toJson) };
}

/** Returns a message as it was kept. */
export function fromKept(kept: unknown, data: Uint8Array | undefined): MessageContent {
  const { properties, ...rest } = kept as MessageContent;
  return {
    ...rest,
    ...(properties !== undefined && { properties: mapValues(properties, fromJson) }),
    ...(data !== undefined && { data }),
  };
}

function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return ["bytes", encodeBase64(value)] satisfies Marked;
  if (value instanceof Date) return ["date", String(value.getTime())] satisfies Marked;
  if (typeof value === "bigint") return ["bigint", String(value)] satisfies Marked;
  const isInJson = typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0));
  return isInJson ? value : ["number", Object.is(value, -0) ? "-0" : String(value)] satisfies Marked;
}

function fromJson(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [type, text] = value as unknown as Marked;
  switch (type) {
    case "bytes":
      return decodeBase64(text);
    case "date":
      return new Date(Number(text));
    case "number":
      return Number(text);
    case "bigint":
      return BigInt(text);
  }
}

function mapValues(object: Record<string, unknown>, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
