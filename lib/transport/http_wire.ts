import type { Deadline } from "../timing/deadline.ts";
import { AnswerBytes, maxBytesOf } from "./answer_bytes.ts";

/** A complete HTTP request, which {@linkcode Send} sends. */
export interface WireRequest {
  readonly method: string;
  /** Scheme, host and port, such as `https://myhub.azure-devices.net`. */
  readonly origin: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
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
  /** Closes all connections, idle or in use. */
  close(): void;
}

/** The platform's `BodyInit`: the types of Node have no type of that name. */
type RequestBody = NonNullable<RequestInit["body"]>;

/** A function with the signature of the global `fetch`. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** Creates a wire over `fetch`. Redirects are not followed, since they could send the credentials elsewhere. */
function fetchWire(fetch: FetchLike, isOwn = false, bodyOf: (text: string) => RequestBody = (text) => text): Wire {
  async function send(request: WireRequest, { signal }: Deadline): Promise<WireResponse> {
    const { method, origin, path, headers, body: text } = request;
    const body = text === undefined ? null : bodyOf(text);
    request.isSent = true;
    // This must be a plain call. A browser's fetch throws if it is called as a method of another object.
    const response = await fetch(origin + path, { method, headers, body, signal, redirect: "manual" });
    const maxBytes = maxBytesOf(response.status, request.maxResponseBytes);
    return {
      // A browser hides a redirect behind status 0.
      status: response.type === "opaqueredirect" ? 302 : response.status,
      body: isOwn && isShort(maxBytes, response) ? await response.text() : await bodyWithin(maxBytes, response),
      headers: response.headers,
    };
  }
  return { send, close: () => {} };
}

/**
 * Whether the headers of an answer vouch for its length. On Deno, whose own fetch shows all of them, this saves the reader,
 * which takes a third of what a call costs there.
 */
function isShort(maxBytes: number, { headers }: Response): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= maxBytes && !headers.has("content-encoding") &&
    !headers.has("transfer-encoding");
}

/** Returns the body of an answer, or `undefined` if it is too long. */
async function bodyWithin(maxBytes: number, response: Response): Promise<string | undefined> {
  // Other implementations of fetch may have bodies of other kinds.
  const reader = response.body?.getReader?.();
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
  const { send, close } = fetchWire(fetch);
  return { send: (request, deadline) => deadline.race(send(request, deadline)), close };
}

/**
 * Creates a wire over the runtime's own `fetch`. When a kept-alive connection breaks, Deno's sends the request again, even a
 * POST, so that a direct method would run twice. It does not do so if the body is a Blob, which it can read only once.
 */
export function globalFetchWire(): Wire {
  const isDeno = "Deno" in globalThis;
  return fetchWire(fetch, isDeno, isDeno ? (text) => new Blob([text]) : undefined);
}
