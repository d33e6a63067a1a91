/** Codes of failures to connect: nothing of the request has left. Node's, Bun's, and those of Node's fetch. */
const CONNECT_CODES =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ConnectionRefused|UND_ERR_CONNECT_TIMEOUT)$/;

/** What an error may say of itself; of any type, since it may be anybody's. */
interface Cause {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** Whether a request failed before any of it was sent: no such host, no connection, no agreement on TLS. */
export function isBeforeSending(error: unknown): boolean {
  return isCertificateError(error) ||
    causesOf(error).some(({ code, syscall, message }) =>
      CONNECT_CODES.test(String(code)) || /^(?:connect|getaddrinfo)$/.test(String(syscall)) ||
      // Deno has no codes, but says in which phase it was; Node's code for a cut handshake is that of any cut.
      /client error \(Connect\)|before secure TLS connection/.test(String(message))
    );
}

/** Whether the other side's certificate was refused. It will be refused again. */
export function isCertificateError(error: unknown): boolean {
  return causesOf(error).some(({ code, message }) =>
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(String(code)) ||
    /invalid peer certificate|certificate has expired|self.signed certificate/i.test(String(message))
  );
}

/** The words of the innermost error: a runtime's outer one often says no more than "fetch failed". */
export function innermostMessage(error: unknown): string {
  const inner = causesOf(error).at(-1) ?? error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** An error, what caused it, and so on; of several addresses that all failed, the first one's. */
function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  for (let cause = error; typeof cause === "object" && cause !== null && causes.length < 6;) {
    causes.push(cause);
    cause = cause instanceof AggregateError ? cause.errors[0] : (cause as Cause).cause;
  }
  return causes;
}
