/** What can happen to a request, in the words in which each runtime's `fetch` tells it. */
export type FaultStep = (signal: AbortSignal) => Promise<Response>;

const TRACKING = "Tracking ID:0123456789abcdef0123456789abcdef-G:0-TimeStamp:11/21/2026 10:00:00";

/** An answer; a body that is no string is sent as JSON. */
export function answer(status: number, body?: unknown, headers: Record<string, string> = {}): FaultStep {
  const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  return () => Promise.resolve(new Response(text, { status, headers }));
}

/** The hub's usual error: its name in a header and before the text. */
export function hubError(
  status: number,
  name: string,
  text: string = "Refused.",
  headers: Record<string, string> = {},
): FaultStep {
  const body = { Message: `ErrorCode:${name};${text}`, ExceptionMessage: TRACKING };
  return answer(status, body, { "iothub-errorcode": name, ...headers });
}

/** The error as the hub's newer parts say it: a number, in JSON within a string. */
export function nestedError(errorNumber: number): FaultStep {
  const inner = { errorCode: errorNumber, trackingId: "0123456789abcdef", message: "Refused." };
  return answer(Math.floor(errorNumber / 1000), { Message: JSON.stringify(inner), ExceptionMessage: "" });
}

/** What a proxy says, who knows no JSON. */
export function page(status: number): FaultStep {
  return answer(status, `<!DOCTYPE html><title>${status}</title><h1>Something is wrong</h1>`, {
    "Content-Type": "text/html",
  });
}

/** A request without any answer. */
export function lost(error: Error): FaultStep {
  return () => Promise.reject(error);
}

/** An answer that breaks off in the middle of its body. */
export function broken(error: Error): FaultStep {
  return () => {
    const chunks = [new TextEncoder().encode('{"deviceId":"d')];
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller): void {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.error(error);
        else controller.enqueue(chunk);
      },
    });
    return Promise.resolve(new Response(body, { headers: { "Content-Type": "application/json" } }));
  };
}

/** Nothing at all, until the call gives up. */
export function silence(): FaultStep {
  return (signal) =>
    new Promise((_resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
}

function failure(message: string, facts: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), facts);
}

/** The `TypeError` of a `fetch` that hides its reason in `cause`. */
function fetchFailed(cause: Error): Error {
  return new TypeError("fetch failed", { cause });
}

function denoFailure(rest: string): Error {
  return fetchFailed(failure(`error sending request for url (https://myhub.azure-devices.net/): ${rest}`));
}

const NODE_REFUSED = failure("connect ECONNREFUSED 10.0.0.1:443", { code: "ECONNREFUSED", syscall: "connect" });

/** Failures to connect: nothing of the request has left. */
export const NOT_CONNECTED: Readonly<Record<string, Error>> = {
  "connection refused on Node": NODE_REFUSED,
  "connection refused on Node, at two addresses": new AggregateError([NODE_REFUSED, NODE_REFUSED]),
  "connection refused by Node's fetch": fetchFailed(NODE_REFUSED),
  "connection refused on Bun": failure("ECONNREFUSED: Unable to connect.", { code: "ECONNREFUSED", errno: 0 }),
  "connection refused on Deno": denoFailure(
    "client error (Connect): tcp connect error: Connection refused (os error 111)",
  ),
  "unknown host on Node": failure("getaddrinfo ENOTFOUND myhub", { code: "ENOTFOUND", syscall: "getaddrinfo" }),
  "unknown host on Deno": denoFailure("client error (Connect): dns error: failed to lookup address information"),
  "cut during the TLS handshake on Node": failure(
    "Client network socket disconnected before secure TLS connection was established",
    { code: "ECONNRESET" },
  ),
  "cut during the TLS handshake on Deno": denoFailure("client error (Connect): tls handshake eof"),
};

/** Connections that broke after the request had been sent. */
export const RESET: Readonly<Record<string, Error>> = {
  "reset on Node": failure("socket hang up", { code: "ECONNRESET" }),
  "reset while reading on Node": failure("read ECONNRESET", { code: "ECONNRESET", syscall: "read" }),
  "reset in Node's fetch": fetchFailed(failure("other side closed", { code: "UND_ERR_SOCKET" })),
  "reset on Bun": failure("ECONNRESET: The socket connection was closed unexpectedly.", { code: "ECONNRESET" }),
  "reset on Deno": denoFailure("client error (SendRequest): connection closed before message completed"),
};

/** Bodies that broke off. */
export const BROKEN_BODY: Readonly<Record<string, Error>> = {
  "reset in the middle of the body on Node": failure("The connection closed before the whole answer had arrived"),
  "reset in the middle of the body in Node's fetch": new TypeError("terminated", {
    cause: failure("other side closed", { code: "UND_ERR_SOCKET" }),
  }),
  "reset in the middle of the body on Bun": failure("ECONNRESET: The socket connection was closed.", {
    code: "ECONNRESET",
  }),
  "reset in the middle of the body on Deno": new TypeError("error reading a body from connection"),
};

/** Certificates that nobody should trust. */
export const BAD_CERTIFICATE: Readonly<Record<string, Error>> = {
  "certificate expired on Node": failure("certificate has expired", { code: "CERT_HAS_EXPIRED" }),
  "certificate expired on Bun": failure("CERT_HAS_EXPIRED fetching", { code: "CERT_HAS_EXPIRED" }),
  "certificate expired on Deno": denoFailure(
    "client error (Connect): invalid peer certificate: certificate expired",
  ),
  "certificate of another host on Node": failure("Hostname/IP does not match certificate's altnames", {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  }),
};
