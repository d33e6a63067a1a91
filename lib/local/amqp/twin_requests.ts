import type { Message } from "rhea";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import type { FaultReporter } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { DeviceSession } from "../sessions/device_session.ts";
import { checkProperties, readAnnotation, readCorrelationId, readJsonBody } from "./incoming_message.ts";
import { twinFaultOf } from "../sessions/twin_fault.ts";
import { Outbox } from "./outbox.ts";

const REPORTED = "/properties/reported";
const NOTIFICATIONS = "/notifications/twin/properties/desired";

/** What the hub answers to a request for the twin. */
interface TwinAnswer {
  readonly status: number;
  /** The new `$version` of what was written. */
  readonly version?: number;
  readonly body?: JsonValue;
}

/** The twin of one device, as it asks for it over AMQP: requests on one link, answers and notifications on another. */
export class AmqpTwinRequests {
  /** The answers and notifications on their way to the device. */
  readonly outbox: Outbox = new Outbox();
  readonly #session: () => DeviceSession;
  readonly #reporter: FaultReporter;
  #isWatching = false;

  /** @param session Returns the session of the device. */
  constructor(session: () => DeviceSession, reporter: FaultReporter) {
    this.#session = session;
    this.#reporter = reporter;
  }

  /**
   * Takes a request and answers it.
   *
   * @throws {HubFault} 400 when it cannot be answered: it has no correlation id, or there is no link for answers.
   */
  take(message: Message): void {
    checkProperties(message);
    readCorrelationId(message);
    if (!this.outbox.isOpen) {
      throw new HubFault(
        "InvalidOperation",
        400,
        "There is no link for the answer: attach one that receives from the twin",
      );
    }
    this.outbox.put({ kind: "twin", correlationId: message.correlation_id, ...this.#answer(message) });
  }

  /** Tells the device of a change, if it has asked for that. Returns whether it has. */
  desiredChanged(patch: JsonObject): boolean {
    if (this.#isWatching) this.outbox.put({ kind: "twin", body: patch });
    return this.#isWatching;
  }

  /** Forgets what the device has asked for. */
  reset(): void {
    this.#isWatching = false;
  }

  #answer(message: Message): TwinAnswer {
    try {
      return this.#carryOut(message);
    } catch (error) {
      return twinFaultOf(error, this.#reporter);
    }
  }

  #carryOut(message: Message): TwinAnswer {
    const { operation, resource, version } = readAnnotations(message);
    const session = this.#session();
    switch (`${operation} ${resource}`) {
      case "GET ":
        session.touch();
        return { status: 200, body: session.readTwin() };
      case `PATCH ${REPORTED}`:
        return { status: 204, version: session.report(readJsonBody("the reported properties", message), version) };
      case `PUT ${NOTIFICATIONS}`:
      case `DELETE ${NOTIFICATIONS}`:
        session.touch();
        this.#isWatching = operation === "PUT";
        return { status: 204 };
      default:
        throw wrongArgument("operation and resource", `${operation} ${resource}`, "those of a request for a twin");
    }
  }
}

/** Reads what a request is for. What comes as null is like what is left out. */
function readAnnotations(message: Message): { operation: string; resource: string; version: number | undefined } {
  const read = (name: string): unknown => readAnnotation(message, name);
  const [operation, resource = "", version] = [read("operation"), read("resource"), read("version")];
  if (typeof operation !== "string") throw wrongArgumentType("the annotation operation", operation, "a string");
  if (typeof resource !== "string") throw wrongArgumentType("the annotation resource", resource, "a string");
  if (version === undefined) return { operation, resource, version: undefined };
  if (typeof version !== "number") throw wrongArgumentType("the annotation version", version, "a long");
  return { operation, resource, version };
}
