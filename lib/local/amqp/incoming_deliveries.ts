import type { Delivery, Receiver } from "rhea";
import type { PlannedOutcome } from "./fault_state.ts";

const CREDIT_WINDOW = 500;

/** Lets the client send. */
export function grantCredit(link: Receiver): void {
  link.set_credit_window(CREDIT_WINDOW);
  link.add_credit(CREDIT_WINDOW);
}

/** Writes an outcome by itself, since the library would write the first outcome of a turn for all of them. */
export function writeAlone(link: Receiver, decide: () => void): void {
  writeOutcomes(link);
  decide();
  writeOutcomes(link);
}

/** Writes the pending outcomes, with a method of the library that its types do not declare. */
function writeOutcomes(link: Receiver): void {
  const session = link.session as unknown as { incoming: { process(session: unknown): void } };
  session.incoming.process(session);
}

/** Gives a delivery the outcome that a test has planned. */
export function applyPlanned(planned: PlannedOutcome, delivery: Delivery): void {
  if (planned.kind === "reject") delivery.reject(planned.error);
  else if (planned.kind === "modify") delivery.modified({ delivery_failed: true, undeliverable_here: false });
  else delivery.release();
}

/** Leaves a delivery without an outcome for good, and keeps the library from waiting for one. */
export function leaveUnanswered(delivery: Delivery): void {
  (delivery as { settled: boolean }).settled = true;
}
