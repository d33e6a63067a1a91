import { HubFault, unauthorized } from "../hub_fault.ts";
import type { ClientGrant } from "../auth/grants.ts";
import { MAX_SASL_RESPONSE } from "./hub_limits.ts";

/** A mechanism of SASL at work, as the library wants it. */
interface SaslMechanism {
  outcome: boolean | undefined;
  start(response: Uint8Array | undefined): void | Promise<void>;
}

/** What the mechanisms need of a client's connection. */
export interface SaslUser {
  /** Whether the client has shown a certificate. */
  readonly hasCertificate: boolean;
  /**
   * Verifies a user's name and token.
   *
   * @throws {HubFault} When they are not valid.
   */
  verify(user: string, token: string): Promise<ClientGrant>;
  /** Told of a client that has signed in with a token. */
  signedIn(grant: ClientGrant): void;
  /** Told of one that was refused, and why unless the hub itself has failed. */
  refused(fault?: HubFault): void;
  /** Told of an exception inside the hub. */
  report(error: unknown): void;
}

/** A mechanism that proves nothing: tokens and certificates are looked at with each link. */
function letIn(): SaslMechanism {
  return { outcome: true, start() {} };
}

/**
 * The mechanisms for a client. With `ANONYMOUS` it shows its tokens later, on a link to `$cbs`, which is what the SDKs
 * for Python and C announce with `MSSBCBS`. With `PLAIN` the token is the password, and with `EXTERNAL` there is the
 * certificate of TLS.
 */
export function saslMechanisms(user: SaslUser): Record<string, () => SaslMechanism> {
  // The library looks a client's choice up by its name, so nothing may be inherited.
  return Object.assign(Object.create(null), {
    ANONYMOUS: letIn,
    MSSBCBS: letIn,
    PLAIN: () => new PlainMechanism(user),
    ...(user.hasCertificate && { EXTERNAL: letIn }),
  });
}

class PlainMechanism implements SaslMechanism {
  outcome: boolean | undefined;
  readonly #user: SaslUser;

  constructor(user: SaslUser) {
    this.#user = user;
  }

  /** Takes an identity to act for, which is ignored, a user and a password, with NUL between them. */
  async start(response: Uint8Array | undefined): Promise<void> {
    this.outcome = false;
    try {
      if (response === undefined || response.byteLength > MAX_SASL_RESPONSE) throw unreadable();
      const [, name, password, ...rest] = new TextDecoder().decode(response).split("\0");
      if (!name || !password || rest.length > 0) throw unreadable();
      this.#user.signedIn(await this.#user.verify(name, password));
      this.outcome = true;
    } catch (error) {
      const isFault = error instanceof HubFault;
      if (!isFault) this.#user.report(error);
      this.#user.refused(isFault ? error : undefined);
    }
  }
}

function unreadable(): HubFault {
  return unauthorized("IotHubUnauthorized", "Unauthorized: PLAIN needs a user and a token, with NUL between them");
}
