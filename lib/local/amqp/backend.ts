import type { SourceAddress } from "./address.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import type { AmqpGrant } from "./grants.ts";
import type { AmqpSource, AmqpSourceEvents } from "./source.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";

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
