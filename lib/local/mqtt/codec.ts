import { Buffer } from "node:buffer";
import { generate, type Packet, parser } from "mqtt-packet";
import { MqttViolation } from "./violation.ts";

const OPTIONS = { protocolVersion: 4 } as const;

/**
 * Reads a packet.
 *
 * @throws {MqttViolation} When the library cannot read it.
 */
export function readPacket(bytes: Uint8Array): Packet {
  let packet: Packet | undefined;
  const reader = parser(OPTIONS);
  reader.on("packet", (read: Packet) => packet = read);
  reader.on("error", () => {});
  reader.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (packet === undefined) throw new MqttViolation("The hub cannot read a packet");
  return packet;
}

/** Writes a packet. */
export function writePacket(packet: Packet): Uint8Array {
  return generate(packet, OPTIONS);
}
