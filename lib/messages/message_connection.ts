import type { WatchedCall } from "../sight/watched_call.ts";
import type { FailedCall } from "../errors/failures.ts";
import type { C2dMessage } from "./c2d_message.ts";
import type { ReceivedEvent } from "../values/received_event.ts";
import type { EventHubEndpoint } from "./event_hub_endpoint.ts";
import type { EventStart } from "./event_position.ts";
import type { ReceivedDelivery } from "./settlement.ts";

/** What every call needs to know. */
export interface CallOptions extends FailedCall {
  readonly abortSignal?: AbortSignal;
  /**
   * How long the call may take. A receiver may be without a stable link for so long, for any reason, while a call waits for
   * a message.
   */
  readonly timeoutInMs: number;
  /** Is told of each step, if anybody wants to know. */
  readonly watched?: WatchedCall | undefined;
}

/** What a receiver needs to know. */
export interface ReceiverOptions extends CallOptions {
  /** The address of the hub's queue to receive from. */
  readonly address: string;
}

/** What a reader of events needs to know. */
export interface EventReaderOptions extends CallOptions {
  readonly consumerGroup: string;
  /** The partitions to read; `undefined` for all. */
  readonly partitionIds: readonly string[] | undefined;
  readonly from: EventStart;
}

/** Receives messages of one kind. */
export interface MessageReceiver<T> {
  /**
   * Returns the next message, or `undefined` if none comes within `maxWaitInMs`. It must not be called again before its
   * promise has settled.
   */
  next(maxWaitInMs?: number): Promise<T | undefined>;
  /** Closes the links. Messages that were received, but neither completed nor abandoned, return to the hub's queue. */
  close(): void;
}

/** A connection that transports messages to and from a hub. */
export interface MessageConnection {
  /** Sends a message, and resolves when the hub has accepted it. */
  send(message: C2dMessage, options: CallOptions): Promise<void>;
  /** Opens a receiver for one of the hub's queues. The caller must close it. */
  openReceiver(options: ReceiverOptions): MessageReceiver<ReceivedDelivery>;
  /** Opens a reader of the hub's events. The caller must close it. */
  openEventReader(options: EventReaderOptions): Promise<MessageReceiver<ReceivedEvent>>;
  /** Finds out where the hub's events are. */
  findEventHub(call: CallOptions): Promise<EventHubEndpoint>;
  /** Closes the connection. Sends and receivers that are still waiting are rejected. */
  close(): Promise<void>;
}
