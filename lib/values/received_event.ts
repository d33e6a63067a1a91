/** An event of a hub: what a device has sent, or what the hub tells by itself. */
export interface ReceivedEvent {
  /** The device that it comes from, or is about. */
  readonly deviceId: string;
  /** The module of that device; `undefined` if it is the device itself. */
  readonly moduleId?: string | undefined;
  /**
   * What kind of event it is: `"Telemetry"` for what a device has sent, or `"twinChangeEvents"`, `"deviceLifecycleEvents"`,
   * `"deviceConnectionStateEvents"` and others for what the hub tells by itself.
   */
  readonly source: string;
  /** The bytes that the device has sent, or the JSON of the hub. */
  readonly body: Uint8Array;
  /** The application properties, as texts. */
  readonly properties: Readonly<Record<string, string>>;
  /**
   * The system properties: `messageId`, `correlationId`, `contentType`, `contentEncoding`, `userId` and others, as far as
   * the device has set them, and the hub's own, such as `"iothub-connection-auth-method"` and `"iothub-enqueuedtime"`.
   */
  readonly systemProperties: Readonly<Record<string, unknown>>;
  /** When it was stored. */
  readonly enqueuedTimeUtc: Date;
  /** Its number in its partition, one higher for each event. */
  readonly sequenceNumber: number;
  /** Its place in its partition. Offsets can be given back to the hub, and mean nothing else. */
  readonly offset: string;
  /** The partition in which it is stored. All events of a device are in the same one, in order. */
  readonly partitionId: string;
  /** The body as text in UTF-8. */
  readonly text: string;
  /**
   * Parses the body as JSON.
   *
   * @returns The value.
   * @throws {SyntaxError} When the body is not JSON.
   */
  json<T = unknown>(): T;
}

/** What an event says, without the ways to read its body. */
type EventFacts = Omit<ReceivedEvent, "text" | "json">;

/** Adds to the facts of an event how its body can be read. */
export function receivedEvent(facts: EventFacts): ReceivedEvent {
  return Object.defineProperties(facts, READERS) as ReceivedEvent;
}

// They are not enumerable, so that what is compared or printed is each fact once.
const READERS: PropertyDescriptorMap = {
  text: {
    get(this: EventFacts): string {
      return new TextDecoder().decode(this.body);
    },
  },
  json: {
    value(this: ReceivedEvent): unknown {
      return JSON.parse(this.text);
    },
  },
};
