import type { Message } from "rhea";
import { wrongArgument } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import type { JsonValue } from "../json.ts";
import type { MethodAnswer } from "../presence/device_connection.ts";
import { MAX_CALLS_IN_FLIGHT } from "./hub_limits.ts";
import { checkProperties, readCorrelationId, readJsonBody } from "./incoming_message.ts";
import { Outbox } from "./outbox.ts";

const STATUS_PROPERTY = "IoThub-status";

/** The direct methods that are called on one device, and have not been answered. */
export class AmqpMethodCalls {
  /** The calls on their way to the device. */
  readonly outbox: Outbox = new Outbox();
  /** By correlation ids, which are UUIDs. */
  readonly #pending = new Map<string, (answer: MethodAnswer) => void>();

  /** Calls a method. The promise stays pending when the device does not answer, or is gone. */
  invoke(methodName: string, payload: JsonValue, signal: AbortSignal): Promise<MethodAnswer> {
    if (this.#pending.size >= MAX_CALLS_IN_FLIGHT) {
      const message = `${MAX_CALLS_IN_FLIGHT} calls wait for the device to answer`;
      return Promise.reject(new HubFault("DeviceMaximumInflightMethodExceeded", 403, message));
    }
    const correlationId = crypto.randomUUID();
    const content = { kind: "method", correlationId, methodName, payload } as const;
    signal.addEventListener("abort", () => {
      this.#pending.delete(correlationId);
      this.outbox.takeBack(content);
    });
    return new Promise((resolve) => {
      this.#pending.set(correlationId, resolve);
      this.outbox.put(content);
    });
  }

  /**
   * Takes an answer of the device. One that nobody waits for is dropped.
   *
   * @throws {HubFault} `ArgumentInvalid` (400) when it is none.
   */
  take(message: Message): void {
    checkProperties(message);
    const correlationId = readCorrelationId(message);
    const all: Record<string, unknown> = message.application_properties ?? {};
    const status = Object.hasOwn(all, STATUS_PROPERTY) ? all[STATUS_PROPERTY] : undefined;
    if (!Number.isInteger(status)) throw wrongArgument(STATUS_PROPERTY, status, "an int");
    const payload = readJsonBody("the answer", message) ?? null;
    this.#pending.get(correlationId)?.({ status: Number(status), payload });
    this.#pending.delete(correlationId);
  }
}
