import type { Message, Receiver, Sender } from "rhea";
import type { LocalHubDisconnectReason } from "../activity/hub_event.ts";
import type { FaultReporter } from "../fault_listeners.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { DeviceConnection, EndReason, MethodAnswer, SignInMethod } from "../presence/device_connection.ts";
import type { DeviceSession } from "../sessions/device_session.ts";
import type { DeviceLinkKind } from "./address.ts";
import type { AmqpSource, AmqpSourceEvents } from "./backend.ts";
import type { AmqpError } from "./conditions.ts";
import { readTelemetry } from "./incoming_message.ts";
import { AmqpMethodCalls } from "./method_calls.ts";
import { AmqpTwinRequests } from "./twin_requests.ts";

/** The inputs of a module: routes of an edge hub lead there, and of no other hub. */
const NO_INPUTS: AmqpSource = { next: () => undefined, close() {} };

/** What the links of a device need of the connection that they belong to. */
export interface DeviceLinksOwner {
  /** Opens the session of the device, which the links hold until the last of them ends. */
  open(connection: DeviceConnection): DeviceSession;
  /** What the client has the right to the links from, now. */
  signedInWith(): SignInMethod;
  /** Ends links. */
  end(links: readonly (Receiver | Sender)[], reason: AmqpError): void;
  /** Ends the links for which the client has no right any longer. */
  cutUncovered(): void;
  readonly reporter: FaultReporter;
}

/** The links of one device or module on one connection. Together they are its connection with the hub. */
export class AmqpDeviceLinks implements DeviceConnection {
  readonly family = "amqp";
  readonly modelId: string | undefined;
  readonly #owner: DeviceLinksOwner;
  readonly #session: DeviceSession;
  /** One link of each kind in each direction. */
  readonly #links = new Map<string, Receiver | Sender>();
  readonly #methods: AmqpMethodCalls = new AmqpMethodCalls();
  readonly #twin: AmqpTwinRequests;
  #wakeMessages = (): void => {};

  /**
   * Connects the device.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when it does not exist or is disabled, and
   * `ThrottlingException` (429) when too many connect at a time.
   */
  constructor(owner: DeviceLinksOwner, modelId: string | undefined) {
    this.#owner = owner;
    this.modelId = modelId;
    this.#twin = new AmqpTwinRequests(() => this.#session, owner.reporter);
    this.#session = owner.open(this);
  }

  get signedInWith(): SignInMethod {
    return this.#owner.signedInWith();
  }

  get takesMethods(): boolean {
    return this.#methods.outbox.isOpen && this.#links.has(slotOf("methods", true));
  }

  /** Adds a link, which takes the place of another. */
  add(kind: DeviceLinkKind, link: Receiver | Sender): void {
    const slot = slotOf(kind, link.is_receiver());
    const older = this.#links.get(slot);
    this.#links.set(slot, link);
    if (older !== undefined) this.#owner.end([older], this.#stolen());
    if (kind === "methods") this.#session.methodsChanged();
  }

  /** Removes a link that has ended. Returns whether it was the last one: the device is then no longer connected. */
  remove(link: Receiver | Sender, reason: LocalHubDisconnectReason): boolean {
    for (const [slot, known] of this.#links) {
      if (known !== link) continue;
      this.#links.delete(slot);
      if (slot === slotOf("twin", false)) this.#twin.reset();
    }
    if (this.#links.size === 0) this.#session.close(reason);
    else this.#session.methodsChanged();
    return this.#links.size === 0;
  }

  /** Opens what a link of the device receives. */
  openSource(kind: DeviceLinkKind, events: AmqpSourceEvents): AmqpSource {
    if (kind === "events") return NO_INPUTS;
    if (kind === "twin") return this.#twin.outbox.open(events);
    if (kind === "methods") {
      const source = this.#methods.outbox.open(events);
      this.#session.methodsChanged();
      return source;
    }
    this.#wakeMessages = events.wake;
    return { next: () => this.#nextMessage(), close() {} };
  }

  /**
   * Takes a message that has come by a link.
   *
   * @throws {HubFault} When the hub refuses it.
   */
  take(kind: Exclude<DeviceLinkKind, "messages">, message: Message): void {
    if (kind === "twin") return this.#twin.take(message);
    if (kind === "events") return this.#session.sendTelemetry(readTelemetry(message));
    this.#methods.take(message);
    this.#session.touch();
  }

  invokeMethod(methodName: string, payload: JsonValue, signal: AbortSignal): Promise<MethodAnswer> {
    return this.#methods.invoke(methodName, payload, signal);
  }

  desiredChanged(patch: JsonObject): boolean {
    return this.#twin.desiredChanged(patch);
  }

  messageQueued(): void {
    this.#wakeMessages();
  }

  activated(): void {
    this.#wakeMessages();
  }

  deactivated(reason: EndReason): void {
    const { key } = this.#session;
    this.#owner.end(
      [...this.#links.values()],
      reason === "identityGone"
        ? { condition: "amqp:not-found", description: `${key} is disabled or has been deleted` }
        : this.#stolen(),
    );
  }

  credentialsChanged(): void {
    this.#owner.cutUncovered();
  }

  #stolen(): AmqpError {
    return {
      condition: "amqp:link:stolen",
      description: `Another connection of ${this.#session.key} has taken over`,
    };
  }

  #nextMessage(): ReturnType<AmqpSource["next"]> {
    const delivery = this.#session.nextMessage();
    if (delivery === undefined) return undefined;
    const { message } = delivery;
    return { ...delivery, lockToken: message.lockToken, content: { kind: "device", message } };
  }
}

/** Names the place of a link: its kind, and whether the device sends on it. */
function slotOf(kind: DeviceLinkKind, isFromDevice: boolean): string {
  return `${kind} ${isFromDevice ? "from" : "to"} device`;
}
