import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { describe, test } from "node:test";
import { generate, type Packet } from "mqtt-packet";
import fc from "fast-check";
import { HubState } from "../../lib/local/hub_state.ts";
import { MqttFaultState } from "../../lib/local/mqtt/fault_state.ts";
import { hubMqttBackend } from "../../lib/local/mqtt/hub_backend.ts";
import { MQTT_LIMITS } from "../../lib/local/mqtt/hub_limits.ts";
import { readPacket } from "../../lib/local/mqtt/codec.ts";
import { MqttPacketReader } from "../../lib/local/mqtt/packet_reader.ts";
import { MqttViolation } from "../../lib/local/mqtt/violation.ts";
import { identityKey } from "../../lib/local/records/identity_records.ts";
import { startMqttListener } from "../../lib/local/sockets/mqtt_listener.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import { signSas } from "../support/sas.ts";
import { holds } from "../support/properties.ts";

const CONNECT = bytesOf({
  cmd: "connect",
  clientId: "d",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  keepalive: 1,
});

function bytesOf(packet: Packet): Uint8Array {
  return generate(packet);
}

/** The packets that a reader lets pass, or why it lets no more. */
function readAll(...chunks: Uint8Array[]): { packets: Uint8Array[]; violation?: MqttViolation } {
  const reader = new MqttPacketReader();
  const packets: Uint8Array[] = [];
  try {
    for (const chunk of chunks) {
      reader.add(chunk);
      for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
    }
  } catch (error) {
    assert.ok(error instanceof MqttViolation, String(error));
    return { packets, violation: error };
  }
  return { packets };
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => parseInt(byte, 16));
}

/** Packets that a client may send after it has connected. */
const PACKETS: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({
    cmd: fc.constant("publish" as const),
    topic: fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }).filter((text) => !/[+#\0]/.test(text)),
    payload: fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
    qos: fc.constantFrom(0 as const, 1 as const),
    dup: fc.constant(false),
    retain: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
  }),
  fc.record({
    cmd: fc.constant("subscribe" as const),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    subscriptions: fc.array(fc.record({ topic: fc.constantFrom("#", "a/+"), qos: fc.constantFrom(0, 1, 2) }), {
      minLength: 1,
      maxLength: 32,
    }),
  }) as fc.Arbitrary<Packet>,
  fc.constantFrom<Packet>(
    { cmd: "pingreq" },
    { cmd: "disconnect" } as Packet,
    { cmd: "puback", messageId: 7 } as Packet,
    { cmd: "unsubscribe", messageId: 7, unsubscriptions: ["a", "b/#"] },
  ),
);

