import fc from "fast-check";
import {
  attach,
  begin,
  binary,
  type Bytes,
  data,
  described,
  disposition,
  error,
  FALSE,
  flow,
  frame,
  header,
  list,
  map,
  NULL,
  open,
  performative,
  properties,
  symbol,
  text,
  timestamp,
  transfer,
  TRUE,
  uint,
  ulong,
  ushort,
} from "../support/amqp_bytes.ts";
import { AMQP_DEVICES, type TokenKind } from "./hub_facts.ts";

/** A message for a device, as a client may send it. */
interface SentMessage {
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
  | { readonly act: "send"; readonly messages: readonly SentMessage[] }
  | {
    readonly act: "receive";
    /** A device's id; the hub's feedback when there is none. */
    readonly deviceId?: string;
    readonly credit: number;
    readonly mode: 0 | 1;
    readonly outcome: "accepted" | "rejected" | "released" | "modified" | "none";
    readonly settled: boolean;
    /** Whether all messages are settled in one. */
    readonly together: boolean;
  }
  | { readonly act: "session"; readonly channel: number }
  | { readonly act: "flow"; readonly echo: boolean; readonly drain: boolean }
  | { readonly act: "detach" }
  | { readonly act: "heartbeat" };

/** All that a client says, from the beginning to the end of its connection. */
export interface HubConversation {
  readonly sasl: boolean;
  readonly open: Readonly<Record<number, Bytes>>;
  readonly begin: Readonly<Record<number, Bytes>>;
  readonly tokens: readonly TokenKind[];
  readonly acts: readonly HubAct[];
}

/** A frame to write, or the performative to wait for, which comes after what was written only if it is sure. */
export type HubStep = Bytes | { readonly code: number; readonly isSure: boolean };

/** Some of the fields that may be left out. */
function someOf(fields: Record<number, fc.Arbitrary<Bytes>>): fc.Arbitrary<Readonly<Record<number, Bytes>>> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Record<number, Bytes>>;
}

const DEVICE = fc.constantFrom(...AMQP_DEVICES);

const TOKEN: fc.Arbitrary<TokenKind> = fc.oneof(
  { weight: 4, arbitrary: fc.constant("service" as const) },
  { weight: 3, arbitrary: DEVICE.map((id): TokenKind => `device ${id}`) },
  { weight: 1, arbitrary: fc.constantFrom("expired", "garbage") },
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
  sasl: fc.boolean(),
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
      arbitrary: fc.tuple(fc.constant<TokenKind>("service"), DEVICE.map((id): TokenKind => `device ${id}`)),
    },
    { weight: 1, arbitrary: fc.array(TOKEN, { maxLength: 2 }) },
  ),
  acts: fc.array(ACT, { maxLength: 6, size: "max" }),
});

const FLOW = 0x13;
const TRANSFER = 0x14;
const DISPOSITION = 0x15;
const CLOSE = 0x18;
const SENDER = FALSE;
const RECEIVER = TRUE;

/** What a client writes and waits for, given the texts of the tokens. */
export function stepsOf(conversation: HubConversation, tokenOf: (kind: TokenKind) => string): HubStep[] {
  const script = new ClientScript(tokenOf);
  script.begin(conversation);
  for (const token of conversation.tokens) script.putToken(token);
  for (const act of conversation.acts) script.do(act);
  script.close();
  return script.steps;
}

/** Writes down what a client does, and numbers its links and messages. */
class ClientScript {
  readonly steps: HubStep[] = [];
  readonly #tokenOf: (kind: TokenKind) => string;
  #handles = 0;
  #deliveries = 0;
  /** How many messages the hub has sent, if it has sent what it was to. */
  #received = 0;
  #sender: number | undefined;
  #tokens: number | undefined;
  #open: number[] = [];

  constructor(tokenOf: (kind: TokenKind) => string) {
    this.#tokenOf = tokenOf;
  }

  begin(conversation: HubConversation): void {
    if (conversation.sasl) {
      this.steps.push(header(3), frame(performative(0x41, [symbol("ANONYMOUS"), binary([])], {}), { type: 1 }));
      this.#wait(SASL_OUTCOME);
    }
    this.steps.push(header(), frame(open(conversation.open)), frame(begin(conversation.begin)));
  }

  putToken(kind: TokenKind): void {
    if (this.#tokens === undefined) {
      this.#tokens = this.#attach(SENDER, "$cbs");
      this.#attach(RECEIVER, "$cbs");
      this.#grant(100);
      this.#wait(FLOW);
    }
    const name = text("hub.example");
    this.#transfer(this.#tokens, [
      ...properties({ 0: text("id"), 2: text("$cbs"), 4: text("cbs") }),
      ...described(0x74, map([text("operation"), text("put-token"), text("type"), TOKEN_TYPE, text("name"), name])),
      ...described(0x77, text(this.#tokenOf(kind))),
    ]);
    this.#wait(TRANSFER);
    this.#received++;
  }

