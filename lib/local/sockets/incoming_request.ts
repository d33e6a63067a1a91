import type { IncomingMessage, ServerResponse } from "node:http";

/** The methods that the Fetch standard forbids, so that no `Request` can have them. */
const FORBIDDEN_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

/**
 * A request that has come by a socket. It fires its signal when the client has gone before the answer was sent. The signal,
 * which most requests never need and which costs as much as the rest of one, is made when it is asked for.
 */
export class IncomingRequest extends Request {
  readonly #response: ServerResponse;
  #gone: AbortController | undefined;

  constructor(scheme: string, message: IncomingMessage, response: ServerResponse) {
    super(addressOf(scheme, message), initOf(message));
    this.#response = response;
  }

  static {
    // Not an accessor of the class, which TypeScript refuses where `Request` is declared with a property.
    Object.defineProperty(this.prototype, "signal", {
      get(this: IncomingRequest): AbortSignal {
        return (this.#gone ??= this.#watch()).signal;
      },
    });
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
  return `${scheme}://localhost${url.startsWith("/") ? url : "/"}`;
}

function initOf(message: IncomingMessage): RequestInit {
  const { method = "GET" } = message;
  const isForbidden = FORBIDDEN_METHODS.includes(method);
  const given = isForbidden ? { ...message.headers, "x-http-method-override": method } : message.headers;
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers.push([name, typeof value === "string" ? value : value.join(", ")]);
  }
  const hasBody = method !== "GET" && method !== "HEAD" && (isChunked(message) || announcedBytes(message) > 0);
  const init: RequestInit & { duplex: "half" } = {
    method: isForbidden ? "POST" : method,
    headers,
    duplex: "half",
    ...(hasBody && { body: bodyOf(message) }),
  };
  return init;
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
