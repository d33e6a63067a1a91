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
import type { WebSocketManner } from "./web_socket_upgrade.ts";

/** How many frames the hub writes to a client that sends a message, before it knows whether one comes. */
const USUAL_FRAMES = 12;

/** What the hub does wrong, on each of its connections. */
export interface HubManner {
  readonly mutations: readonly AmqpMutation[];
  /** What it says of each message. */
  readonly outcome: "accepted" | "rejected" | "released" | "modified";
  /** The status of its replies to tokens. */
  readonly tokenStatus: number;
  /** What its queue holds, as JSON. */
  readonly queue: readonly string[];
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
  /** Where replies to tokens go. */
  #replies: [channel: number, handle: number] | undefined;
  #deliveries = 0;
  #queue: string[];
  #answer: Bytes[] = [];
  /** Whether the hub has written its last. */
  isOver = false;

  constructor(manner: HubManner, reached: Set<string>) {
    this.#manner = manner;
    this.#reached = reached;
    this.#mutator = new AmqpMutator(manner.mutations, USUAL_FRAMES);
    this.#queue = [...manner.queue];
  }

  /** Takes bytes of the client; returns what the hub writes. */
  read(bytes: Uint8Array): Uint8Array {
    for (const part of this.#reader.read(bytes)) {
      if ("protocol" in part) this.#write(header(part.protocol));
      else this.#take(part);
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
    }
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
      this.#sources.set(key, addressOf(source));
      if (addressOf(source) === "$cbs") this.#replies = [channel, numberOf(handle)];
    }
  }

  /** Credit for the hub's own messages. */
  #onFlow(channel: number, fields: readonly AmqpNode[]): void {
    const handle = numberOf(fields[4]);
    if (!this.#sources.get(`${channel}/${handle}`)?.startsWith("/")) return;
    this.#reached.add("credit for the queue");
    for (const body of this.#queue.splice(0)) {
      const id = this.#deliveries++;
      const content = [...properties({ 6: symbol("application/json") }), ...data(new TextEncoder().encode(body))];
      const fields = { 0: uint(handle), 1: uint(id), 2: binary(crypto.getRandomValues(new Uint8Array(16))), 4: FALSE };
      this.#write(frame(transfer(content, fields), { channel }));
    }
  }

  #onTransfer({ channel, nodes }: AmqpFrame, fields: readonly AmqpNode[], push: (body: Bytes) => void): void {
    const id = written(fields[1]);
    const isToken = this.#targets.get(`${channel}/${numberOf(fields[0])}`) === "$cbs";
    this.#reached.add(isToken ? "token put" : "message sent");
    const outcome = OUTCOMES[isToken ? "accepted" : this.#manner.outcome];
    push(disposition({ 1: id, 3: TRUE, 4: outcome }));
    if (!isToken || this.#replies === undefined) return;
    const [replyChannel, handle] = this.#replies;
    const message = nodes.find(({ items }) => items?.[0]?.bytes?.[0] === 0x73)?.items?.[1]?.items ?? [];
    const reply = [
      ...properties({ 5: written(message[0]) }),
      ...described(0x74, map([text("status-code"), [0x71, 0, 0, ...ushort(this.#manner.tokenStatus).slice(1)]])),
      ...described(0x77, NULL),
    ];
    const reference = { 0: uint(handle), 1: uint(this.#deliveries++), 2: binary([7]), 4: TRUE };
    this.#write(frame(transfer(reply, reference), { channel: replyChannel }));
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

/** The address of a source or a target. */
function addressOf(node: AmqpNode | undefined): string {
  const bytes = node?.items?.[1]?.items?.[0]?.bytes ?? [];
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
