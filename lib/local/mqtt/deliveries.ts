import type { IPublishPacket } from "mqtt-packet";
import { Buffer } from "node:buffer";
import type { IdentityTarget } from "../records/find_identity.ts";
import type { DeviceDelivery } from "../sessions/device_session.ts";
import { cloudMessageTopic } from "./cloud_message_topic.ts";
import { MQTT_LIMITS } from "./hub_limits.ts";
import type { MqttSession } from "./sessions.ts";

const MAX_PACKET_ID = 65_535;
const MAX_TOPIC_BYTES = 65_535;

/** The cloud-to-device messages on their way to one device. */
export class MqttDeliveries {
  readonly #target: IdentityTarget;
  readonly #session: MqttSession;
  readonly #next: () => DeviceDelivery | undefined;
  readonly #send: (packet: IPublishPacket) => void;
  /** The messages that the device has not acknowledged, by the packet identifiers. */
  readonly #inFlight = new Map<number, DeviceDelivery>();
  #lastPacketId = 0;
  #isRunning = false;
  #isClosed = false;

  /**
   * @param next Locks the next message, if there is one.
   * @param send Sends a message.
   */
  constructor(
    target: IdentityTarget,
    session: MqttSession,
    next: () => DeviceDelivery | undefined,
    send: (packet: IPublishPacket) => void,
  ) {
    this.#target = target;
    this.#session = session;
    this.#next = next;
    this.#send = send;
  }

  /** Sends what there is, if the device has subscribed to it. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (!this.#isClosed && this.#inFlight.size < MQTT_LIMITS.maxUnacknowledged) {
        const qos = this.#session.qosOf("messages", "everything");
        const delivery = qos === undefined ? undefined : this.#next();
        if (delivery === undefined) return;
        this.#deliver(delivery, qos!);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Takes the acknowledgement of a message. One that nobody waits for is dropped. */
  acknowledge(packetId: number): void {
    const delivery = this.#inFlight.get(packetId);
    this.#inFlight.delete(packetId);
    delivery?.complete();
    this.run();
  }

  /** Gives back what the device has not acknowledged. A session that goes on sends it again as what it was. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const unacknowledged = [...this.#inFlight];
    this.#inFlight.clear();
    this.#session.unacknowledged = new Map(
      unacknowledged.map(([packetId, { message }]) => [message.sequenceNumber, packetId]),
    );
    for (const [, delivery] of unacknowledged) delivery.unlock();
  }

  #deliver(delivery: DeviceDelivery, qos: 0 | 1): void {
    const { message } = delivery;
    const topic = cloudMessageTopic(this.#target, message);
    // Encoding makes properties longer, and a topic has a limit. Nothing behind the message could be delivered either.
    if (Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return void delivery.reject();
    const payload = Buffer.from(message.message.data);
    if (qos === 0) {
      this.#send({ cmd: "publish", topic, payload, qos, dup: false, retain: false });
      delivery.complete();
      return;
    }
    const earlier = this.#packetIdOf(message.sequenceNumber);
    const messageId = earlier ?? this.#newPacketId();
    this.#inFlight.set(messageId, delivery);
    this.#send({ cmd: "publish", topic, payload, qos, dup: earlier !== undefined, retain: false, messageId });
  }

  /** The packet identifier with which a message was sent before: on an earlier connection, or before its lock ran out. */
  #packetIdOf(sequenceNumber: number): number | undefined {
    for (const [packetId, { message }] of this.#inFlight) {
      if (message.sequenceNumber === sequenceNumber) return packetId;
    }
    const kept = this.#session.unacknowledged.get(sequenceNumber);
    return kept !== undefined && !this.#inFlight.has(kept) ? kept : undefined;
  }

  #newPacketId(): number {
    const kept = new Set(this.#session.unacknowledged.values());
    do this.#lastPacketId = this.#lastPacketId % MAX_PACKET_ID + 1; while (
      this.#inFlight.has(this.#lastPacketId) || kept.has(this.#lastPacketId)
    );
    return this.#lastPacketId;
  }
}
