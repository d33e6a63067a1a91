import { type AddressInfo, createServer, type Socket } from "node:net";
import { joinBytes } from "../../lib/values/join_bytes.ts";
import {
  attach,
  begin,
  binary,
  type Bytes,
  data,
  described,
  disposition,
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
  ushort,
} from "../support/amqp_bytes.ts";
import { BARE, WebSocketCarrier } from "./amqp_carrier.ts";
import { type AmqpMutation, AmqpMutator } from "./amqp_mutation.ts";
import { type AmqpFrame, type AmqpNode, codeOf, numberOf, writeNode } from "./amqp_tree.ts";
import { AmqpReader } from "./amqp_wire.ts";
import { type EventHubManner, GOOD_EVENT_HUB } from "./hostile_event_hub.ts";
import type { WebSocketManner } from "./web_socket_upgrade.ts";

const SASL = 3;

/** How many frames the hub writes to a client that sends a message, before it knows whether one comes. */
const USUAL_FRAMES = 12;
/** The same for a client that reads events. */
const USUAL_FRAMES_WITH_EVENTS = 24;

/** What the hub does wrong, on each of its connections. */
export interface HubManner {
  readonly mutations: readonly AmqpMutation[];
  /** What it says of each message. */
  readonly outcome: "accepted" | "rejected" | "released" | "modified";
  /** The status of its replies to tokens. */
  readonly tokenStatus: number;
  /** What its queue holds, as JSON. */
  readonly queue: readonly string[];
  /** What a client is told that wants events. Others hardly come so far. */
  readonly eventHub?: EventHubManner | undefined;
  /** What carries the bytes, unless it is a socket alone. */
  readonly webSocket?: WebSocketManner | undefined;
}

/** A batch of feedback. */
export const FEEDBACK: string = JSON.stringify([
  { originalMessageId: "1", deviceId: "d", deviceGenerationId: "1", statusCode: "Success", description: "Success" },
]);

/** What a good hub does. */
export const GOOD_MANNER: HubManner = { mutations: [], outcome: "accepted", tokenStatus: 200, queue: [FEEDBACK] };

