import { ByteCursor } from "./byte_cursor.ts";
import { MQTT_LIMITS } from "./hub_limits.ts";
import { UNACCEPTABLE_VERSION } from "./return_codes.ts";
import { MqttViolation } from "./violation.ts";

const CONNECT = 1;
const PROTOCOL_LEVEL = 4;

/** Checks what follows the fixed header of a packet of one type. */
type Check = (body: ByteCursor, flags: number) => void;

/** The packets that a client may send to this hub, with the flags that they must have; any for PUBLISH. */
const CHECKS: Readonly<Record<number, readonly [flags: number | undefined, check: Check]>> = {
  [CONNECT]: [0, checkConnect],
  3: [undefined, checkPublish],
  4: [0, (body) => void body.packetId()],
  8: [2, (body) => checkFilters(body, true)],
  10: [2, (body) => checkFilters(body, false)],
  12: [0, () => {}],
  14: [0, () => {}],
};

/**
 * Checks the first byte of a packet, before the rest has come. The first packet must be a CONNECT, and no other may be.
 *
 * @throws {MqttViolation} When the client must not send such a packet.
 */
export function checkFirstByte(byte: number, isFirst: boolean): void {
  const type = byte >> 4;
  if (isFirst !== (type === CONNECT)) throw new MqttViolation(`A packet of type ${type} has come at the wrong time`);
  const known = CHECKS[type];
  if (known === undefined) throw new MqttViolation(`A client must not send packets of type ${type}`);
  const [flags] = known;
  if (flags !== undefined && flags !== (byte & 0x0f)) {
    throw new MqttViolation(`A packet of type ${type} has wrong flags`);
  }
}

/**
 * Checks a whole packet, so that its reader need not cope with anything else.
 *
 * @param bodyAt Where its fixed header ends.
 * @throws {MqttViolation} When it breaks a rule of MQTT 3.1.1, or a limit of the hub.
 */
export function checkPacket(packet: Uint8Array, bodyAt: number): void {
  const body = new ByteCursor(packet, bodyAt);
  CHECKS[packet[0]! >> 4]![1](body, packet[0]! & 0x0f);
  body.requireEnd();
}

function checkConnect(body: ByteCursor): void {
  const [name, level, flags] = [body.text(), body.byte(), body.byte()];
  if (name !== "MQTT" && name !== "MQIsdp") throw new MqttViolation("The protocol is not MQTT");
  if (name !== "MQTT" || level !== PROTOCOL_LEVEL) {
    throw new MqttViolation(`The hub does not speak level ${level} of ${name}`, UNACCEPTABLE_VERSION);
  }
  body.word();
  const [hasUser, hasPassword, hasWill] = [0x80, 0x40, 0x04].map((bit) => (flags & bit) !== 0);
  const willQos = (flags >> 3) & 3;
  const isLegal = (flags & 1) === 0 && willQos < 3 && (hasUser || !hasPassword) && (hasWill || (flags & 0x38) === 0);
  if (!isLegal) throw new MqttViolation("The flags of a CONNECT contradict each other");
  body.text();
  if (hasWill) {
    checkTopic(body.text());
    body.binary();
  }
  if (hasUser) checkSize("user name", body.text().length, MQTT_LIMITS.maxUserNameBytes);
  if (hasPassword) checkSize("password", body.binary().byteLength, MQTT_LIMITS.maxPasswordBytes);
}

function checkPublish(body: ByteCursor, flags: number): void {
  const qos = (flags >> 1) & 3;
  if (qos > 1) throw new MqttViolation(`The hub takes no messages with QoS ${qos}`);
  if (qos === 0 && (flags & 8) !== 0) throw new MqttViolation("A message with QoS 0 is marked as sent again");
  checkTopic(body.text());
  if (qos > 0) body.packetId();
  body.skipRest();
}

function checkFilters(body: ByteCursor, haveQos: boolean): void {
  body.packetId();
  let count = 0;
  do {
    if (body.text() === "") throw new MqttViolation("A topic filter is empty");
    if (haveQos && body.byte() > 2) throw new MqttViolation("A subscription has a QoS that does not exist");
    count++;
    if (count > MQTT_LIMITS.maxFilters) throw new MqttViolation("A packet has too many topic filters");
  } while (!body.isAtEnd);
}

function checkTopic(topic: string): void {
  if (topic === "" || /[+#]/.test(topic)) throw new MqttViolation("A topic is empty or has a wildcard");
}

function checkSize(name: string, size: number, limit: number): void {
  if (size > limit) throw new MqttViolation(`The ${name} has more than ${limit} bytes`);
}
