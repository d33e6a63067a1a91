import type { C2dMessage } from "./c2d_message.ts";
import type { ReceivedDelivery } from "./settlement.ts";

/** What a send needs beside the message. */
export interface SendOptions {
  readonly operation: string;
  readonly abortSignal?: AbortSignal;
  readonly timeoutInMs: number;
}

/** What a receiver is for. */
export interface ReceiverOptions {
  readonly operation: string;
  /** The queue of the hub to receive from. */
  readonly address: string;
  readonly abortSignal?: AbortSignal;
  /** How long it may be without a link that lasts, whatever the reason, while somebody waits. */
  readonly timeoutInMs: number;
}

/** Receives from one of the hub's queues towards back ends. */
export interface MessageReceiver {
  /** The next message; `undefined` when none has come within `maxWaitInMs`. Called again only when it has settled. */
  next(maxWaitInMs?: number): Promise<ReceivedDelivery | undefined>;
  /** Gives up the link. What was received and not decided upon is the hub's again. */
  close(): void;
}

/** What carries messages to and from a hub. */
export interface MessageConnection {
  /** Sends a message; resolves when the hub has accepted it. */
  send(message: C2dMessage, options: SendOptions): Promise<void>;
  /** A receiver for one of the hub's queues; it must be closed. */
  openReceiver(options: ReceiverOptions): MessageReceiver;
  /** Closes what is open; sends and receivers that still wait are rejected. */
  close(): Promise<void>;
}
