import type { IncomingMessage, ServerResponse } from "node:http";
import type { HubRequest } from "../hub_request.ts";

/**
 * A request that has come by a socket. It fires its signal when the client has gone before the answer was sent. What most
 * requests never need is made when it is asked for: a `Request` would cost as much as the rest of an answer.
 */
export class IncomingRequest implements HubRequest {
  readonly method: string;
  readonly url: string;
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  #headers: Headers | undefined;
  #body: HubRequest["body"] | undefined;
  #gone: AbortController | undefined;

  constructor(scheme: string, message: IncomingMessage, response: ServerResponse) {
    this.method = message.method ?? "GET";
    this.url = addressOf(scheme, message);
    this.#message = message;
    this.#response = response;
  }

  get headers(): Headers {
    return this.#headers ??= headersOf(this.#message);
  }

  get body(): HubRequest["body"] {
    return this.#body ??= hasBody(this.#message) ? bodyOf(this.#message) : null;
  }

  get signal(): AbortSignal {
    return (this.#gone ??= this.#watch()).signal;
  }

  #watch(): AbortController {
    const gone = new AbortController();
    const onClose = (): void => {
      if (this.#response.writableFinished) return;
      gone.abort(new DOMException("The client has disconnected", "AbortError"));
    };
    if (this.#response.destroyed) onClose();
    else this.#response.once("close", onClose);
    return gone;
  }
}

/** The Host header comes from the client and may not be a valid host, so the address gets one of its own. */
function addressOf(scheme: string, { url = "/" }: IncomingMessage): string {
  return new URL(`${scheme}://localhost${url.startsWith("/") ? url : "/"}`).href;
}

function headersOf(message: IncomingMessage): Headers {
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.push([name, typeof value === "string" ? value : value.join(", ")]);
  }
  return new Headers(headers);
}

function hasBody(message: IncomingMessage): boolean {
  const { method } = message;
  return method !== "GET" && method !== "HEAD" && (isChunked(message) || announcedBytes(message) > 0);
}

/** Presents the body as a stream that takes from the socket only what somebody reads. */
function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOpen = true;
  return new ReadableStream({
    start(controller) {
      message.on("data", onData);
      message.once("end", () => isOpen && controller.close());
      message.once("error", fail);
      message.once("close", fail);
      message.pause();
      // Nothing comes any more of a client that has gone before anybody asked for the body.
      if (message.destroyed) fail();
      function onData(chunk: Uint8Array): void {
        message.pause();
        if (isOpen) controller.enqueue(new Uint8Array(chunk));
        else message.off("data", onData);
      }
      function fail(): void {
        if (isOpen && !message.complete) controller.error(new Error("The client has disconnected"));
        isOpen = false;
      }
    },
    pull: () => void message.resume(),
    cancel: () => void (isOpen = false),
  }, { highWaterMark: 0 });
}

/** Whether a body comes in chunks, so that nobody knows its length. */
export function isChunked(message: IncomingMessage): boolean {
  return message.headers["transfer-encoding"] !== undefined;
}

/** Returns how long a body is to be. */
export function announcedBytes(message: IncomingMessage): number {
  return Number(message.headers["content-length"] ?? 0);
}
