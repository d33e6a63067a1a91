import type { SourceAddress } from "./address.ts";
import type { AmqpError } from "./conditions.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import type { AmqpGrant } from "./grants.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { ServiceMessage } from "../messages/service_queue.ts";

/** Whom a message is for. */
export interface MessageTarget {
  deviceId: string;
  moduleId?: string;
}

/** What the AMQP side needs of the hub. */
export interface AmqpBackend {
  /** The hub's own name. */
  readonly hostName: string;
  /** How long a client may be silent before it is cut off; infinity for no limit. */
  readonly idleTimeoutInMs: number;
  /** What the hub is to do wrong on purpose. */
  readonly faults: AmqpFaultState;
  /** The hub's clock, in milliseconds since the epoch. */
  now(): number;
  /** Checks `SharedAccessSignature …` or `Bearer …`; rejects with a {@linkcode HubFault} of status 401 if it does not hold. */
  verifyToken(token: string): Promise<AmqpGrant>;
  /** Queues a message; throws a {@linkcode HubFault} if that cannot be. */
  enqueueMessage(target: MessageTarget, message: CloudMessage): void;
  /** Opens what a receiving link reads from; throws a {@linkcode HubFault} if that cannot be. */
  openSource(address: SourceAddress, events: AmqpSourceEvents): AmqpSource;
}

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
