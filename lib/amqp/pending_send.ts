import type { C2dMessage } from "../messages/c2d_message.ts";
import type { AmqpFailure } from "./amqp_failure.ts";

/** What a send needs beside the message. */
export interface SendOptions {
  operation: string;
  abortSignal?: AbortSignal;
  timeoutInMs: number;
}

/** A message whose sender waits for the hub's verdict. */
export interface PendingSend {
  /** Messages are sent in the order of these. */
  readonly sequence: number;
  readonly message: C2dMessage;
  readonly options: SendOptions;
  /** When its time is up, on the clock of `performance.now`, as the two below. */
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly onAbort: (() => void) | undefined;
  /** When it left last. */
  sentAt: number;
  /** How often it has been sent again, or would have been if the hub could be reached. */
  retries: number;
  /** Why it has to be sent again. */
  lastFailure: AmqpFailure | undefined;
  /** The caller has its answer, though the hub may still owe one. */
  isSettled: boolean;
}
