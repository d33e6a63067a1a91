import type { TelemetryMessage } from "../messages/telemetry_message.ts";

/** What an event comes from, as back ends read it. */
export type EventSourceName =
  | "Telemetry"
  | "twinChangeEvents"
  | "deviceLifecycleEvents"
  | "deviceConnectionStateEvents";

/** An event that is to be stored. */
export interface EventContent {
  readonly source: EventSourceName;
  readonly deviceId: string;
  readonly moduleId: string | undefined;
  /** When the hub has received or made it, in milliseconds since the epoch. */
  readonly receivedTime: number;
  /** What the device has sent, or what the hub says in the same form. */
  readonly message: TelemetryMessage;
  /** What else the hub knows of its sender, under the names that back ends read. */
  readonly stamps: Readonly<Record<string, string>>;
}

/** An event in its place. */
export interface StoredEvent extends EventContent {
  readonly partitionId: string;
  readonly sequenceNumber: number;
  readonly offset: number;
  /** Its number among the events of all partitions. */
  readonly order: number;
  /** In milliseconds since the epoch; never lower than that of the event before. */
  readonly enqueuedTime: number;
}

/** The stamps of an event as back ends read them. Times are dates. */
export function stampsOf(event: StoredEvent): Record<string, string | Date> {
  const { deviceId, moduleId, stamps, source, receivedTime } = event;
  return {
    "iothub-connection-device-id": deviceId,
    ...(moduleId !== undefined && { "iothub-connection-module-id": moduleId }),
    ...stamps,
    "iothub-enqueuedtime": new Date(receivedTime),
    "iothub-message-source": source,
  };
}

/** The application properties of an event, all of them as texts. */
export function propertiesOf({ message }: EventContent): Record<string, string> {
  return Object.fromEntries(Object.entries(message.properties).map(([name, value]) => [name, String(value)]));
}
