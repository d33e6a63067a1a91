import { MQTT_LIMITS } from "./hub_limits.ts";
import { checkFirstByte, checkPacket } from "./packet_check.ts";
import { MqttViolation } from "./violation.ts";

const MAX_LENGTH_BYTES = 4;
const FIRST_CAPACITY = 1_024;

/** Cuts what comes from a client into packets, and lets only good ones pass. It keeps no more than it has to. */
export class MqttPacketReader {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #isFirst = true;

  /**
   * Takes bytes as they come.
   *
   * @throws {MqttViolation} When more have come than the hub keeps.
   */
  add(chunk: Uint8Array): void {
    const size = this.#end - this.#start + chunk.byteLength;
    if (size > MQTT_LIMITS.maxUnreadBytes + MQTT_LIMITS.maxPacketBytes) {
      throw new MqttViolation("More packets have come than the hub keeps");
    }
    this.#makeRoom(size);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.byteLength;
  }

  /**
   * Returns the next packet, if it is whole.
   *
   * @throws {MqttViolation} When it breaks a rule of MQTT or a limit of the hub, as soon as that can be seen.
   */
  next(): Uint8Array | undefined {
    if (this.#start === this.#end) return this.#forget();
    checkFirstByte(this.#bytes[this.#start]!, this.#isFirst);
    const header = this.#readLength();
    if (header === undefined) return undefined;
    const { length, size } = header;
    if (length > (this.#isFirst ? MQTT_LIMITS.maxConnectBytes : MQTT_LIMITS.maxPacketBytes)) {
      throw new MqttViolation(`A packet has ${length} bytes, which are too many`);
    }
    const end = this.#start + size + length;
    if (end > this.#end) return undefined;
    // A copy, since messages are kept, and the place of this one is used again.
    const packet = this.#bytes.slice(this.#start, end);
    checkPacket(packet, size);
    this.#start = end;
    this.#isFirst = false;
    return packet;
  }

  /** Reads the fixed header; `undefined` when it is not whole. */
  #readLength(): { length: number; size: number } | undefined {
    let length = 0;
    for (let count = 0; count < MAX_LENGTH_BYTES; count++) {
      const at = this.#start + 1 + count;
      if (at >= this.#end) return undefined;
      const byte = this.#bytes[at]!;
      length += (byte & 0x7f) * 128 ** count;
      if (byte < 0x80) return { length, size: count + 2 };
    }
    throw new MqttViolation("The length of a packet has more than four bytes");
  }

  /** Makes room for this many bytes in all. It doubles each time, so that bytes that come one by one cost little. */
  #makeRoom(size: number): void {
    const unread = this.#bytes.subarray(this.#start, this.#end);
    if (size > this.#bytes.byteLength) {
      this.#bytes = new Uint8Array(Math.max(size, 2 * unread.byteLength, FIRST_CAPACITY));
      this.#bytes.set(unread);
    } else if (this.#end + size - unread.byteLength > this.#bytes.byteLength) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else return;
    this.#start = 0;
    this.#end = unread.byteLength;
  }

  #forget(): undefined {
    this.#start = this.#end = 0;
    if (this.#bytes.byteLength > FIRST_CAPACITY) this.#bytes = new Uint8Array(0);
    return undefined;
  }
}
