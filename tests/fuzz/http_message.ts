import { Buffer } from "node:buffer";
import fc from "fast-check";

/** A request or an answer of HTTP/1.1, each part of which can be changed. Its texts are bytes, as Latin-1. */
export interface HttpMessage {
  readonly start: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** How the end of the body is told. */
  readonly framing: "length" | "chunked" | "none";
}

/** One thing that is made wrong in a message. */
export type HttpMutation =
  | { readonly kind: "header"; readonly line: string }
  | { readonly kind: "headers"; readonly count: number; readonly size: number }
  | { readonly kind: "drop header" | "double header"; readonly index: number }
  /** What is said of the length of the body, or of a chunk. */
  | { readonly kind: "length" | "chunk"; readonly value: string }
  | { readonly kind: "framing"; readonly framing: HttpMessage["framing"] }
  | { readonly kind: "line end"; readonly text: string }
  /** Bytes at some part of all. */
  | { readonly kind: "bytes"; readonly part: number; readonly removed: number; readonly text: string }
  | { readonly kind: "cut"; readonly part: number };

const LENGTHS = fc.constantFrom(
  "0",
  "1",
  "-1",
  "5",
  "+5",
  "5, 5",
  "5, 6",
  "0x5",
  "1e3",
  "99999999999999999999",
  "a",
  "",
);

/** Mutations of any message. */
export const HTTP_MUTATIONS: fc.Arbitrary<HttpMutation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("header" as const),
      line: fc.constantFrom(
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity",
        "Content-Length: 0",
        "Content-Encoding: gzip",
        "Content-Type: text/html; charset=utf-16",
        "Connection: close",
        "Connection: Upgrade\r\nUpgrade: websocket",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
        "Expect: 100-continue",
        "Expect: 200-ok",
        "Trailer: Content-Length",
        "Host: other",
        "Header without colon",
        ": nameless",
        "Space : before the colon",
        " Folded: line",
        "X: \u0000",
        "X: \u00ff\u0080",
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("headers" as const),
      count: fc.constantFrom(1, 50, 2_100),
      size: fc.constantFrom(0, 100, 7_000, 20_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("drop header", "double header"), index: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("length", "chunk"), value: LENGTHS }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("framing" as const),
      framing: fc.constantFrom("length", "chunked", "none"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("line end" as const), text: fc.constantFrom("\n", "\r", "") }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("bytes" as const),
      part: fc.nat(999),
      removed: fc.nat(4),
      text: fc.uint8Array({ maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), part: fc.nat(999) }) },
);

/** Writes a message, with a mistake if there is to be one. */
export function writeHttp(message: HttpMessage, mutation?: HttpMutation): string {
  const { start, body } = message;
  const framing = mutation?.kind === "framing" ? mutation.framing : message.framing;
  const lines = message.headers.map(([name, value]) => `${name}: ${value}`);
  if (framing === "length") lines.push(`Content-Length: ${mutation?.kind === "length" ? mutation.value : body.length}`);
  if (framing === "chunked") lines.push("Transfer-Encoding: chunked");
  mutateLines(lines, mutation);
  const lineEnd = mutation?.kind === "line end" ? mutation.text : "\r\n";
  const text = [start, ...lines, "", ""].join(lineEnd) + (framing === "chunked" ? chunked(body, mutation) : body);
  switch (mutation?.kind) {
    case "bytes": {
      const at = Math.floor(text.length * mutation.part / 1_000);
      return text.slice(0, at) + mutation.text + text.slice(at + mutation.removed);
    }
    case "cut":
      return text.slice(0, Math.floor(text.length * mutation.part / 1_000));
    default:
      return text;
  }
}

function mutateLines(lines: string[], mutation: HttpMutation | undefined): void {
  switch (mutation?.kind) {
    case "header":
      lines.push(mutation.line);
      break;
    case "headers":
      for (let i = 0; i < mutation.count; i++) lines.push(`X-${i}: ${"x".repeat(mutation.size)}`);
      break;
    case "drop header":
      lines.splice(mutation.index % lines.length, 1);
      break;
    case "double header":
      lines.push(lines[mutation.index % lines.length]!);
      break;
    default:
  }
}

function chunked(body: string, mutation: HttpMutation | undefined): string {
  const middle = Math.floor(body.length / 2);
  const parts = [body.slice(0, middle), body.slice(middle)].filter((part) => part !== "");
  const chunks = parts.map((part, index) => {
    const size = mutation?.kind === "chunk" && index === 0 ? mutation.value : part.length.toString(16);
    return `${size}\r\n${part}\r\n`;
  });
  return `${chunks.join("")}0\r\n\r\n`;
}

/** Bytes as Latin-1. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The bytes of a text in UTF-8, as Latin-1. */
export function utf8(text: string): string {
  return latin1(new TextEncoder().encode(text));
}
