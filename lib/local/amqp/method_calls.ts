import type { Message } from "rhea";
import { wrongArgument } from "../argument_faults.ts";
import type { JsonValue } from "../json.ts";
import type { MethodAnswer } from "../presence/device_connection.ts";
import { PendingMethodCalls } from "../presence/pending_method_calls.ts";
import { checkProperties, readCorrelationId, readJsonBody } from "./incoming_message.ts";
import { Outbox } from "./outbox.ts";

const STATUS_PROPERTY = "IoThub-status";

/** The direct methods that are called on one device, and have not been answered. */
export class AmqpMethodCalls {
  /** The calls on their way to the device. */
  readonly outbox: Outbox = new Outbox();
  /** By correlation ids, which are UUIDs. */
  readonly #pending: PendingMethodCalls = new PendingMethodCalls();

  /** Calls a method. The promise stays pending when the device does not answer, or is gone. */
  invoke(methodName: string, payload: JsonValue, signal: AbortSignal): Promise<MethodAnswer> {
    const correlationId = crypto.randomUUID();
    const content = { kind: "method", correlationId, methodName, payload } as const;
    signal.addEventListener("abort", () => this.outbox.takeBack(content));
    return this.#pending.add(correlationId, signal, () => this.outbox.put(content));
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
    this.#pending.answer(correlationId, { status: Number(status), payload });
  }
}
