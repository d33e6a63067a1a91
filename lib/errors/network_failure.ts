import { runtimeName } from "../values/runtime.ts";

/** What to do about a proxy that wants to know who asks. */
export const PROXY_SIGN_IN = "give it a name and a password in the option proxy: http://user:password@host:port";

/** The codes of failures to connect in Node, Bun and Node's fetch. Nothing of the request was sent when they occur. */
const CONNECT_CODES =
  /\b(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ConnectionRefused|UND_ERR_CONNECT_TIMEOUT|ERR_PROXY_TUNNEL|ERR_SSL_WRONG_VERSION_NUMBER)\b/;

/** What an error may tell about itself. The members may have any type, since the error may come from anywhere. */
interface Cause {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** Whether a request failed before any of it was sent: the host is unknown, or connecting or the TLS handshake failed. */
export function isBeforeSending(error: unknown): boolean {
  return remedyFor(error) !== undefined ||
    causesOf(error).some(({ code, syscall, message }) =>
      CONNECT_CODES.test(`${code} ${message}`) || /^(?:connect|getaddrinfo)$/.test(String(syscall)) ||
      // Deno has no codes, but its messages name the phase. Node uses the same code for a connection that is cut during the
      // handshake as for one that is cut later.
      /client error \(Connect\)|before secure TLS connection|TLS handshake failed|port \d+ are blocked|bad port/.test(
        String(message),
      )
    );
}

/** Whether the hub's certificate was refused. */
function isCertificateError(error: unknown): boolean {
  return causesOf(error).some(({ code, message }) =>
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(String(code)) ||
    /invalid peer certificate|certificate has expired|self.signed certificate/i.test(String(message))
  );
}

/** Whether it is the runtime that does not let this program do something. */
export function isForbidden(error: unknown): boolean {
  return causesOf(error).some(({ name, code }) =>
    name === "NotCapable" || name === "PermissionDenied" || (code === "EPERM" && runtimeName() === "Deno")
  );
}

/**
 * Says what has to be set up before a connection can work. Returns `undefined` if it may work when it is tried again, and
 * nothing if the error itself says what to do.
 */
export function remedyFor(error: unknown): string | undefined {
  if (isForbidden(error)) return causesOf(error).some(({ code }) => code === "EPERM") ? "run it with --allow-net" : "";
  if (isCertificateError(error)) return "if a private authority has signed its certificate, name that in tls.ca";
  const isUnknownToProxy = causesOf(error).some(({ message }) =>
    /(?:HTTP\/1\.\d|tunnel:) 407|proxy authentication required/i.test(String(message))
  );
  return isUnknownToProxy ? PROXY_SIGN_IN : undefined;
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
