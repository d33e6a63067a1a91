import { type FaultyConnection, FaultyConnections } from "../connections/faulty_connections.ts";
import type { AmqpError } from "./conditions.ts";

/** The outcome that a message gets instead of its true one. `ignore` queues the message but sends no outcome. */
export type PlannedOutcome =
  | { readonly kind: "release" | "modify" | "ignore" }
  | { readonly kind: "reject"; readonly error: AmqpError };

/** A client's connection, on which faults can be set off. */
export interface FaultyAmqpConnection extends FaultyConnection {
  /** Detaches every link that carries messages. */
  detach(error: AmqpError): void;
  /** Treats every token as expired. */
  expire(): void;
  /** Grants credit to the links that were refused it. */
  grantCredit(): void;
}

/** The faults that are switched on, and the connections that they affect. */
export class AmqpFaultState {
  readonly connections: FaultyConnections<FaultyAmqpConnection> = new FaultyConnections();
  readonly #outcomes: PlannedOutcome[] = [];
  refusesCredit = false;
  ignoresTokens = false;

  /** Gives the next messages an outcome that is not their true one. */
  plan(outcome: PlannedOutcome, count: number): void {
    for (let i = 0; i < count; i++) this.#outcomes.push(outcome);
  }

  /** Takes the planned outcome for the next message; `undefined` when it gets its true one. */
  takeOutcome(): PlannedOutcome | undefined {
    return this.#outcomes.shift();
  }
}
