import type { Activity } from "../activity/activity.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import type { DeviceAddress, ServiceSourceAddress } from "./address.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { AmqpError } from "./conditions.ts";
import type { EventLog } from "../events/event_log.ts";
import type { EventReceivers } from "./event_receivers.ts";
import type { EventPartition } from "../events/event_partition.ts";
import type { StoredEvent } from "../events/stored_event.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import type { ClientGrant } from "../auth/grants.ts";
import type { FaultReporter } from "../fault_listeners.ts";
import type { JsonValue } from "../json.ts";
import type { CloudMessage } from "../messages/cloud_message.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { ServiceMessage } from "../messages/service_queue.ts";
import type { DeviceConnection } from "../presence/device_connection.ts";
import type { DeviceSession } from "../sessions/device_session.ts";
import type { Throttle } from "../throttle.ts";

/** The device or module that a message is for. */
export interface MessageTarget extends DeviceAddress {
  /** The ids as they are written. Some senders do not encode them, so that a device with these ids comes first. */
  readonly raw: DeviceAddress;
}

/** The events of a hub as an event hub, in the terms of AMQP. */
export interface AmqpEventHub {
  /** The name of the event hub. */
  readonly name: string;
  /** When it was created, in milliseconds since the epoch. */
  readonly createdTime: number;
  readonly log: EventLog;
  readonly receivers: EventReceivers;
}

/** What the AMQP side needs from the hub. */
export interface AmqpBackend extends FaultReporter {
  /** The host name of the hub. */
  readonly hostName: string;
  /** How long a client may be silent before its connection is closed; `Infinity` for no limit. */
  readonly idleTimeoutInMs: number;
  /** The faults that the hub was told to cause. */
  readonly faults: AmqpFaultState;
  /** Tells whoever wants to know what the hub does. */
  readonly activity: Activity;
  /** What devices send, as an event hub. */
  readonly eventHub: AmqpEventHub;
  /** Whether a host is one of the hub's. */
  hasHost(host: string): boolean;
  /** Wakes what falls due by the hub's clock. */
  readonly alarm: HubAlarm;
  /** What limits the hub's callers, if anything does. */
  readonly throttle: Throttle | undefined;
  /**
   * Verifies a token, `SharedAccessSignature …` or `Bearer …`.
   *
   * @throws {HubFault} `IotHubUnauthorized` (401) when it is not valid.
   */
  verifyToken(token: string): Promise<ClientGrant>;
  /**
   * Verifies a user's name, and a token in place of a password.
   *
   * @throws {HubFault} `IotHubUnauthorized` or `IotHubUnauthorizedAccess` (401) when they are not valid.
   */
  verifyUser(user: string, token: string): Promise<ClientGrant>;
  /** Whether a device or module signs in with a certificate. */
  knowsCertificate(address: DeviceAddress, certificate: ClientCertificate): boolean;
  /**
   * Queues a message.
   *
   * @throws {HubFault} When the hub refuses it.
   */
  enqueueMessage(target: MessageTarget, message: CloudMessage): void;
  /** Opens the source of a link on which a back end receives. */
  openSource(address: ServiceSourceAddress, events: AmqpSourceEvents): AmqpSource;
  /**
   * Connects a device or module.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when it does not exist or is disabled, and
   * `ThrottlingException` (429) when too many connect at a time.
   */
  openSession(address: DeviceAddress, connection: DeviceConnection): DeviceSession;
}

/** An event as the hub sends it. */
export interface AmqpEvent {
  readonly kind: "event";
  readonly event: StoredEvent;
  /** The last event of the partition, for a client that wants to know how far behind it is. */
  readonly last?: EventPartition["last"];
}

/** What the hub sends: an event, a message for a back end or for a device, a direct method, or what there is to say of a twin. */
export type AmqpContent =
  | { readonly kind: "service"; readonly message: ServiceMessage }
  | { readonly kind: "device"; readonly message: QueuedMessage }
  | AmqpEvent
  | {
    readonly kind: "method";
    /** A UUID. */
    readonly correlationId: string;
    readonly methodName: string;
    readonly payload: JsonValue;
  }
  | {
    readonly kind: "twin";
    /** The id of the request as it came, and the status of the answer; both are left out in a notification. */
    readonly correlationId?: unknown;
    readonly status?: number;
    readonly version?: number;
    readonly body?: JsonValue;
  };

/** A message that is locked for its receiver until the receiver settles it. */
export interface AmqpDelivery {
  /** Names the lock, a GUID; left out where nobody else can get the message. */
  readonly lockToken?: string;
  readonly content: AmqpContent;
  /** Ends a message that was handled. Returns `false`, as do the next two, when the lock has been lost. */
  complete(): boolean;
  /** Gives a message back to be delivered again, which counts as a delivery. */
  abandon(): boolean;
  /** Ends a message that is not wanted. */
  reject(): boolean;
  /** Gives back a message whose receiver has disconnected, which does not count as a delivery. */
  unlock(): void;
}

/** Provides the messages for a link on which a client receives. */
export interface AmqpSource {
  /** Locks the next message and returns it, if there is one. */
  next(): AmqpDelivery | undefined;
  /** Must be called when the link ends. */
  close(): void;
}

/** The events of a source. */
export interface AmqpSourceEvents {
  /** There may be another message. */
  wake(): void;
  /** There will be no more messages. */
  end(reason: AmqpError): void;
}
