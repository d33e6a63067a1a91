import type { IPublishPacket, ISubscribePacket } from "mqtt-packet";
import { Buffer } from "node:buffer";
import type { LocalHubDisconnectReason } from "../activity/hub_event.ts";
import { wrongArgument } from "../argument_faults.ts";
import type { FaultReporter } from "../fault_listeners.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { readJsonBytes } from "../json_bytes.ts";
import type { DeviceConnection, EndReason, MethodAnswer, SignInMethod } from "../presence/device_connection.ts";
import { PendingMethodCalls } from "../presence/pending_method_calls.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import type { DeviceSession } from "../sessions/device_session.ts";
import { twinFaultOf } from "../sessions/twin_fault.ts";
import type { ConnectRequest } from "./connect_request.ts";
import { MqttDeliveries } from "./deliveries.ts";
import type { MqttSession } from "./sessions.ts";
import { readTelemetry } from "./telemetry.ts";
import { type DeviceTopic, type FilterKind, readFilter, readTopic } from "./topics.ts";

/** What a device needs of the connection that it has. */
export interface MqttDeviceOwner {
  /** Opens the session of the device with the hub. */
  open(target: IdentityTarget, connection: DeviceConnection): DeviceSession;
  /** Begins the session of the client, or goes on with it. */
  begin(session: DeviceSession): MqttSession;
  send(packet: IPublishPacket): void;
  /** Ends the connection. */
  end(): void;
  /** Ends the connection when the client has no right to it any longer. */
  cutUncovered(): void;
  readonly reporter: FaultReporter;
}

/** A device or module that is connected by MQTT. */
export class MqttDevice implements DeviceConnection {
  readonly family = "mqtt";
  readonly modelId: string | undefined;
  readonly signedInWith: SignInMethod;
  readonly #owner: MqttDeviceOwner;
  readonly #target: IdentityTarget;
  readonly #session: DeviceSession;
  readonly #client: MqttSession;
  readonly #calls: PendingMethodCalls = new PendingMethodCalls();
  readonly #deliveries: MqttDeliveries;
  #lastCall = 0;
  /** Whether the client has been told that it is connected, and is not gone. */
  #isOpen = false;

  /**
   * Connects the device, in place of an earlier connection. Nothing is sent until {@linkcode MqttDevice.start}.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when it does not exist or is disabled.
   */
  constructor(owner: MqttDeviceOwner, { target, modelId }: ConnectRequest, signedInWith: SignInMethod) {
    this.#owner = owner;
    this.#target = target;
    this.signedInWith = signedInWith;
    this.modelId = modelId;
    this.#session = owner.open(target, this);
    this.#client = owner.begin(this.#session);
    this.#deliveries = new MqttDeliveries(
      target,
      this.#client,
      () => this.#session.nextMessage(),
      (packet) => owner.send(packet),
    );
  }

  get takesMethods(): boolean {
    return this.#isOpen && this.#client.qosOf("methods") !== undefined;
  }

  /** To be called when the client has been told that it is connected. */
  start(): void {
    this.#isOpen = true;
    this.#session.methodsChanged();
    this.#deliveries.run();
  }

  /** Disconnects the device. */
  close(reason: LocalHubDisconnectReason): void {
    this.#isOpen = false;
    // First, so that no message goes to this connection again.
    this.#deliveries.close();
    this.#session.close(reason);
  }

  /** Takes subscriptions. Returns a code for each. {@linkcode MqttDevice.subscriptionsChanged} must follow. */
  subscribe({ subscriptions }: ISubscribePacket): number[] {
    return subscriptions.map(({ topic, qos }) => this.#client.subscribe(topic, readFilter(this.#target, topic), qos));
  }

  /** Ends subscriptions, likewise. */
  unsubscribe(filters: readonly string[]): void {
    for (const filter of filters) this.#client.unsubscribe(filter);
  }

  subscriptionsChanged(): void {
    this.#session.touch();
    this.#session.methodsChanged();
    this.#deliveries.run();
  }

  acknowledge(packetId: number): void {
    this.#deliveries.acknowledge(packetId);
  }

  /**
   * Takes what the device has published.
   *
   * @throws {MqttViolation} When the topic is not one of the device's.
   * @throws {HubFault} When the hub refuses it and has no other way to say so.
   */
  take({ topic, payload, retain }: IPublishPacket): void {
    const read = readTopic(this.#target, topic);
    // A copy, since a buffer of the library may be a part of a larger one.
    const data = new Uint8Array(typeof payload === "string" ? Buffer.from(payload) : payload);
    switch (read.kind) {
      case "telemetry":
        return this.sendTelemetry(read.bag, data, retain);
      case "methodAnswer": {
        const answer = { status: read.status, payload: readJsonBytes("the answer", data) ?? null };
        this.#session.touch();
        return this.#calls.answer(read.requestId, answer);
      }
      default:
        return this.#answerTwin(read, data);
    }
  }

  /** @throws {HubFault} When the hub cannot take it. */
  sendTelemetry(bag: string, data: Uint8Array, isRetained: boolean, extra?: Readonly<Record<string, string>>): void {
    const message = readTelemetry(bag, data, isRetained);
    this.#session.sendTelemetry({ ...message, properties: { ...message.properties, ...extra } });
  }

  invokeMethod(methodName: string, payload: JsonValue, signal: AbortSignal): Promise<MethodAnswer> {
    const id = (++this.#lastCall).toString(16);
    return this.#calls.add(id, signal, () => {
      this.#publish(`$iothub/methods/POST/${encodeURIComponent(methodName)}/?$rid=${id}`, JSON.stringify(payload));
    });
  }

  desiredChanged(patch: JsonObject): boolean {
    return this.#tell(
      "desired",
      `$iothub/twin/PATCH/properties/desired/?$version=${patch["$version"]}`,
      JSON.stringify(patch),
    );
  }

  messageQueued(): void {
    if (this.#isOpen) this.#deliveries.run();
  }

  /** The client is told first that it is connected. */
  activated(): void {}

  deactivated(_reason: EndReason): void {
    this.#owner.end();
  }

  credentialsChanged(): void {
    this.#owner.cutUncovered();
  }

  #answerTwin(request: Extract<DeviceTopic, { kind: "getTwin" | "report" }>, data: Uint8Array): void {
    const answerTo = (status: number, version: string, body: string): void =>
      void this.#tell("twinAnswers", `$iothub/twin/res/${status}/?$rid=${request.requestId}${version}`, body);
    try {
      if (request.kind === "getTwin") {
        this.#session.touch();
        return answerTo(200, "", JSON.stringify(this.#session.readTwin()));
      }
      const patch = readJsonBytes("the reported properties", data);
      const version = this.#session.report(patch, readVersion(request.version));
      answerTo(204, `&$version=${version}`, "");
    } catch (error) {
      const { status, body } = twinFaultOf(error, this.#owner.reporter);
      answerTo(status, "", JSON.stringify(body));
    }
  }

  /** Sends something, if the device has subscribed to it. Returns whether it has. */
  #tell(kind: FilterKind, topic: string, payload: string): boolean {
    const isWanted = this.#isOpen && this.#client.qosOf(kind) !== undefined;
    if (isWanted) this.#publish(topic, payload);
    return isWanted;
  }

  /** What is not a message from the queue goes with QoS 0: nobody would send it again. */
  #publish(topic: string, payload: string): void {
    this.#owner.send({ cmd: "publish", topic, payload, qos: 0, dup: false, retain: false });
  }
}

function readVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw wrongArgument("$version", text, "a whole number");
  return Number(text);
}
