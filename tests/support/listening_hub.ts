import rhea from "rhea";
import type { Delivery, EventContext, Message, Receiver } from "rhea";
import { LocalHub, type LocalHubOptions, type PolicyName } from "../../lib/local/mod.ts";
import { HubWatch } from "./hub_watch.ts";
import { BareClient, once } from "./local_amqp.ts";
import { RestCaller } from "./rest_caller.ts";
import { signSas } from "./sas.ts";

/** A whole local hub with an open AMQP port and bare clients at it. */
export class ListeningHub implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly port: number;
  readonly rest: RestCaller;
  readonly #clients: BareClient[] = [];

  constructor(hub: LocalHub, port: number) {
    this.hub = hub;
    this.port = port;
    this.rest = new RestCaller(hub);
  }

  static async start(options: LocalHubOptions = {}): Promise<ListeningHub> {
    const hub = new LocalHub({ feedbackIntervalInMs: 0, ...options });
    const { amqp } = await hub.listen({ amqp: 0 });
    return new ListeningHub(hub, Number(amqp!.split(":").at(-1)));
  }

  connect(options: Record<string, unknown> = {}): BareClient {
    const client = new BareClient(this.port, options);
    this.#clients.push(client);
    return client;
  }

  /** A client that has shown a policy's token. */
  async connectAs(policy: PolicyName, token: { sr?: string; se?: number } = {}): Promise<BareClient> {
    const client = this.connect();
    await client.putToken({ body: signSas({ connectionString: this.hub.connectionStringFor(policy), ...token }) });
    return client;
  }

  /** A token that an identity has signed with its own key. */
  async deviceToken(path: string): Promise<string> {
    const { authentication } = await this.rest.do("GET", path);
    return signSas({
      connectionString: this.hub.connectionString,
      sr: encodeURIComponent(this.hub.hostName + path),
      key: authentication.symmetricKey.primaryKey,
    }).replace(/&skn=.*$/, "");
  }

  /** A client that has shown the token of a device or module. */
  async connectDevice(path: string): Promise<BareClient> {
    const client = this.connect();
    await client.putToken({ body: await this.deviceToken(path) });
    return client;
  }

  /** Lets a device complete a message that asked for feedback, so that there is some. */
  async makeFeedback(deviceId: string, messageId: string): Promise<void> {
    const service = await this.connectAs("service");
    const watch = new HubWatch(this.hub);
    this.hub.device(deviceId).onMessage(() => {});
    const sender = await service.openSender("/messages/devicebound");
    sender.send({
      to: `/devices/${deviceId}/messages/devicebound`,
      message_id: messageId,
      application_properties: { "iothub-ack": "full" },
      body: rhea.message.data_section(new TextEncoder().encode("?")),
    } as unknown as Message);
    await watch.until({ kind: "deviceAct", act: "completeMessage", deviceId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
    await this.hub.close();
  }
}

/** A message on its way to a client, which has to settle it. */
export interface Received {
  readonly message: Message;
  readonly delivery: Delivery & { tag: Uint8Array };
}

/** A receiving link that settles nothing and takes as much as it was told to. */
export class BareReceiver {
  readonly link: Receiver;
  readonly opened: Promise<unknown>;
  /** The error with which the hub has ended the link. */
  readonly ended: Promise<{ condition: string; description: string }>;
  readonly #received: Received[] = [];
  #waiting: ((received: Received) => void)[] = [];

  constructor(client: BareClient, address: string, options: { credit?: number; rcv_settle_mode?: 0 | 1 } = {}) {
    const { credit = 100, rcv_settle_mode = 0 } = options;
    this.link = client.connection.open_receiver({
      source: { address },
      autoaccept: false,
      credit_window: 0,
      rcv_settle_mode,
    });
    this.link.on("message", (context: EventContext) => this.#onMessage(context as unknown as Received));
    this.opened = once(this.link, "receiver_open");
    this.ended = once(this.link, "receiver_error").then(() => {
      return this.link.error as { condition: string; description: string };
    });
    if (credit > 0) this.link.add_credit(credit);
  }

  /** How many messages have come and were not asked for. */
  get waiting(): number {
    return this.#received.length;
  }

  next(): Promise<Received> {
    const received = this.#received.shift();
    if (received !== undefined) return Promise.resolve(received);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Writes an outcome by itself: of unlike ones in one turn the library writes the first for all. */
  settle({ delivery }: Received, how: "accept" | "reject" | "release"): void {
    delivery[how]();
    const session = this.link.session as unknown as { incoming: { process(session: unknown): void } };
    session.incoming.process(session);
  }

  /** Detaches in order. */
  async close(): Promise<void> {
    const closed = once(this.link, "receiver_close");
    this.link.close();
    await closed;
  }

  #onMessage(received: Received): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#received.push(received);
    else waiting(received);
  }
}

/** The text of a message that is one data section. */
export function textOf({ message }: Received): string {
  const { typecode, content } = message.body as { typecode: number; content: Uint8Array };
  if (typecode !== 0x75) throw new Error(`The body is no data section, but ${typecode}`);
  return new TextDecoder().decode(content);
}

/** Sends a message to a device by a policy's token. */
export async function sendTo(hub: ListeningHub, to: string, message: Record<string, unknown> = {}): Promise<void> {
  const service = await hub.connectAs("service");
  const sender = await service.openSender("/messages/devicebound");
  const accepted = once(sender, "accepted");
  sender.send({
    to: `${to}/messages/devicebound`,
    body: rhea.message.data_section(new TextEncoder().encode("hello")),
    ...message,
  } as unknown as Message);
  await accepted;
}
