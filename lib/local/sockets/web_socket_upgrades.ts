import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AmqpBackend } from "../amqp/backend.ts";
import { MAX_WEB_SOCKET_MESSAGE } from "../amqp/hub_limits.ts";
import type { AmqpServer } from "../amqp/server.ts";
import type { ServerWebSocket } from "../amqp/web_socket.ts";
import { clientCertificateOf } from "../auth/client_certificate.ts";
import { HubFault, notInThisVersion } from "../hub_fault.ts";
import { refusalBeforeRouting } from "../rest/refusal.ts";
import { answerBare } from "./bare_answer.ts";

/** The hub's own path, and that of the service on which hubs are built, which the SDK for Python uses. */
const PATHS: readonly string[] = ["/$iothub/websocket", "/$servicebus/websocket"];
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
   * Answers a request for an upgrade: with a WebSocket, or like a request that failed. The status is 404 for a wrong
   * path, 400 for a wrong subprotocol, 501 for MQTT or without the package `ws`, and 500 when the hub fails.
   */
  async handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let isAccepted = false;
    try {
      await this.#handle(request, socket, head, () => isAccepted = true);
    } catch (error) {
      const answer = refusalBeforeRouting(error, (fault) => this.#backend.report(fault));
      if (isAccepted) socket.destroy();
      else await answerBare(socket, answer);
    }
  }

  /** Calls `onAccepted` when the answer has been written: from then on no other can be. */
  async #handle(request: IncomingMessage, socket: Duplex, head: Uint8Array, onAccepted: () => void): Promise<void> {
    checkUpgrade(request);
    const { WebSocketBytes } = await import("../amqp/web_socket.ts");
    // On npm the package is an optional peer, since few users need it.
    const server = await (this.#server ??= this.#load()).catch(() => {
      const reason = "AMQP over WebSocket needs the npm package ws: install it beside this one";
      throw new HubFault("NotImplemented", 501, reason);
    });
    if (this.#isClosed || socket.destroyed) return void socket.destroy();
    server.handleUpgrade(request, socket, head, (accepted: ServerWebSocket) => {
      onAccepted();
      if (this.#isClosed) accepted.terminate();
      else this.#amqp!.accept(new WebSocketBytes(accepted), clientCertificateOf(request.socket));
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
    // @ts-ignore: the package has no types.
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

/**
 * Throws unless a request is for AMQP over WebSocket.
 *
 * @throws {HubFault} `GenericNotFound` (404), `NotImplemented` (501) or `GenericBadRequest` (400).
 */
function checkUpgrade(request: IncomingMessage): void {
  const path = pathOf(request.url);
  if (path === undefined || !PATHS.includes(path)) {
    throw new HubFault("GenericNotFound", 404, `The hub has WebSockets at ${PATHS.join(" and ")} only`);
  }
  const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
  if (protocols.includes(SUBPROTOCOL)) return;
  if (protocols.some((protocol) => protocol.toLowerCase() === "mqtt")) throw notInThisVersion("MQTT over WebSocket");
  throw new HubFault("GenericBadRequest", 400, `The subprotocol of a WebSocket must be ${SUBPROTOCOL}`);
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
