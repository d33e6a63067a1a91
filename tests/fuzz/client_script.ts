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
  transfer,
  TRUE,
  uint,
} from "../support/amqp_bytes.ts";
import type { HubAct, HubConversation, SentMessage } from "./hub_conversation.ts";
import type { TokenKind } from "./hub_facts.ts";

/** A frame to write, or the performative to wait for, which comes after what was written only if it is sure. */
export type HubStep = Bytes | { readonly code: number; readonly isSure: boolean };

const FLOW = 0x13;
const TRANSFER = 0x14;
const DISPOSITION = 0x15;
const DETACH = 0x16;
const CLOSE = 0x18;
/** The place of the filter among the fields of a source. */
const FILTER = 7;
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
    const { sasl } = conversation;
    if (sasl.mechanism !== "none") {
      const response = sasl.mechanism === "PLAIN" ? `\0${sasl.user}\0${this.#tokenOf(sasl.token)}` : "";
      const init = [symbol(sasl.mechanism), binary(new TextEncoder().encode(response))];
      this.steps.push(header(3), frame(performative(0x41, init, {}), { type: 1 }));
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
        return act.isTelemetry ? this.#sendTelemetry(act.messages) : this.#send(act.messages);
      case "receive":
        return this.#receive(act);
      case "ask for the event hub": {
        const handle = this.#attach(RECEIVER, act.address);
        this.#wait(DETACH);
        this.#push(performative(DETACH, [uint(handle), TRUE], {}));
        return;
      }
      case "manage":
        return this.#manage(act.requests);
      case "read":
        this.#open.push(this.#attach(RECEIVER, act.address, act.fields, act.filter));
        this.#grant(act.credit);
        this.#wait(TRANSFER, false);
        return;
      case "session":
        this.#pushSession(act.channel);
        return;
      case "flow":
        this.#push(flow({ 8: act.drain ? TRUE : FALSE, 9: act.echo ? TRUE : FALSE, ...this.#lastLink(act.drain) }));
        return;
      case "detach": {
        const handle = this.#open.pop();
        if (handle === this.#sender) this.#sender = undefined;
        if (handle !== undefined) this.#push(performative(DETACH, [uint(handle), TRUE], {}));
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

  /** Each message on a link of its own device. */
  #sendTelemetry(messages: readonly SentMessage[]): void {
    for (const message of messages) {
      const handle = this.#attach(SENDER, `/devices/${message.deviceId}/messages/events`);
      this.#open.push(handle);
      this.#wait(FLOW);
      this.#transfer(handle, contentOf(message), message.parts, message.settled);
    }
  }

  #manage(requests: readonly Readonly<Record<string, string>>[]): void {
    const sender = this.#attach(SENDER, "$management");
    this.#wait(FLOW);
    this.#open.push(sender, this.#attach(RECEIVER, "$management"));
    this.#grant(requests.length);
    for (const [index, request] of requests.entries()) {
      const names = Object.entries(request).flatMap(([name, value]) => [text(name), text(value)]);
      const ids = properties({ 0: text(String(index)), 4: text("replies") });
      this.#transfer(sender, [...ids, ...described(0x74, map(names)), ...described(0x77, NULL)]);
    }
    this.#wait(TRANSFER, false);
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

  #attach(role: Bytes, address: string, fields: Readonly<Record<number, Bytes>> = {}, filter?: Bytes): number {
    const handle = this.#handles++;
    const unused = new Array<Bytes>(FILTER - 1).fill(NULL);
    const node = list([text(address), ...filter === undefined ? [] : [...unused, filter]]);
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
