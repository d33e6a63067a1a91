import assert from "node:assert/strict";
import type { Receiver } from "rhea";
import { IoTHubError } from "../../lib/errors/errors.ts";
import type { ResolvedRetryOptions } from "../../lib/timing/retry_options.ts";
import type { HubScript } from "./scripted_hub.ts";

/** A message that has come to a scripted hub. */
export type Arrival = Parameters<NonNullable<HubScript["onMessage"]>>[0];

/** Repetitions without a wait. */
export function retries(maxRetries: number): { retryOptions: ResolvedRetryOptions } {
  return { retryOptions: { maxRetries, retryDelayInMs: 0, maxRetryDelayInMs: 0 } };
}

/** What came, as its text. */
export function textOf({ message }: Pick<Arrival, "message">): string {
  return message.body.content.toString();
}

/** The error of a call, which has to be one of this module. */
export async function rejectionOf(promise: Promise<unknown>): Promise<IoTHubError> {
  const error = await promise.then(() => assert.fail("It was accepted"), (error: unknown) => error);
  assert.ok(error instanceof IoTHubError, String(error));
  return error;
}

/** A hub that does as it is told with the first messages, one after the other, and accepts all others. */
export function first(...outcomes: ((arrival: Arrival) => void)[]): HubScript {
  let count = 0;
  return {
    onMessage(arrival) {
      const outcome = outcomes[count++];
      if (outcome === undefined) arrival.delivery.accept();
      else outcome(arrival);
    },
  };
}

/** Agrees to a link, with so much credit. */
export function grant(link: Receiver, credit: number): void {
  link.set_target({ address: link.target.address });
  if (credit > 0) link.add_credit(credit);
}

/** Rejects a message. */
export function rejectWith(condition: string): (arrival: Arrival) => void {
  return ({ delivery }) => delivery.reject({ condition, description: "Words." });
}

/** Why a hub closes a link, session or connection for a while. */
export const REASON: { condition: string; description: string } = {
  condition: "amqp:link:detach-forced",
  description: "Moving house.",
};

/** Why a hub closes a link whose token does not do. */
export const UNAUTHORIZED: { condition: string; description: string } = {
  condition: "amqp:unauthorized-access",
  description: "No.",
};
