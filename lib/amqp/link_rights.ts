import type { AmqpFailure } from "./amqp_failure.ts";
import type { HubConnection } from "./hub_connection.ts";

/** Tells a token that has run out from a right that is missing, where the hub closes links of one kind. */
export class LinkRights {
  /** Whether the token was replaced since a link was last seen to work. */
  #isTokenNew = false;

  /** A link works. */
  confirm(): void {
    this.#isTokenNew = false;
  }

  /**
   * Whether what has closed a link may not close the next one. Where that was a token that has run out, a new one is asked for.
   *
   * @param hasWorked whether the hub has let the link do anything
   */
  mayPass({ facts }: AmqpFailure, hasWorked: boolean, connection: HubConnection): boolean {
    if (facts.statusCode !== 401) return facts.retryable;
    // With a new token, the right itself is missing.
    const mayPass = hasWorked || !this.#isTokenNew;
    this.#isTokenNew = true;
    if (mayPass) connection.reauthorize();
    return mayPass;
  }
}
