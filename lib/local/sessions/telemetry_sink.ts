import type { TelemetryMessage } from "../messages/telemetry_message.ts";
import type { DeviceConnection, SignInMethod } from "../presence/device_connection.ts";
import type { AnyRecord } from "../records/identity_records.ts";

/** A message that a device or a module has sent, and what the hub knows about it. */
export interface TelemetryEvent {
  readonly deviceId: string;
  readonly moduleId: string | undefined;
  readonly generationId: string;
  /** How the device has signed in, as JSON text with its members in the order of a real hub. */
  readonly authMethod: string;
  /** The model that the device has announced with its connection; empty for none. */
  readonly modelId: string;
  /** When the hub has received it, in milliseconds since the epoch. */
  readonly enqueuedTime: number;
  readonly message: TelemetryMessage;
}

/** What is to be known of the connection by which a message comes. */
export type TelemetrySender = Pick<DeviceConnection, "modelId" | "signedInWith">;

/** Takes what devices send, and passes it on to whoever listens. It keeps nothing. */
export class TelemetrySink {
  readonly #listeners = new Set<(event: TelemetryEvent) => void>();
  #count = 0;

  /** How many messages have come. */
  get count(): number {
    return this.#count;
  }

  /** Takes a message that has been checked. */
  add(record: AnyRecord, message: TelemetryMessage, enqueuedTime: number, sender: TelemetrySender = {}): void {
    this.#count++;
    if (this.#listeners.size === 0) return;
    const { deviceId, generationId } = record;
    const { modelId = "", signedInWith = "identityKey" } = sender;
    const moduleId = record.kind === "module" ? record.moduleId : undefined;
    const authMethod = authMethodOf(record, signedInWith);
    const event = { deviceId, moduleId, generationId, authMethod, modelId, enqueuedTime, message };
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

/** A real hub writes these members in this order, and some readers compare the text. */
function authMethodOf({ kind }: AnyRecord, signedInWith: SignInMethod): string {
  return JSON.stringify({
    scope: signedInWith === "policyKey" ? "hub" : kind,
    type: signedInWith === "certificate" ? "x509Certificate" : "sas",
    issuer: signedInWith === "certificate" ? "external" : "iothub",
    acceptingIpFilterRule: null,
  });
}
