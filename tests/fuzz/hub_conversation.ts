import fc from "fast-check";
import { binary, type Bytes, map, symbol, text, timestamp, uint, ulong, ushort } from "../support/amqp_bytes.ts";
import { EVENT_ACTS, type EventAct } from "./event_acts.ts";
import { AMQP_DEVICES, type TokenKind } from "./hub_facts.ts";

/** A message for a device, as a client may send it. */
export interface SentMessage {
  readonly deviceId: string;
  readonly properties: Readonly<Record<number, Bytes>>;
  readonly annotated: boolean;
  readonly ack: string;
  readonly body: Uint8Array;
  /** Into how many frames it is cut. */
  readonly parts: number;
  readonly settled: boolean;
}

/** One thing that a client wants of a hub. */
export type HubAct =
  | { readonly act: "token"; readonly token: TokenKind }
  | {
    readonly act: "send";
    /** Whether they go from the devices to the hub, and not to the devices. */
    readonly isTelemetry: boolean;
    readonly messages: readonly SentMessage[];
  }
  | {
    readonly act: "receive";
    /** A device's id; the hub's feedback when there is none. */
    readonly deviceId?: string | undefined;
    readonly credit: number;
    readonly mode: 0 | 1;
    readonly outcome: "accepted" | "rejected" | "released" | "modified" | "none";
    readonly settled: boolean;
    /** Whether all messages are settled in one. */
    readonly together: boolean;
  }
  | EventAct
  | { readonly act: "session"; readonly channel: number }
  | { readonly act: "flow"; readonly echo: boolean; readonly drain: boolean }
  | { readonly act: "detach" }
  | { readonly act: "heartbeat" };

/** How a client signs in before AMQP begins, which it need not do. */
export type SaslManner =
  | { readonly mechanism: "none" | "ANONYMOUS" }
  | { readonly mechanism: "PLAIN"; readonly user: string; readonly token: TokenKind; readonly isGood: boolean };

/** All that a client says, from the beginning to the end of its connection. */
export interface HubConversation {
  readonly sasl: SaslManner;
  readonly open: Readonly<Record<number, Bytes>>;
  readonly begin: Readonly<Record<number, Bytes>>;
  readonly tokens: readonly TokenKind[];
  readonly acts: readonly HubAct[];
}

/** Some of the fields that may be left out. */
function someOf(fields: Record<number, fc.Arbitrary<Bytes>>): fc.Arbitrary<Readonly<Record<number, Bytes>>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Record<number, Bytes>>;
}

const DEVICE = fc.constantFrom(...AMQP_DEVICES);

const TOKEN: fc.Arbitrary<TokenKind> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("service" as const) },
  { weight: 3, arbitrary: DEVICE.map((id): TokenKind => `device ${id}`) },
  { weight: 2, arbitrary: fc.constant("event hub" as const) },
  { weight: 1, arbitrary: fc.constantFrom("expired", "garbage") },
);

const SASL: fc.Arbitrary<SaslManner> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom({ mechanism: "none" as const }, { mechanism: "ANONYMOUS" as const }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<SaslManner>(
      { mechanism: "PLAIN", user: "iothubowner@sas.root.hub", token: "service", isGood: true },
      { mechanism: "PLAIN", user: `${AMQP_DEVICES[0]}@sas.hub`, token: `device ${AMQP_DEVICES[0]}`, isGood: true },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      mechanism: fc.constant("PLAIN" as const),
      user: fc.oneof(
        fc.string(),
        fc.constantFrom("iothubowner", "a/b/c@sas.hub", "@sas.root.hub", "\0", "x".repeat(9_000)),
      ),
      token: TOKEN,
      isGood: fc.constant(false),
    }),
  },
);

const MESSAGE: fc.Arbitrary<SentMessage> = fc.record({
  deviceId: fc.oneof({ weight: 9, arbitrary: DEVICE }, { weight: 1, arbitrary: fc.constantFrom("none", "%61%30") }),
  properties: someOf({
    0: fc.oneof(fc.uuid().map(text), fc.nat().map(ulong), fc.constant(binary([1, 2]))),
    1: fc.constant(binary([1])),
    5: fc.constantFrom(text("correlation"), ulong(5)),
    6: fc.constantFrom(symbol("application/json"), text("text/plain")),
    7: fc.constant(symbol("utf-8")),
    8: fc.constantFrom(timestamp(0x190, 0), timestamp(0x19a, 5)),
  }),
  annotated: fc.boolean(),
  ack: fc.constantFrom("none", "full", "positive", "negative"),
  body: fc.uint8Array({ maxLength: 200 }),
  parts: fc.integer({ min: 1, max: 4 }),
  settled: fc.boolean(),
});

const ACT: fc.Arbitrary<HubAct> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("send" as const),
      isTelemetry: fc.constantFrom(false, false, true),
      messages: fc.array(MESSAGE, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("receive" as const),
      deviceId: DEVICE,
      credit: fc.constantFrom(1, 2, 10, 500),
      mode: fc.constantFrom(0 as const, 1 as const),
      outcome: fc.constantFrom("accepted", "rejected", "released", "modified", "none"),
      settled: fc.boolean(),
      together: fc.boolean(),
    }, { requiredKeys: ["act", "credit", "mode", "outcome", "settled", "together"] }),
  },
  { weight: 5, arbitrary: EVENT_ACTS },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("token" as const), token: TOKEN }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("session" as const), channel: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant("flow" as const), echo: fc.boolean(), drain: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.constantFrom({ act: "detach" as const }, { act: "heartbeat" as const }) },
);

/** Conversations that break no rule of AMQP. */
export const HUB_CONVERSATIONS: fc.Arbitrary<HubConversation> = fc.record({
  sasl: SASL,
  open: someOf({
    1: fc.constant(text("hub.example")),
    2: fc.constantFrom(uint(512), uint(65_536), uint(2 ** 32 - 1)),
    3: fc.constantFrom(ushort(9), ushort(65_535)),
    4: fc.constantFrom(uint(1), uint(60_000), uint(2 ** 32 - 1)),
    9: fc.constant(map([symbol("product"), text("fuzz"), symbol("count"), uint(7)])),
  }),
  begin: someOf({
    4: fc.constantFrom(uint(63), uint(2 ** 32 - 1)),
    7: fc.constant(map([])),
  }),
  tokens: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.tuple(
        fc.constant<TokenKind>("service"),
        DEVICE.map((id): TokenKind => `device ${id}`),
        fc.constant<TokenKind>("event hub"),
      ),
    },
    { weight: 1, arbitrary: fc.array(TOKEN, { maxLength: 2 }) },
  ),
  acts: fc.array(ACT, { maxLength: 6, size: "max" }),
});
