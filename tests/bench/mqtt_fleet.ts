/**
 * MQTT devices of a hub, in a process of their own; run by `hub_devices.ts`. Each line of the input is an order, and each is
 * answered with a line.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { connect } from "node:tls";
import { signAsDevice } from "../support/device_caller.ts";
import { MqttClient } from "../support/mqtt_client.ts";

/** What the devices are told. */
export type FleetOrder =
  | { readonly connect: FleetHub; readonly from: number; readonly to: number }
  /** Answered when each device has been told of a change of desired properties. */
  | { readonly awaitChanges: true };

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
const TOPICS = ["$iothub/methods/POST/#", "$iothub/twin/PATCH/properties/desired/#"];

const clients: MqttClient[] = [];
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
  void serve(id, client);
}

async function serve(id: string, client: MqttClient): Promise<void> {
  for (let packet = await client.nextOrEnd(); packet !== undefined; packet = await client.nextOrEnd()) {
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
  } else if (changed.size < clients.length) {
    await new Promise<void>((resolve) => awaited = resolve);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  await carryOut(JSON.parse(line));
  process.stdout.write("{}\n");
}
process.exit(0);