/** A hub that does what hubs do, but for what it is told to do wrong. It serves what the AMQP library of the client writes. */
export class HostileHub {
  manner: HubManner = GOOD_MANNER;
  /** How far its clients have got since this was cleared. */
  readonly reached: Set<string> = new Set();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ noDelay: true }, (socket) => {
    this.#sockets.add(socket);
    const service = new HubService(this.manner, this.reached);
    const { webSocket } = this.manner;
    const carrier = webSocket === undefined ? BARE : new WebSocketCarrier(false, webSocket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket)).on("data", (chunk: Uint8Array) => {
      const { carried, reply } = carrier.read(chunk);
      if (reply !== undefined) socket.write(reply);
      for (const bytes of carried) {
        const answer = service.read(bytes);
        if (answer.byteLength > 0) socket.write(carrier.write(answer));
        if (service.isOver) socket.end();
      }
    });
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts what is left of a case. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<unknown>((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}

/** One connection as the hub sees it, whatever carries the bytes. */
class HubService {
  readonly #manner: HubManner;
  readonly #reached: Set<string>;
  readonly #mutator: AmqpMutator;
  readonly #reader: AmqpReader = new AmqpReader();
  /** The addresses of the links on which the hub sends, by channel and handle. */
  readonly #sources: Map<string, string> = new Map();
  readonly #targets: Map<string, string> = new Map();
  /** Where replies go of the nodes for tokens and for questions, by the addresses of the nodes. */
  readonly #replies: Map<string, readonly [channel: number, handle: number]> = new Map();
  readonly #eventHub: EventHubManner;
  /** The links that have got their events. */
  readonly #served: Set<string> = new Set();
  #deliveries = 0;
  #queue: string[];
  #answer: Bytes[] = [];
  /** Whether the hub has written its last. */
  isOver = false;

  constructor(manner: HubManner, reached: Set<string>) {
    this.#manner = manner;
    this.#reached = reached;
    const frames = manner.eventHub === undefined ? USUAL_FRAMES : USUAL_FRAMES_WITH_EVENTS;
    this.#mutator = new AmqpMutator(manner.mutations, frames);
    this.#queue = [...manner.queue];
    this.#eventHub = manner.eventHub ?? GOOD_EVENT_HUB;
  }

  /** Takes bytes of the client; returns what the hub writes. */
  read(bytes: Uint8Array): Uint8Array {
    for (const part of this.#reader.read(bytes)) {
      if (!("protocol" in part)) this.#take(part);
      else {
        this.#write(header(part.protocol));
        if (part.protocol === SASL) this.#writeSasl(0x40, this.#eventHub.mechanisms);
      }
    }
    return joinBytes(this.#answer.splice(0).map((written) => Uint8Array.from(written)));
  }

  #take(received: AmqpFrame): void {
    const fields = received.nodes[0]?.items?.[1]?.items ?? [];
    const { channel } = received;
    const push = (body: Bytes): void => this.#write(frame(body, { channel }));
    switch (codeOf(received)) {
      case 0x10:
        return push(open({ 1: text("hub"), 2: uint(65_536), 3: ushort(255), 4: uint(240_000) }));
      case 0x11:
        return push(begin({ 0: ushort(channel) }));
      case 0x12:
        return this.#attach(channel, fields, push);
      case 0x13:
        return this.#onFlow(channel, fields);
      case 0x14:
        return this.#onTransfer(received, fields, push);
      case 0x15:
        this.#reached.add("message settled by the client");
        // A message that is not settled by its receiver yet.
        if (!isTrue(fields[3])) push(disposition({ 0: FALSE, 1: written(fields[1]), 2: written(fields[2]), 3: TRUE }));
        return;
      case 0x16:
        return push(performative(0x16, [written(fields[0]), TRUE], {}));
      case 0x17:
        return push(performative(0x17, [], {}));
      case 0x18:
        push(performative(0x18, [], {}));
        this.isOver = true;
        return;
      case 0x41:
        this.#reached.add("signed in by SASL");
        this.#writeSasl(0x44, [0x50, this.#eventHub.saslCode]);
        this.isOver = this.#eventHub.saslCode !== 0;
    }
  }

  #writeSasl(code: number, field: Bytes): void {
    this.#write(frame(performative(code, [field], {}), { type: 1 }));
  }

  #attach(channel: number, fields: readonly AmqpNode[], push: (body: Bytes) => void): void {
    const [name, handle, role, , , source, target] = fields;
    const isSender = !isTrue(role);
    const key = `${channel}/${numberOf(handle)}`;
    push(attach({
      0: written(name),
      1: written(handle),
      2: isSender ? TRUE : FALSE,
      5: written(source),
      6: written(target),
      9: isSender ? NULL : uint(0),
      10: isSender ? [0x80, 0, 0, 0, 0, 0, 1, 0, 0] : NULL,
    }));
    if (isSender) {
      this.#targets.set(key, addressOf(target));
      push(flow({ 0: uint(0), 4: written(handle), 5: uint(0), 6: uint(100) }));
    } else {
      const address = addressOf(source);
      this.#sources.set(key, address);
      if (address.startsWith("$")) this.#replies.set(address, [channel, numberOf(handle)]);
      if (!address.endsWith("/messages/events/$management")) return;
      this.#reached.add("asked for the event hub");
      push(performative(0x16, [written(handle), TRUE, this.#eventHub.redirect], {}));
    }
  }

  /** Credit for the hub's own messages. */
  #onFlow(channel: number, fields: readonly AmqpNode[]): void {
    const handle = numberOf(fields[4]);
    const key = `${channel}/${handle}`;
    const address = this.#sources.get(key) ?? "";
    if (address.includes("/ConsumerGroups/")) {
      if (this.#served.has(key)) return;
      this.#served.add(key);
      this.#reached.add("credit for events");
      for (const [index, event] of this.#eventHub.events.entries()) {
        this.#send(channel, handle, event, index % 2 === 0 ? TRUE : FALSE, this.#eventHub.format);
      }
    }
    if (!address.startsWith("/")) return;
    this.#reached.add("credit for the queue");
    for (const body of this.#queue.splice(0)) {
      const content = [...properties({ 6: symbol("application/json") }), ...data(new TextEncoder().encode(body))];
      this.#send(channel, handle, content, FALSE);
    }
  }

  #send(channel: number, handle: number, content: Bytes, settled: Bytes, format: Bytes = uint(0)): void {
    const tag = binary(crypto.getRandomValues(new Uint8Array(16)));
    const fields = { 0: uint(handle), 1: uint(this.#deliveries++), 2: tag, 3: format, 4: settled };
    this.#write(frame(transfer(content, fields), { channel }));
  }

  #onTransfer({ channel, nodes }: AmqpFrame, fields: readonly AmqpNode[], push: (body: Bytes) => void): void {
    const id = written(fields[1]);
    const address = this.#targets.get(`${channel}/${numberOf(fields[0])}`) ?? "";
    const isRequest = address.startsWith("$");
    this.#reached.add(address === "$cbs" ? "token put" : isRequest ? "event hub asked" : "message sent");
    const outcome = OUTCOMES[isRequest ? "accepted" : this.#manner.outcome];
    push(disposition({ 1: id, 3: TRUE, 4: outcome }));
    const replies = this.#replies.get(address);
    if (!isRequest || replies === undefined) return;
    const [status, body] = address === "$cbs"
      ? [this.#manner.tokenStatus, NULL]
      : this.#answerTo(sectionOf(nodes, 0x74));
    const reply = [
      ...properties({ 5: written(sectionOf(nodes, 0x73)[0]) }),
      ...described(0x74, map([text("status-code"), [0x71, 0, 0, ...ushort(status).slice(1)]])),
      ...described(0x77, body),
    ];
    this.#send(...replies, reply, TRUE);
  }

  /** What the event hub answers to a question, by its application properties. */
  #answerTo(asked: readonly AmqpNode[]): [status: number, body: Bytes] {
    const { status, eventHub, partition } = this.#eventHub;
    return [status, asked.some((node) => textOf(node) === "com.microsoft:partition") ? partition : eventHub];
  }

  #write(bytes: Bytes): void {
    this.#answer.push(...this.#mutator.write(bytes));
  }
}

const OUTCOMES: Readonly<Record<HubManner["outcome"], Bytes>> = {
  accepted: described(0x24, list([])),
  rejected: described(0x25, list([described(0x1d, list([symbol("amqp:not-found"), text("No."), NULL]))])),
  released: described(0x26, list([])),
  modified: described(0x27, list([TRUE, TRUE, NULL])),
};

function written(node: AmqpNode | undefined): Bytes {
  return node === undefined ? NULL : writeNode(node);
}

function isTrue(node: AmqpNode | undefined): boolean {
  return node?.code === 0x41;
}

/** The items of a section of a message. */
function sectionOf(nodes: readonly AmqpNode[], code: number): readonly AmqpNode[] {
  return nodes.find(({ items }) => items?.[0]?.bytes?.[0] === code)?.items?.[1]?.items ?? [];
}

/** The address of a source or a target. */
function addressOf(node: AmqpNode | undefined): string {
  return textOf(node?.items?.[1]?.items?.[0]);
}

function textOf(node: AmqpNode | undefined): string {
  return new TextDecoder().decode(Uint8Array.from(node?.bytes ?? []));
}
