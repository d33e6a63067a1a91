/** Codes of failures to connect: nothing of the request has left. Node's, Bun's, and those of Node's fetch. */
const CONNECT_CODES: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ConnectionRefused",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether a request failed before any of it was sent: no such host, no connection, no agreement on TLS. */
export function isBeforeSending(error: unknown): boolean {
  return isCertificateError(error) ||
    causesOf(error).some((cause) => {
      const { code, syscall, message } = cause as { code?: unknown; syscall?: unknown; message?: unknown };
      return CONNECT_CODES.has(code) || syscall === "connect" || syscall === "getaddrinfo" ||
        // Deno has no codes, but says in which phase it was.
        (typeof message === "string" && message.includes("client error (Connect)")) ||
        (code === "ECONNRESET" && typeof message === "string" && message.includes("before secure TLS connection"));
    });
}

/** Whether the other side's certificate was refused. It will be refused again. */
export function isCertificateError(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    const { code, message } = cause as { code?: unknown; message?: unknown };
    return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(String(code)) ||
      (typeof message === "string" &&
        /invalid peer certificate|certificate has expired|self.signed certificate/i.test(message));
  });
}

/** The words of the innermost error: a runtime's outer one often says no more than "fetch failed". */
export function innermostMessage(error: unknown): string {
  const inner = causesOf(error).at(-1) ?? error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** An error, what caused it, and so on; of several addresses that all failed, the first one's. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = error; typeof cause === "object" && cause !== null && causes.length < 6;) {
    causes.push(cause);
    cause = cause instanceof AggregateError ? cause.errors[0] : (cause as { cause?: unknown }).cause;
  }
  return causes;
}
