import type { AmqpFailure } from "./amqp_failure.ts";
import type { HubConnection } from "./hub_connection.ts";

/** Distinguishes an expired token from a missing right when the hub closes a link, for links of one kind. */
export class LinkRights {
  /** Whether the token was replaced since a link last worked. */
  #isTokenNew = false;

  /** To be called when a link works. */
  confirm(): void {
    this.#isTokenNew = false;
  }

  /**
   * Whether another link may succeed where this one was closed. If the token may have expired, this also replaces it.
   *
   * @param failure Why the link was closed.
   * @param hasWorked Whether the hub had allowed the link to do anything.
   * @param connection The connection that the link was on.
   */
  mayPass({ facts }: AmqpFailure, hasWorked: boolean, connection: HubConnection): boolean {
    if (facts.statusCode !== 401) return facts.retryable;
    // If a new token did not help, the right itself is missing.
    const mayPass = hasWorked || !this.#isTokenNew;
    this.#isTokenNew = true;
    if (mayPass) connection.reauthorize();
    return mayPass;
  }
}
