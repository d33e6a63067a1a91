import { Buffer } from "node:buffer";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { AMQP_DEVICES, type TokenKind } from "./hub_facts.ts";

/** All that an MQTT client says, and how it behaves. */
export interface MqttConversation {
  readonly deviceId: string;
  readonly token: TokenKind;
  readonly isClean: boolean;
  readonly hasWill: boolean;
  readonly packets: readonly Packet[];
}

/** What is changed in the bytes of a conversation. */
export type ByteMutation =
  | { readonly kind: "set" | "insert"; readonly at: number; readonly byte: number }
  | { readonly kind: "remove" | "cut"; readonly at: number }
  | { readonly kind: "repeat"; readonly at: number; readonly size: number };

/** Mostly the same, since a topic of another device ends a conversation. */
const DEVICE = fc.oneof(
  { weight: 9, arbitrary: fc.constant(AMQP_DEVICES[0]!) },
  { weight: 1, arbitrary: fc.constantFrom(...AMQP_DEVICES) },
);
const ID = fc.integer({ min: 1, max: 65_535 });
const JSON_TEXT = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom("", " ", "{", '{"a":1}', '{"a":null}', "[".repeat(300)),
);

const TOPIC: fc.Arbitrary<string> = fc.oneof(
  DEVICE.map((id) => `devices/${id}/messages/events/`),
  fc.tuple(DEVICE, fc.webQueryParameters()).map(([id, bag]) => `devices/${id}/messages/events/${bag}`),
  fc.nat(9).map((rid) => `$iothub/twin/GET/?$rid=${rid}`),
  fc.nat(9).map((rid) => `$iothub/twin/PATCH/properties/reported/?$rid=${rid}`),
  fc.nat(9).map((version) => `$iothub/twin/PATCH/properties/reported/?$rid=1&$version=${version}`),
  fc.nat(9).map((rid) => `$iothub/methods/res/200/?$rid=${rid}`),
  fc.constantFrom("nonsense", "$iothub/twin/GET/", "$SYS/x"),
);

const FILTER: fc.Arbitrary<string> = fc.oneof(
  DEVICE.map((id) => `devices/${id}/messages/devicebound/#`),
  fc.constantFrom(
    "$iothub/twin/res/#",
    "$iothub/methods/POST/#",
    "$iothub/twin/PATCH/properties/desired/#",
    "#",
    "+/x",
  ),
);

const PACKET = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      cmd: fc.constant("publish"),
      topic: TOPIC,
      payload: fc.oneof(
        JSON_TEXT.map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 2_000 }).map((data) => Buffer.from(data)),
      ),
      qos: fc.constantFrom(0, 1),
      dup: fc.constant(false),
      retain: fc.boolean(),
      messageId: ID,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      cmd: fc.constant("subscribe"),
      messageId: ID,
      subscriptions: fc.array(fc.record({ topic: FILTER, qos: fc.constantFrom(0, 1, 2) }), {
        minLength: 1,
        maxLength: 6,
      }),
    }),
  },
  fc.record({
    cmd: fc.constant("unsubscribe"),
    messageId: ID,
    unsubscriptions: fc.array(FILTER, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ cmd: fc.constant("puback"), messageId: fc.integer({ min: 1, max: 10 }) }),
  fc.constant({ cmd: "pingreq" }),
) as fc.Arbitrary<unknown> as fc.Arbitrary<Packet>;

/** Conversations that break no rule of MQTT, though they may ask for what the hub refuses. */
export const MQTT_CONVERSATIONS: fc.Arbitrary<MqttConversation> = fc.record({
  deviceId: DEVICE,
  token: fc.oneof(
    { weight: 9, arbitrary: fc.constant<TokenKind>("service") },
    { weight: 1, arbitrary: fc.constantFrom<TokenKind>("expired", "garbage", "device a1") },
  ),
  isClean: fc.boolean(),
  hasWill: fc.boolean(),
  packets: fc.array(PACKET, { maxLength: 8, size: "max" }),
});

const AT = fc.nat(0xffff);

export const BYTE_MUTATIONS: fc.Arbitrary<readonly ByteMutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("set" as const, "insert" as const), at: AT, byte: fc.nat(255) }),
    fc.record({ kind: fc.constantFrom("remove" as const, "cut" as const), at: AT }),
    fc.record({ kind: fc.constant("repeat" as const), at: AT, size: fc.integer({ min: 1, max: 100 }) }),
  ),
  { minLength: 1, maxLength: 3 },
);

/** The bytes of a conversation: of the CONNECT, and of what follows. */
export function bytesOf(conversation: MqttConversation, token: string): [connect: Uint8Array, rest: Uint8Array] {
  const { deviceId, isClean, hasWill, packets } = conversation;
  const connect = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    keepalive: 60,
    clean: isClean,
    clientId: deviceId,
    username: `localhost/${deviceId}/?api-version=2021-04-12`,
    password: Buffer.from(token),
    ...(hasWill && { will: { topic: `devices/${deviceId}/messages/events/`, payload: Buffer.from("gone") } }),
  } as Packet;
  // The answer to the last packet tells that the others have been read.
  const rest = [...packets, { cmd: "pingreq" } as Packet].map((packet) => generate(packet));
  return [generate(connect), Buffer.concat(rest)];
}

/** The bytes with their mistakes. */
export function mutate(bytes: Uint8Array, mutations: readonly ByteMutation[]): Uint8Array {
  let list = [...bytes];
  for (const mutation of mutations) {
    const at = mutation.at % (list.length + 1);
    switch (mutation.kind) {
      case "set":
        list[at] = mutation.byte;
        break;
      case "insert":
        list.splice(at, 0, mutation.byte);
        break;
      case "remove":
        list.splice(at, 1);
        break;
      case "cut":
        list = list.slice(0, at);
        break;
      case "repeat":
        list.splice(at, 0, ...list.slice(at, at + mutation.size));
    }
  }
  return Uint8Array.from(list);
}
