import type { Deadline } from "../timing/deadline.ts";

/** One HTTP request, complete: what {@linkcode Send} puts on the wire. */
export interface WireRequest {
  readonly method: string;
  /** Scheme, host and port, such as `https://myhub.azure-devices.net`. */
  readonly origin: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** The answer to a {@linkcode WireRequest}, read to its end. */
export interface WireResponse {
  readonly status: number;
  readonly body: string;
  /** Of the shape of `Headers`, as far as it is needed; names are in lower case. */
  readonly headers: { get(name: string): string | null };
}

/** When an answer was made, in milliseconds since 1970: by the hub's clock, or by this machine's where the answer does not say. */
export function answeredAt({ headers }: WireResponse): number {
  return Date.parse(headers.get("date") ?? "") || Date.now();
}

/** Sends one request and reads its answer. Rejects when none came, or when `deadline` ended the wait. */
export type Send = (request: WireRequest, deadline: Deadline) => Promise<WireResponse>;

/** A {@linkcode Send} with the connections it holds. */
export interface Wire {
  readonly send: Send;
  /** Closes all connections, idle or in use. */
  close(): void;
}

/** A function of the shape of the global `fetch`. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** The wire that any runtime has. Redirects are not followed: they would take the credentials elsewhere. */
function fetchWire(fetch: FetchLike, bodyOf: (text: string) => BodyInit = (text) => text): Wire {
  async function send(request: WireRequest, { signal }: Deadline): Promise<WireResponse> {
    const { method, origin, path, headers, body: text } = request;
    const body = text === undefined ? undefined : bodyOf(text);
    // Called without a receiver: a browser's fetch throws when its `this` is some object of ours.
    const response = await fetch(origin + path, { method, headers, body, signal, redirect: "manual" });
    return {
      // A browser hides a redirect behind status 0.
      status: response.type === "opaqueredirect" ? 302 : response.status,
      body: await response.text(),
      headers: response.headers,
    };
  }
  return { send, close: () => {} };
}

/** The wire of a fetch that was handed in, which may not heed the signal. The race costs Deno a tenth of a call. */
export function givenFetchWire(fetch: FetchLike): Wire {
  const { send, close } = fetchWire(fetch);
  return { send: (request, deadline) => deadline.race(send(request, deadline)), close };
}

/**
 * The wire of the runtime's own `fetch`. Deno's sends a request anew when a kept connection breaks, a POST too, so that a
 * direct method would run twice; it does not where the body is a Blob, which it reads only once.
 */
export function globalFetchWire(): Wire {
  return fetchWire(fetch, "Deno" in globalThis ? (text) => new Blob([text]) : undefined);
}
