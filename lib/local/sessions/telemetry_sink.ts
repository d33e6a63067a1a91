import type { TelemetryMessage } from "../messages/telemetry_message.ts";
import type { AnyRecord } from "../records/identity_records.ts";

/** A message that a device or a module has sent, and what the hub knows about it. */
export interface TelemetryEvent {
  readonly deviceId: string;
  readonly moduleId: string | undefined;
  readonly generationId: string;
  /** The model that the device has announced; empty for none. */
  readonly modelId: string;
  /** When the hub has received it, in milliseconds since the epoch. */
  readonly enqueuedTime: number;
  readonly message: TelemetryMessage;
}

/** Takes what devices send, and passes it on to whoever listens. It keeps nothing. */
export class TelemetrySink {
  readonly #listeners = new Set<(event: TelemetryEvent) => void>();
  #count = 0;

  /** How many messages have come. */
  get count(): number {
    return this.#count;
  }

  /** Takes a message that has been checked. */
  add(record: AnyRecord, message: TelemetryMessage, enqueuedTime: number): void {
    this.#count++;
    const { deviceId, generationId, modelId } = record;
    const moduleId = record.kind === "module" ? record.moduleId : undefined;
    const event = { deviceId, moduleId, generationId, modelId, enqueuedTime, message };
    for (const listener of [...this.#listeners]) listener(event);
  }

  /**
   * Calls a listener with each message.
   *
   * @returns A function that removes the listener.
   */
  onEvent(listener: (event: TelemetryEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
