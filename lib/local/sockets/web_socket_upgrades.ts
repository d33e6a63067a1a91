import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AmqpBackend } from "../amqp/backend.ts";
import { MAX_WEB_SOCKET_MESSAGE } from "../amqp/hub_limits.ts";
import type { AmqpServer } from "../amqp/server.ts";
import type { ServerWebSocket } from "../amqp/web_socket.ts";

const PATH = "/$iothub/websocket";
const SUBPROTOCOL = "AMQPWSB10";

/** The part of the server of the package `ws` that is used here. */
interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    accepted: (socket: ServerWebSocket) => void,
  ): void;
}

/** Serves AMQP over WebSocket at an HTTP port. The libraries for it are loaded for the first client that asks. */
export class WebSocketUpgrades {
  readonly #backend: AmqpBackend;
  readonly #sockets: Set<Duplex> = new Set();
  #server: Promise<WebSocketServer> | undefined;
  #amqp: AmqpServer | undefined;
  #isClosed = false;

  constructor(backend: AmqpBackend) {
    this.#backend = backend;
  }

  /**
   * Answers a request for an upgrade: with a WebSocket, with 404 for a wrong path, with 400 for a wrong subprotocol, or
   * with 500 when the hub fails.
   */
  async handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let isAccepted = false;
    try {
      await this.#handle(request, socket, head, () => isAccepted = true);
    } catch (error) {
      const trackingId = this.#backend.report(error);
      if (isAccepted) socket.destroy();
      else refuse(socket, "500 Internal Server Error", `The hub failed for an internal reason: ${trackingId}`);
    }
  }

  /** Calls `onAccepted` when the answer has been written: from then on no other can be. */
  async #handle(request: IncomingMessage, socket: Duplex, head: Uint8Array, onAccepted: () => void): Promise<void> {
    if (pathOf(request.url) !== PATH) return refuse(socket, "404 Not Found");
    if (!protocolsOf(request).includes(SUBPROTOCOL)) return refuse(socket, "400 Bad Request");
    const { WebSocketBytes } = await import("../amqp/web_socket.ts");
    // On npm the package is an optional peer, since few users need it.
    const server = await (this.#server ??= this.#load()).catch(() => undefined);
    if (server === undefined) {
      return refuse(
        socket,
        "501 Not Implemented",
        "AMQP over WebSocket needs the npm package ws: install it beside this one",
      );
    }
    if (this.#isClosed || socket.destroyed) return void socket.destroy();
    server.handleUpgrade(request, socket, head, (accepted) => {
      onAccepted();
      if (this.#isClosed) accepted.terminate();
      else this.#amqp!.accept(new WebSocketBytes(accepted));
    });
  }

  /** Cuts every connection. */
  close(): void {
    this.#isClosed = true;
    this.#amqp?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #load(): Promise<WebSocketServer> {
    const { AmqpServer } = await import("../amqp/server.ts");
    const { WebSocketServer } = await import("ws");
    this.#amqp = new AmqpServer(this.#backend);
    return new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_WEB_SOCKET_MESSAGE,
      handleProtocols: () => SUBPROTOCOL,
    }) as WebSocketServer;
  }
}

/** Returns the path of a URL in lower case, decoded and without its query, which the Java SDK adds. */
function pathOf(url: string | undefined): string | undefined {
  try {
    return decodeURIComponent(new URL(url ?? "", "http://localhost").pathname).toLowerCase();
  } catch {
    return undefined;
  }
}

function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
}

function refuse(socket: Duplex, status: string, text: string = ""): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}
