import rhea from "rhea";
import type { Connection, Delivery, EventContext, Message, Receiver, Sender, ServerConnectionOptions } from "rhea";
import type { AddressInfo, Socket } from "node:net";

/** What a scripted hub does that the real one would not; everything has a well-behaved default. */
export interface HubScript {
  tls?: { cert: string; key: string };
  /** A connection was opened, and has not been answered yet. */
  onOpen?(connection: Connection): void;
  /** Answers a put-token; the default is status 200. `undefined` answers nothing. */
  onToken?(request: Message, number: number): { status: number; description?: string } | undefined;
  /** Takes the put-token message or not; the default accepts it. What is not accepted is not answered. */
  onTokenDelivery?(delivery: Delivery): void;
  /** A link to the messages was attached; the default grants it credit. */
  onAttach?(link: Receiver): void;
  /** A message came; the default accepts it. */
  onMessage?(context: { message: Message; delivery: Delivery; link: Receiver; connection: Connection }): void;
  /** A link from a queue towards back ends was attached; the default agrees to it. */
  onSource?(link: Sender): void;
  /** Sent in the hub's open. */
  idleTimeOutInMs?: number;
}

/** A hub made of the bare AMQP library, which does as it is told. */
export interface ScriptedHub extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** How many AMQP connections there were in all. */
  readonly connections: Connection[];
  /** How many links to the messages there were in all. */
  readonly links: Receiver[];
  /** How many links from queues towards back ends there were in all. */
  readonly sources: Sender[];
  /** The put-token requests. */
  readonly tokens: Message[];
  readonly messages: Message[];
  /** Takes a WebSocket from a server of another kind. */
  accept(socket: unknown): void;
}

export async function startScriptedHub(script: HubScript = {}): Promise<ScriptedHub> {
  const container = rhea.create_container();
  const sockets = new Set<Socket>();
  const hub = {
    connections: [] as Connection[],
    links: [] as Receiver[],
    sources: [] as Sender[],
    tokens: [] as Message[],
    messages: [] as Message[],
  };

  container.on("connection_open", ({ connection }: EventContext) => {
    hub.connections.push(connection);
    script.onOpen?.(connection);
  });
  for (const event of ["disconnected", "error", "protocol_error"]) container.on(event, () => {});

  container.on("sender_open", ({ sender: link }: EventContext) => {
    const { address } = link!.source;
    if (address !== "$cbs") {
      hub.sources.push(link!);
      if (script.onSource !== undefined) return script.onSource(link!);
    }
    link!.set_source({ address });
  });
  container.on("receiver_open", ({ receiver: link }: EventContext) => {
    const address = link!.target.address;
    if (address === "$cbs") {
      link!.set_target({ address });
      link!.add_credit(1_000);
      return;
    }
    hub.links.push(link!);
    if (script.onAttach !== undefined) return script.onAttach(link!);
    link!.set_target({ address });
    link!.add_credit(10_000);
  });

  container.on("message", ({ message, receiver, delivery, connection }: EventContext) => {
    if (receiver!.target.address !== "$cbs") {
      hub.messages.push(message!);
      if (script.onMessage === undefined) return delivery!.accept();
      script.onMessage({ message: message!, delivery: delivery!, link: receiver!, connection });
      // One by one: of two outcomes in one turn the library would give the first to both.
      return writeOutcomes(receiver!);
    }
    hub.tokens.push(message!);
    if (script.onTokenDelivery !== undefined) return script.onTokenDelivery(delivery!);
    delivery!.accept();
    const verdict = script.onToken === undefined ? { status: 200 } : script.onToken(message!, hub.tokens.length);
    if (verdict === undefined) return;
    const { status, description = "OK" } = verdict as { status: number; description?: string };
    connection.find_sender(({ source }: Sender) => source.address === "$cbs")!.send({
      correlation_id: message!.message_id,
      application_properties: { "status-code": rhea.types.wrap_int(status), "status-description": description },
      body: null,
    } as unknown as Message);
  });

  const options: Record<string, unknown> = {
    ...(script.idleTimeOutInMs === undefined ? {} : { idle_time_out: script.idleTimeOutInMs }),
    receiver_options: { autoaccept: false, credit_window: 0 },
  };
  const server = container.listen({
    host: "127.0.0.1",
    port: 0,
    ...(script.tls === undefined ? { transport: "tcp" } : { transport: "tls", ...script.tls }),
    tcp_no_delay: true,
    ...options,
  } as unknown as ServerConnectionOptions);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    ...hub,
    port,
    endpoint: `${script.tls === undefined ? "amqp" : "amqps"}://127.0.0.1:${port}`,
    accept: (socket) => container.websocket_accept(socket as Socket, options),
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve));
      // Through the library, which stops its timers so.
      for (const connection of hub.connections) drop(connection);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Writes the outcomes decided so far. The library has this, but does not declare it. */
export function writeOutcomes(link: Receiver): void {
  const session = link.session as unknown as { incoming: { process(session: unknown): void } };
  session.incoming.process(session);
}

/** Cuts a connection without a word. */
export function drop(connection: Connection): void {
  connection["abort_socket"](connection["socket"]);
}