describe("The guard before the MQTT library", () => {
  test("lets good packets pass, however they are cut, and the library reads them", async () => {
    const property = fc.property(
      fc.array(PACKETS, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (packets, cuts) => {
        const stream = Buffer.concat([CONNECT, ...packets.map(bytesOf)]);
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = cuts.length === 0 ? stream.length : cuts[i % cuts.length]!;
          chunks.push(stream.subarray(at, at += size));
        }
        const { packets: read, violation } = readAll(...chunks);
        assert.equal(violation, undefined);
        assert.deepEqual(read.map(readPacket).map(({ cmd }) => cmd), ["connect", ...packets.map(({ cmd }) => cmd)]);
      },
    );
    await holds(property, 200);
  });

  test("lets nothing pass that the library cannot read, whatever comes", async () => {
    const mutated = fc.tuple(
      fc.array(PACKETS, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    )
      .map(([packets, changes]) => {
        const stream = Buffer.concat(packets.map(bytesOf));
        for (const [at, byte] of changes) stream[at % stream.length] = byte;
        return stream;
      });
    const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), (garbage) => {
      for (const stream of [garbage, Buffer.concat([CONNECT, garbage])]) {
        for (const packet of readAll(stream).packets) readPacket(packet);
      }
    });
    await holds(property, 500);
  });

  test("tells apart what a client may send, and when", () => {
    const wrong: [why: string, stream: Uint8Array][] = [
      ["at the wrong time", bytes("c000")],
      ["at the wrong time", Buffer.concat([CONNECT, CONNECT])],
      ["wrong flags", bytes("1100")],
      ["not MQTT", bytes("100c00045151515104020000000000")],
      ["contradict", bytes("100d00044d5154540403000000016164")],
      ["contradict", bytes("100d00044d5154540442000000016164")],
      ["ends within", bytes("100b00044d51545404020000000161")],
      ["longer than", bytes("100e00044d5154540402000000016164")],
      ["four bytes", bytes("10ffffffffff")],
      ["too many", bytes("10818008")],
      ...["20020000", "40020000", "9003000100", "b0020001", "d000", "f000", "50020001", "62020001", "70020001", "00"]
        .map((
          hex,
        ): [string, Uint8Array] => ["", Buffer.concat([CONNECT, bytes(hex)])]),
      ...["800501000161", "c100", "e200", "8200", "820400010000", "82060001000161ff", "820200 01", "a20400010000"].map((
        hex,
      ): [string, Uint8Array] => ["", Buffer.concat([CONNECT, bytes(hex)])]),
      ["QoS 2", Buffer.concat([CONNECT, bytes("340500016100 01")])],
      ["QoS 3", Buffer.concat([CONNECT, bytes("36050001610001")])],
      ["sent again", Buffer.concat([CONNECT, bytes("3803000161")])],
      ["wildcard", Buffer.concat([CONNECT, bytes("3003000123")])],
      ["identifier is 0", Buffer.concat([CONNECT, bytes("32050001610000")])],
      ["U+0000", Buffer.concat([CONNECT, bytes("3003000100")])],
      ["UTF-8", Buffer.concat([CONNECT, bytes("30030001ff")])],
    ];
    for (const [why, stream] of wrong) {
      const { violation } = readAll(stream);
      assert.ok(violation !== undefined, Buffer.from(stream).toString("hex"));
      assert.ok(violation.message.includes(why), `${violation.message}: ${why}`);
    }
  });

  test("refuses sizes before their bytes have come, and lets the largest pass", () => {
    const lengthOf = (length: number): number[] => {
      const encoded: number[] = [];
      do encoded.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0)); while ((length >>= 7) > 0);
      return encoded;
    };
    const { maxConnectBytes, maxPacketBytes } = MQTT_LIMITS;
    assert.equal(readAll(Uint8Array.of(0x10, ...lengthOf(maxConnectBytes))).violation, undefined);
    assert.match(readAll(Uint8Array.of(0x10, ...lengthOf(maxConnectBytes + 1))).violation!.message, /too many/);
    const publish = (length: number): Uint8Array => {
      const body = new Uint8Array(length);
      body.set([0, 1, 0x61]);
      return Buffer.concat([Uint8Array.of(0x30, ...lengthOf(length)), body]);
    };
    assert.equal(readAll(CONNECT, publish(maxPacketBytes)).packets.length, 2);
    assert.match(readAll(CONNECT, publish(maxPacketBytes + 1).subarray(0, 5)).violation!.message, /too many/);
    const text = (size: number): number[] => [size >> 8, size & 0xff, ...new Uint8Array(size).fill(0x61)];
    const connect = (user: number, password: number): Uint8Array => {
      const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, 0, 1, ...text(1), ...text(user), ...text(password)];
      return Uint8Array.of(0x10, ...lengthOf(body.length), ...body);
    };
    assert.equal(readAll(connect(4096, 8192)).violation, undefined);
    assert.match(readAll(connect(4097, 1)).violation!.message, /user name has more than 4096/);
    assert.match(readAll(connect(1, 8193)).violation!.message, /password has more than 8192/);
    const filters = { cmd: "subscribe", messageId: 1, subscriptions: Array(33).fill({ topic: "a", qos: 0 }) } as Packet;
    assert.match(readAll(CONNECT, bytesOf(filters)).violation!.message, /too many topic filters/);
  });

  test("bounds what comes before its reader is ready", () => {
    const reader = new MqttPacketReader();
    assert.throws(() => {
      for (let i = 0; i < 100; i++) reader.add(new Uint8Array(65_536));
    }, MqttViolation);
  });
});

describe("A hub with an MQTT port", () => {
  test("survives garbage, half packets and clients that read nothing, and serves others", async () => {
    await using hub = await MqttHub.start();
    const faults: unknown[] = [];
    hub.hub.onFault(({ error }) => faults.push(error));
    await hub.rest.createDevices("d1", "d2");
    const good = await hub.connect("d2");
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (garbage, isSignedIn) => {
      using client = isSignedIn ? await hub.connect("d1") : hub.client();
      client.writeBytes(garbage);
      await good.settled();
    });
    await holds(property, 60);
    assert.deepEqual(faults, []);
  });

  test("cuts a client that asks for ever more and takes nothing", async () => {
    const state = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
    state.devices.create("d1", {});
    const listener = await startMqttListener(hubMqttBackend(state, new MqttFaultState()), {
      hostname: "127.0.0.1",
      port: 0,
    });
    const change = (): Promise<void> =>
      new Promise((resolve) => {
        const stop = state.presence.onChange(identityKey("d1", undefined), () => {
          stop();
          resolve();
        });
      });
    const { primaryKey } = state.policies.get("device")!;
    const connectionString = `HostName=hub.example;SharedAccessKeyName=device;SharedAccessKey=${primaryKey}`;
    const socket = createConnection(listener.port, "127.0.0.1").pause();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {});
    const write = (...packets: object[]): void =>
      void socket.write(Buffer.concat(packets.map((packet) => bytesOf(packet as Packet))));
    const opened = change();
    write({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      keepalive: 60,
      clientId: "d1",
      username: "hub.example/d1/?api-version=2021-04-12",
      password: Buffer.from(signSas({ connectionString })),
    }, { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "$iothub/twin/res/#", qos: 0 }] });
    await opened;
    const reported = JSON.stringify(
      Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`k${i}`, "x".repeat(4_000)])),
    );
    const publish = { cmd: "publish", qos: 0, dup: false, retain: false };
    write({ ...publish, topic: "$iothub/twin/PATCH/properties/reported/?$rid=0", payload: reported });
    const ask = { ...publish, topic: "$iothub/twin/GET/?$rid=1", payload: "" };
    while (state.presence.active(identityKey("d1", undefined)).length > 0) {
      const changed = change();
      write(...Array(1_000).fill(ask));
      await Promise.race([changed, new Promise((resolve) => socket.once("drain", resolve))]);
    }
    socket.resume();
    await closed;
    await listener.close();
    state.close();
  });
});
