import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";

/** What a packet has besides its name; what is left out is as a good client would have it. */
export type Fields = Record<string, unknown>;

/** The part of a socket that a client needs. */
export interface ClientSocket {
  write(bytes: Uint8Array): unknown;
  destroy(): unknown;
  on(event: string, listener: (bytes: Uint8Array) => void): unknown;
}

/** A client of a hub that knows nothing of this module: it writes packets, and tells those that come. */
export class MqttClient implements Disposable {
  /** Resolves when the hub has closed the connection. */
  readonly closed: Promise<void>;
  readonly #socket: ClientSocket;
  readonly #received: Packet[] = [];
  #waiting: ((packet: Packet | undefined) => void)[] = [];
  #isClosed = false;
  #lastId = 0;

  constructor(at: number | ClientSocket) {
    this.#socket = typeof at === "number" ? connect(at, "127.0.0.1") as Socket : at;
    const reader = parser({ protocolVersion: 4 });
    reader.on("packet", (packet: Packet) => this.#onPacket(packet));
    this.#socket.on("data", (bytes) => reader.parse(bytes as Parameters<typeof reader.parse>[0]));
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#isClosed = true;
        for (const tell of this.#waiting.splice(0)) tell(undefined);
        resolve();
      });
    });
  }

  /** How many packets have come and were not asked for. */
  get waiting(): number {
    return this.#received.length;
  }

  writeBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send(cmd: Packet["cmd"], fields: Fields = {}): void {
    this.writeBytes(generate({ cmd, ...fields } as Packet));
  }

  /** The next packet; `undefined` when the hub has closed the connection instead. */
  nextOrEnd(): Promise<Packet | undefined> {
    const received = this.#received.shift();
    if (received !== undefined || this.#isClosed) return Promise.resolve(received);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next packet, which has to be of this kind. */
  async next<T extends Packet["cmd"]>(cmd: T): Promise<Extract<Packet, { cmd: T }>> {
    const packet = await this.nextOrEnd();
    assert.equal(packet?.cmd, cmd, JSON.stringify(packet));
    return packet as Extract<Packet, { cmd: T }>;
  }

  /** Connects, and returns the code in the answer and whether the session was there. */
  async connect(fields: Partial<IConnectPacket>): Promise<[returnCode: number, sessionPresent: boolean]> {
    this.send("connect", { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60, ...fields });
    const { returnCode, sessionPresent } = await this.next("connack");
    return [returnCode!, sessionPresent];
  }

  /** Subscribes, and returns the codes in the answer. */
  async subscribe(...filters: (string | [filter: string, qos: number])[]): Promise<number[]> {
    const messageId = ++this.#lastId;
    const subscriptions = filters.map((filter) => {
      const [topic, qos] = typeof filter === "string" ? [filter, 1] : filter;
      return { topic, qos };
    });
    this.send("subscribe", { messageId, subscriptions });
    const answer = await this.next("suback");
    assert.equal(answer.messageId, messageId);
    return answer.granted as number[];
  }

  /** Publishes with QoS 1, and waits for the acknowledgement. */
  async publish(topic: string, payload: string | Uint8Array = "", fields: Fields = {}): Promise<void> {
    const messageId = ++this.#lastId;
    this.send("publish", {
      topic,
      payload: Buffer.from(payload as Uint8Array),
      qos: 1,
      dup: false,
      retain: false,
      messageId,
      ...fields,
    });
    assert.equal((await this.next("puback")).messageId, messageId);
  }

  /** Publishes with QoS 0. */
  tell(topic: string, payload: string | Uint8Array = "", fields: Fields = {}): void {
    this.send("publish", {
      topic,
      payload: Buffer.from(payload as Uint8Array),
      qos: 0,
      dup: false,
      retain: false,
      ...fields,
    });
  }

  /** Asks the hub for something, and returns the topic and the payload of its answer. */
  async ask(topic: string, payload = ""): Promise<[topic: string, payload: string]> {
    this.tell(topic, payload);
    return await this.message();
  }

  /** The topic and the payload of the next message. */
  async message(): Promise<[topic: string, payload: string]> {
    const { topic, payload } = await this.next("publish");
    return [topic, payload.toString()];
  }

  /** Waits until the hub has read all that was sent. */
  async settled(): Promise<void> {
    this.send("pingreq");
    await this.next("pingresp");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #onPacket(packet: Packet): void {
    const tell = this.#waiting.shift();
    if (tell === undefined) this.#received.push(packet);
    else tell(packet);
  }
}
