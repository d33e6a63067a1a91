import type { AmqpError } from "./conditions.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { ServiceMessage } from "../messages/service_queue.ts";

/** A message for a back end, or one for a device. */
export type AmqpContent =
  | { readonly kind: "service"; readonly message: ServiceMessage }
  | { readonly kind: "device"; readonly message: QueuedMessage };

/** A message that is locked for the one that receives it, until that one says what becomes of it. */
export interface AmqpDelivery {
  /** The GUID of the lock. */
  readonly lockToken: string;
  readonly content: AmqpContent;
  /** Handled. `false`, here and below: the lock was lost meanwhile. */
  complete(): boolean;
  /** Not handled: to come again, which counts as a delivery. */
  abandon(): boolean;
  /** Not to come again. */
  reject(): boolean;
  /** Back, without counting: the receiver has gone. */
  unlock(): void;
}

/** What a receiving link reads from. */
export interface AmqpSource {
  /** Locks the next message, if there is one. */
  next(): AmqpDelivery | undefined;
  /** Nobody reads any more. */
  close(): void;
}

/** What a source tells its link. */
export interface AmqpSourceEvents {
  /** There may be a message now. */
  wake(): void;
  /** There will be none any more. */
  end(reason: AmqpError): void;
}
