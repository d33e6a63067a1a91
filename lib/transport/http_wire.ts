import type { Deadline } from "../timing/deadline.ts";
import type { ClientOptions } from "../client/client_options.ts";
import { runtimeName } from "../values/runtime.ts";
import { AnswerBytes, maxBytesOf } from "./answer_bytes.ts";
import { networkOf } from "./network.ts";

/** A complete HTTP request, which {@linkcode Send} sends. */
export interface WireRequest {
  readonly method: string;
  /** Scheme, host and port, such as `https://myhub.azure-devices.net`. */
  readonly origin: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** The path as the API describes it, with the names of its parameters. */
  readonly route: string;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
  /** How many bytes the body of the answer may have, once it is decompressed. */
  readonly maxResponseBytes: number;
  /** Whether the hub may have received any of it. The wire sets this. */
  isSent?: boolean;
}

/** The complete answer to a {@linkcode WireRequest}. */
export interface WireResponse {
  readonly status: number;
  /** The body; `undefined` if it is too long. It was not read to its end then, and its connection is closed. */
  readonly body: string | undefined;
  /** The part of `Headers` that is needed. Names must be given in lower case. */
  readonly headers: { get(name: string): string | null };
}

/**
 * Returns when the hub answered, in milliseconds since 1970. It is the time of the hub's clock or, if the answer does not
 * tell it, of this machine's.
 */
export function answeredAt({ headers }: WireResponse): number {
  return Date.parse(headers.get("date") ?? "") || Date.now();
}

/** Sends one request and reads its answer. Rejects if there is none, or if `deadline` ends first. */
export type Send = (request: WireRequest, deadline: Deadline) => Promise<WireResponse>;

/** A {@linkcode Send} with its connections. */
export interface Wire {
  readonly send: Send;
  /** Whether each request under way has a connection to itself, of which the runtime would open any number. */
  readonly opensMany: boolean;
  /** Closes all connections, idle or in use. */
  close(): void;
}

/** Creates a wire that is better than `fetch`, if the runtime has one. */
export type OwnWire = (options: ClientOptions) => Wire | undefined;

/** A function with the signature of the global `fetch`. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** Runtimes with a `fetch` of their own that is used in a way of its own. */
type FetchRuntime = "Deno" | "Bun";

/**
 * Sends by `fetch`. Redirects are not followed, since they could send the credentials elsewhere.
 *
 * @param extras Returns what to add to the options of `fetch`.
 * @param runtime The runtime whose own `fetch` this is, if it is used in a way of its own. When a kept-alive connection breaks,
 * Deno's sends the request again, even a POST, so that a direct method would run twice. It does not do so if the body is a
 * Blob, which it can read only once. Bun's decompresses all that it has received before anyone can stop it, so that 1.6 kB
 * may take a gigabyte.
 */
function sendBy(fetch: FetchLike, extras?: () => object, runtime?: FetchRuntime): Send {
  const isDeno = runtime === "Deno";
  const isBun = runtime === "Bun";
  const common = { redirect: "manual" as const, ...(isBun && NOT_DECOMPRESSED) };
  return async (request, { signal }) => {
    const { method, origin, path, headers, body: text } = request;
    const body = text === undefined ? null : isDeno ? new Blob([text]) : text;
    const init: RequestInit = { method, headers, body, signal, ...common, ...extras?.() };
    request.isSent = true;
    // This must be a plain call. A browser's fetch throws if it is called as a method of another object.
    const response = await fetch(origin + path, init);
    const maxBytes = maxBytesOf(response.status, request.maxResponseBytes);
    return {
      // A browser hides a redirect behind status 0.
      status: response.type === "opaqueredirect" ? 302 : response.status,
      body: runtime !== undefined && isShort(maxBytes, response)
        ? await response.text()
        : await bodyWithin(maxBytes, response, isBun),
      headers: response.headers,
    };
  };
}

/** An option that only Bun's `fetch` has. */
const NOT_DECOMPRESSED: object = { decompress: false };

/** The platform's `CompressionFormat`: the types of Node have no type of that name, and others lack one of the names. */
type CompressionFormat = ConstructorParameters<typeof DecompressionStream>[0];

/** Returns the body without its compression, if it has one of the two that every `fetch` undoes. */
function decompressed({ headers, body }: Response): ReadableStream<Uint8Array> | null {
  const [encoding] = /^(?:gzip|br)$/i.exec(headers.get("content-encoding") ?? "") ?? [];
  if (encoding === undefined || headers.get("content-length") === "0") return body;
  const format = encoding.length === 2 ? "brotli" : "gzip";
  return body?.pipeThrough(new DecompressionStream(format as CompressionFormat)) ?? null;
}

/**
 * Whether the headers of an answer vouch for its length. With the own fetch of Deno or Bun, which show all of them and refuse
 * a length that is no number, this saves the reader, which takes a third of what a call costs there.
 */
function isShort(maxBytes: number, { headers }: Response): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= maxBytes && !headers.has("content-encoding") &&
    !headers.has("transfer-encoding");
}

/** Returns the body of an answer, or `undefined` if it is too long. */
async function bodyWithin(maxBytes: number, response: Response, isBun: boolean): Promise<string | undefined> {
  const stream = isBun ? decompressed(response) : response.body;
  // Other implementations of fetch may have bodies of other kinds.
  const reader = stream?.getReader?.();
  if (reader === undefined) return await response.text();
  const bytes = new AnswerBytes(maxBytes);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes.text();
    if (bytes.add(value)) continue;
    // This closes the connection, which need not be waited for.
    reader.cancel().catch(() => {});
    return undefined;
  }
}

/**
 * Creates a wire over a `fetch` from the client's options. That may ignore the signal, so it races with the deadline, which
 * costs a tenth of a call on Deno.
 */
export function givenFetchWire(fetch: FetchLike): Wire {
  const send = sendBy(fetch);
  return { send: (request, deadline) => deadline.race(send(request, deadline)), opensMany: false, close: () => {} };
}

/**
 * Creates a wire over the runtime's own `fetch`.
 *
 * @throws {TypeError} When the runtime cannot do what the options ask for.
 */
export function globalFetchWire(options: ClientOptions): Wire {
  const runtime = runtimeName();
  const network = networkOf(options);
  const send = sendBy(fetch, network.extras, runtime === "Deno" || runtime === "Bun" ? runtime : undefined);
  // Bun opens 256 at most, and holds up whatever is more.
  return { send, opensMany: runtime === "Node" || runtime === "Bun", close: network.close };
}
