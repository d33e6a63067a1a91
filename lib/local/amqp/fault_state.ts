import type { AmqpError } from "./conditions.ts";

/** What becomes of a message instead of what should; `ignore`: it is queued, and nobody is told. */
export type PlannedOutcome =
  | { readonly kind: "release" | "modify" | "ignore" }
  | { readonly kind: "reject"; readonly error: AmqpError };

/** A client's connection, as far as faults go. */
export interface FaultyConnection {
  /** Cuts it, without a word. */
  abort(): void;
  /** Holds back what the hub says from now on. */
  hold(): void;
  /** Says what was held back, and goes on. */
  letGo(): void;
  /** Detaches every link that carries messages. */
  detach(error: AmqpError): void;
  /** Takes every token for expired. */
  expire(): void;
  /** Gives credit to the senders that wait for it. */
  grantCredit(): void;
}

/** The faults of a hub's AMQP side: what is switched on, and whom it concerns. */
export class AmqpFaultState {
  readonly connections: Set<FaultyConnection> = new Set();
  readonly #outcomes: PlannedOutcome[] = [];
  isStalled = false;
  refusesCredit = false;
  ignoresTokens = false;

  plan(outcome: PlannedOutcome, count: number): void {
    for (let i = 0; i < count; i++) this.#outcomes.push(outcome);
  }

  /** The outcome of the next message, where it is not the true one. */
  takeOutcome(): PlannedOutcome | undefined {
    return this.#outcomes.shift();
  }
}
