/** The codes of failures to connect in Node, Bun and Node's fetch. Nothing of the request was sent when they occur. */
const CONNECT_CODES =
  /\b(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ConnectionRefused|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_TUNNEL|ERR_SSL_WRONG_VERSION_NUMBER)\b/;

/** What an error may tell about itself. The members may have any type, since the error may come from anywhere. */
interface Cause {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** Whether a request failed before any of it was sent: the host is unknown, or connecting or the TLS handshake failed. */
export function isBeforeSending(error: unknown): boolean {
  return isCertificateError(error) ||
    causesOf(error).some(({ code, syscall, message }) =>
      CONNECT_CODES.test(`${code} ${message}`) || /^(?:connect|getaddrinfo)$/.test(String(syscall)) ||
      // Deno has no codes, but its messages name the phase. Node uses the same code for a connection that is cut during the
      // handshake as for one that is cut later.
      /client error \(Connect\)|before secure TLS connection|TLS handshake failed|port \d+ are blocked|bad port/.test(
        String(message),
      )
    );
}

/** Whether the hub's certificate was refused. A retry does not help then. */
export function isCertificateError(error: unknown): boolean {
  return causesOf(error).some(({ code, message }) =>
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(String(code)) ||
    /invalid peer certificate|certificate has expired|self.signed certificate/i.test(String(message))
  );
}

/** Returns the message of the innermost error, since a runtime's outer error often says only "fetch failed". */
export function innermostMessage(error: unknown): string {
  const inner = causesOf(error).at(-1) ?? error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** Returns an error, its cause, the cause of that, and so on. If several addresses failed, it follows the first one. */
function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  for (let cause = error; typeof cause === "object" && cause !== null && causes.length < 6;) {
    causes.push(cause);
    cause = cause instanceof AggregateError ? cause.errors[0] : (cause as Cause).cause;
  }
  return causes;
}
