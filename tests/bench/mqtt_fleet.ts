/**
 * MQTT devices of a hub, in a process of their own; run by `hub_devices.ts` and `event_fleet.ts`. Each line of the input is
 * an order, and each is answered with a line, which tells the CPU time that it took.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { connect } from "node:tls";
import { signAsDevice } from "../support/device_caller.ts";
import { MqttClient } from "../support/mqtt_client.ts";
import { sampleEvent } from "./sample_data.ts";
import { now } from "./shared_clock.ts";

/** What the devices are told. */
export type FleetOrder =
  | { readonly connect: FleetHub; readonly from: number; readonly to: number }
  /** Answered when each device has been told of a change of desired properties. */
  | { readonly awaitChanges: true }
  /** Each device sends so many events, at full speed, or so many a second all together. */
  | { readonly send: number; readonly perSecond?: number | undefined };

/** Where the devices connect. */
export interface FleetHub {
  readonly hostName: string;
  readonly port: number;
  /** The hub's certificate; left out for TCP. */
  readonly certificate?: string | undefined;
  /** The key that all devices have. */
  readonly key: string;
}

const AT_ONCE = 50;
/** How many events of a device may wait for their acknowledgement. */
const MOST_AWAITED = 20;
const TOPICS = ["$iothub/methods/POST/#", "$iothub/twin/PATCH/properties/desired/#"];

/** A device that sends events, with QoS 1. */
class EventSender {
  readonly #id: string;
  readonly #client: MqttClient;
  #sent = 0;
  #acknowledged = 0;
  #wake = (): void => {};

  constructor(id: string, client: MqttClient) {
    this.#id = id;
    this.#client = client;
  }

  acknowledge(): void {
    this.#acknowledged++;
    this.#wake();
  }

  async send(count: number, start: number, intervalInMs: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const wait = start + index * intervalInMs - now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await this.#until(MOST_AWAITED - 1);
      this.#client.send("publish", {
        topic: `devices/${this.#id}/messages/events/level=high`,
        payload: Buffer.from(JSON.stringify({ ...sampleEvent(), sentAt: now() })),
        qos: 1,
        dup: false,
        retain: false,
        messageId: 1 + this.#sent++ % 65_535,
      });
    }
    await this.#until(0);
  }

  async #until(mostAwaited: number): Promise<void> {
    while (this.#sent - this.#acknowledged > mostAwaited) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}

const clients: MqttClient[] = [];
const senders: EventSender[] = [];
const changed = new Set<string>();
let awaited: (() => void) | undefined;

async function connectDevice(id: string, { hostName, port, certificate, key }: FleetHub): Promise<void> {
  const client = new MqttClient(
    certificate === undefined ? port : connect({ port, host: "127.0.0.1", servername: "localhost", ca: certificate }),
  );
  clients.push(client);
  const [returnCode] = await client.connect({
    clientId: id,
    username: `${hostName}/${id}/?api-version=2021-04-12`,
    password: Buffer.from(signAsDevice(hostName, `/devices/${id}`, key)),
    keepalive: 1000,
  });
  if (returnCode !== 0) throw new Error(`${id} was refused with ${returnCode}`);
  await client.subscribe(...TOPICS);
  const sender = new EventSender(id, client);
  senders.push(sender);
  void serve(id, client, sender);
}

async function serve(id: string, client: MqttClient, sender: EventSender): Promise<void> {
  for (let packet = await client.nextOrEnd(); packet !== undefined; packet = await client.nextOrEnd()) {
    if (packet.cmd === "puback") sender.acknowledge();
    if (packet.cmd !== "publish") continue;
    if (packet.qos > 0) client.send("puback", { messageId: packet.messageId });
    const requestId = /^\$iothub\/methods\/POST\/[^/]+\/\?\$rid=(.+)$/.exec(packet.topic)?.[1];
    if (requestId !== undefined) client.tell(`$iothub/methods/res/200/?$rid=${requestId}`, JSON.stringify(id));
    else if (changed.add(id).size === clients.length) awaited?.();
  }
}

async function carryOut(order: FleetOrder): Promise<void> {
  if ("connect" in order) {
    let next = order.from;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (next < order.to) await connectDevice(`device-${next++}`, order.connect);
    }));
  } else if ("send" in order) {
    const { send, perSecond = Infinity } = order;
    const step = 1000 / perSecond;
    const start = now();
    await Promise.all(
      senders.map((sender, index) => sender.send(send, start + index * step, senders.length * step)),
    );
  } else if (changed.size < clients.length) {
    await new Promise<void>((resolve) => awaited = resolve);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  await carryOut(JSON.parse(line));
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ cpuInUs: user + system }) + "\n");
}
process.exit(0);
