import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AmqpBackend } from "../amqp/backend.ts";
import { MAX_WEB_SOCKET_MESSAGE } from "../amqp/hub_limits.ts";
import type { ServerWebSocket } from "../connections/web_socket_bytes.ts";
import type { MqttBackend } from "../mqtt/backend.ts";
import type { ByteServer } from "./byte_listener.ts";
import { clientCertificateOf } from "../auth/client_certificate.ts";
import { HubFault } from "../hub_fault.ts";
import { refusalBeforeRouting } from "../rest/refusal.ts";
import { answerBare } from "./bare_answer.ts";

/** The hub's own path, and that of the service on which hubs are built, which the SDK for Python uses. */
const PATHS: readonly string[] = ["/$iothub/websocket", "/$servicebus/websocket"];
const AMQP_SUBPROTOCOL = "AMQPWSB10";
const MQTT_SUBPROTOCOL = "mqtt";

/** The part of the server of the package `ws` that is used here. */
interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    accepted: (socket: ServerWebSocket) => void,
  ): void;
}

/** What goes over WebSockets. */
export interface WebSocketSides {
  readonly amqp: AmqpBackend;
  readonly mqtt: MqttBackend;
}

/** Which protocol a client wants, and how it names it. */
interface Wish {
  readonly protocol: keyof WebSocketSides;
  readonly subprotocol: string;
}

/** Serves AMQP and MQTT over WebSocket at an HTTP port. The libraries are loaded for the first client that asks. */
export class WebSocketUpgrades {
  readonly #hub: WebSocketSides;
  readonly #sockets: Set<Duplex> = new Set();
  #server: Promise<WebSocketServer> | undefined;
  readonly #servers: Map<keyof WebSocketSides, ByteServer> = new Map();
  #isClosed = false;

  constructor(hub: WebSocketSides) {
    this.#hub = hub;
  }

  /**
   * Answers a request for an upgrade: with a WebSocket, or like a request that failed. The status is 404 for a wrong
   * path, 400 for a wrong subprotocol, 501 without the package `ws`, and 500 when the hub fails.
   */
  async handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let isAccepted = false;
    try {
      await this.#handle(request, socket, head, () => isAccepted = true);
    } catch (error) {
      const answer = refusalBeforeRouting(error, this.#hub.amqp);
      if (isAccepted) socket.destroy();
      else await answerBare(socket, answer);
    }
  }

  /** Calls `onAccepted` when the answer has been written: from then on no other can be. */
  async #handle(request: IncomingMessage, socket: Duplex, head: Uint8Array, onAccepted: () => void): Promise<void> {
    const { protocol } = readWish(request);
    const { WebSocketBytes } = await import("../connections/web_socket_bytes.ts");
    // On npm the package is an optional peer, since few users need it.
    const server = await (this.#server ??= this.#load()).catch(() => {
      const reason = "WebSockets need the npm package ws: install it beside this one";
      throw new HubFault("NotImplemented", 501, reason);
    });
    const bytes = await this.#serverOf(protocol);
    if (this.#isClosed || socket.destroyed) return void socket.destroy();
    server.handleUpgrade(request, socket, head, (accepted: ServerWebSocket) => {
      onAccepted();
      if (this.#isClosed) accepted.terminate();
      else bytes.accept(new WebSocketBytes(accepted, request.socket.localPort), clientCertificateOf(request.socket));
    });
  }

  /** Cuts every connection. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serverOf(protocol: keyof WebSocketSides): Promise<ByteServer> {
    const { [protocol]: make } = {
      amqp: async () => new (await import("../amqp/server.ts")).AmqpServer(this.#hub.amqp),
      mqtt: async () => new (await import("../mqtt/server.ts")).MqttServer(this.#hub.mqtt),
    };
    const made = await make();
    // Another client may have been faster.
    const server = this.#servers.get(protocol) ?? made;
    this.#servers.set(protocol, server);
    return server;
  }

  async #load(): Promise<WebSocketServer> {
    // @ts-ignore: the package has no types.
    const { WebSocketServer } = await import("ws");
    return new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_WEB_SOCKET_MESSAGE,
      handleProtocols: (_offered: unknown, request: IncomingMessage) => readWish(request).subprotocol,
    }) as WebSocketServer;
  }
}

/**
 * Returns what a request for a WebSocket is for. MQTT is named without regard to case, and by the name that was offered.
 *
 * @throws {HubFault} `GenericNotFound` (404) or `GenericBadRequest` (400).
 */
function readWish(request: IncomingMessage): Wish {
  const path = pathOf(request.url);
  if (path === undefined || !PATHS.includes(path)) {
    throw new HubFault("GenericNotFound", 404, `The hub has WebSockets at ${PATHS.join(" and ")} only`);
  }
  const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
  if (protocols.includes(AMQP_SUBPROTOCOL)) return { protocol: "amqp", subprotocol: AMQP_SUBPROTOCOL };
  const subprotocol = protocols.find((protocol) => protocol.toLowerCase() === MQTT_SUBPROTOCOL);
  if (subprotocol !== undefined) return { protocol: "mqtt", subprotocol };
  const rule = `The subprotocol of a WebSocket must be ${AMQP_SUBPROTOCOL} or ${MQTT_SUBPROTOCOL}`;
  throw new HubFault("GenericBadRequest", 400, rule);
}

/**
 * Returns the path of a URL in lower case, decoded, without its query, which the SDK for Java adds, and without a slash
 * at its end, which the one for Python adds.
 */
function pathOf(url: string | undefined): string | undefined {
  try {
    return decodeURIComponent(new URL(url ?? "", "http://localhost").pathname).toLowerCase().replace(/\/$/, "");
  } catch {
    return undefined;
  }
}