  do(act: HubAct): void {
    switch (act.act) {
      case "token":
        return this.putToken(act.token);
      case "send":
        return this.#send(act.messages);
      case "receive":
        return this.#receive(act);
      case "session":
        this.#pushSession(act.channel);
        return;
      case "flow":
        this.#push(flow({ 8: act.drain ? TRUE : FALSE, 9: act.echo ? TRUE : FALSE, ...this.#lastLink(act.drain) }));
        return;
      case "detach": {
        const handle = this.#open.pop();
        if (handle === this.#sender) this.#sender = undefined;
        if (handle !== undefined) this.#push(performative(0x16, [uint(handle), TRUE], {}));
        return;
      }
      case "heartbeat":
        this.#push([]);
    }
  }

  close(): void {
    this.#push(performative(0x18, [], {}));
    this.#wait(CLOSE);
  }

  #send(messages: readonly SentMessage[]): void {
    if (this.#sender === undefined) {
      this.#sender = this.#attach(SENDER, "/messages/devicebound");
      this.#open.push(this.#sender);
      this.#wait(FLOW);
    }
    for (const message of messages) this.#transfer(this.#sender, contentOf(message), message.parts, message.settled);
    if (!messages.every(({ settled }) => settled)) this.#wait(DISPOSITION);
  }

  #receive({ deviceId, credit, mode, outcome, settled, together }: HubAct & { act: "receive" }): void {
    const address = deviceId === undefined
      ? "/messages/servicebound/feedback"
      : `/devices/${deviceId}/messages/devicebound`;
    this.#open.push(this.#attach(RECEIVER, address, { 4: [0x50, mode] }));
    this.#grant(credit);
    this.#wait(TRANSFER, false);
    if (outcome === "none") return;
    const rest = { 3: settled ? TRUE : FALSE, 4: OUTCOMES[outcome] };
    const first = this.#received++;
    // The first messages that the hub has sent are its replies to tokens.
    if (together) this.#push(disposition({ 1: uint(0), 2: uint(first), ...rest }));
    else this.#push(disposition({ 1: uint(first), ...rest }));
  }

  #attach(role: Bytes, address: string, fields: Record<number, Bytes> = {}): number {
    const handle = this.#handles++;
    const node = list([text(address)]);
    const [source, target] = role === SENDER ? [list([]), node] : [node, list([])];
    this.#push(attach({
      0: text(`link ${handle}`),
      1: uint(handle),
      2: role,
      5: described(0x28, source),
      6: described(0x29, target),
      ...fields,
    }));
    return handle;
  }

  /** Lets the hub send so many messages on the link that was attached last. */
  #grant(credit: number): void {
    this.#push(flow({ 4: uint(this.#handles - 1), 5: uint(0), 6: uint(credit) }));
  }

  #lastLink(isDrained: boolean): Record<number, Bytes> {
    return isDrained && this.#open.length > 0 ? { 4: uint(this.#open.at(-1)!), 5: uint(0), 6: uint(5) } : {};
  }

  #transfer(handle: number, content: Bytes, parts: number = 1, settled: boolean = false): void {
    const id = this.#deliveries++;
    const size = Math.ceil(content.length / parts);
    for (let at = 0; at < content.length; at += size) {
      const more = at + size < content.length ? TRUE : FALSE;
      const fields = { 0: uint(handle), 1: uint(id), 2: binary([id]), 4: settled ? TRUE : FALSE, 5: more };
      this.#push(transfer(content.slice(at, at + size), fields));
    }
  }

  /** A session that is begun and ended. */
  #pushSession(channel: number): void {
    this.steps.push(frame(begin(), { channel }), frame(performative(0x17, [], {}), { channel }));
  }

  #push(body: Bytes): void {
    this.steps.push(frame(body));
  }

  #wait(code: number, isSure: boolean = true): void {
    this.steps.push({ code, isSure });
  }
}

const SASL_OUTCOME = 0x44;
const TOKEN_TYPE = text("servicebus.windows.net:sastoken");

const OUTCOMES: Readonly<Record<"accepted" | "rejected" | "released" | "modified", Bytes>> = {
  accepted: described(0x24, list([])),
  rejected: described(0x25, list([error(symbol("amqp:internal-error"), text("No."))])),
  released: described(0x26, list([])),
  modified: described(0x27, list([TRUE, FALSE, NULL])),
};

function contentOf({ deviceId, properties: given, annotated, ack, body }: SentMessage): Bytes {
  return [
    ...(annotated ? described(0x72, map([symbol("x-opt-test"), uint(1)])) : []),
    ...properties({ ...given, 2: text(`/devices/${deviceId}/messages/devicebound`) }),
    ...described(0x74, map([text("iothub-ack"), text(ack), text("key"), text("value"), text("n"), uint(3)])),
    ...data(body),
  ];
}
