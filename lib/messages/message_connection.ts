import type { FailedCall } from "../errors/failures.ts";
import type { C2dMessage } from "./c2d_message.ts";
import type { ReceivedDelivery } from "./settlement.ts";

/** What a send needs in addition to the message. */
export interface SendOptions extends FailedCall {
  readonly abortSignal?: AbortSignal;
  readonly timeoutInMs: number;
}

/** What a receiver needs to know. */
export interface ReceiverOptions extends FailedCall {
  /** The address of the hub's queue to receive from. */
  readonly address: string;
  readonly abortSignal?: AbortSignal;
  /** How long the receiver may be without a stable link, for any reason, while a call waits for a message. */
  readonly timeoutInMs: number;
}

/** Receives from one of the hub's queues for back ends. */
export interface MessageReceiver {
  /**
   * Returns the next message, or `undefined` if none comes within `maxWaitInMs`. It must not be called again before its
   * promise has settled.
   */
  next(maxWaitInMs?: number): Promise<ReceivedDelivery | undefined>;
  /** Closes the link. Messages that were received, but neither completed nor abandoned, return to the hub's queue. */
  close(): void;
}

/** A connection that transports messages to and from a hub. */
export interface MessageConnection {
  /** Sends a message, and resolves when the hub has accepted it. */
  send(message: C2dMessage, options: SendOptions): Promise<void>;
  /** Opens a receiver for one of the hub's queues. The caller must close it. */
  openReceiver(options: ReceiverOptions): MessageReceiver;
  /** Closes the connection. Sends and receivers that are still waiting are rejected. */
  close(): Promise<void>;
}
