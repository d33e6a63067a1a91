import { connect, type Socket } from "node:net";
import { type Packet, parser } from "mqtt-packet";
import type { AmqpCarrier } from "./amqp_carrier.ts";
import type { CaseResult } from "./campaign.ts";
import { within } from "./within.ts";

/** How a client behaves that has said what it has to say. */
export interface MqttManner {
  /** How many bytes it writes at a time; 0 for all. */
  readonly pieces: number;
  /** Whether it takes what the hub sends. */
  readonly isReading: boolean;
  /** Whether it goes, or leaves the connection open and says nothing more. */
  readonly end: "end" | "reset" | "stay";
  /** How often it comes, one connection after another. */
  readonly times: number;
}

const PATIENCE_IN_MS = 30;
const GOOD_PATIENCE_IN_MS = 10_000;
const MOST_PIECES = 300;
/** Connections that their clients have left open. */
const LEFT_OPEN: Socket[] = [];
const MOST_LEFT_OPEN = 50;

/** Connects and writes bytes, time and again; returns what the hub has made of the last connection, and all that came. */
export async function attackByMqtt(
  port: number,
  bytes: Uint8Array,
  carrier: () => AmqpCarrier,
  manner: MqttManner,
  isGood: boolean,
): Promise<CaseResult> {
  const reached = new Set<string>();
  let outcome = "";
  for (let time = 0; time < manner.times; time++) outcome = await hold(port, bytes, carrier(), manner, isGood, reached);
  return { outcome, reached };
}

async function hold(
  port: number,
  bytes: Uint8Array,
  carrier: AmqpCarrier,
  { pieces, isReading, end }: MqttManner,
  isGood: boolean,
  reached: Set<string>,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const seen: string[] = [];
  const closed = new Promise<string>((resolve) =>
    socket.on("error", () => {}).on("close", () => resolve(seen[0] ?? "closed"))
  );
  const done = new Promise<string>((resolve) => {
    const reader = parser({ protocolVersion: 4 });
    reader.on("error", () => resolve("the hub has sent what is no MQTT"));
    reader.on("packet", (packet: Packet) => {
      seen.push(packet.cmd === "connack" ? `connack ${packet.returnCode}` : packet.cmd);
      reached.add(packet.cmd);
      if (packet.cmd === "pingresp" || seen[0] !== "connack 0") resolve(seen[0]!);
    });
    if (!isReading) return;
    socket.on("data", (chunk: Uint8Array) => {
      const { carried, reply } = carrier.read(chunk);
      if (reply !== undefined) socket.write(reply);
      for (const part of carried) reader.parse(part as Parameters<typeof reader.parse>[0]);
    });
  });
  socket.write(carrier.opening);
  const size = pieces === 0 ? bytes.length : Math.max(pieces, Math.ceil(bytes.length / MOST_PIECES));
  for (let at = 0; at < bytes.length; at += size) socket.write(carrier.write(bytes.subarray(at, at + size)));
  const patience = isGood ? GOOD_PATIENCE_IN_MS : PATIENCE_IN_MS;
  const outcome = await within(Promise.race([done, closed]), patience, "Nothing has come")
    .catch(() => seen[0] ?? "silence");
  if (end === "stay") {
    LEFT_OPEN.push(socket);
    if (LEFT_OPEN.length > MOST_LEFT_OPEN) LEFT_OPEN.shift()!.destroy();
    return outcome;
  }
  if (end === "end") socket.end();
  else socket.resetAndDestroy();
  socket.destroy();
  await closed;
  return outcome;
}
