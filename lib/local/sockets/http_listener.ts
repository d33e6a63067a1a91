import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { ASK_FOR_CERTIFICATE, type ClientCertificate, clientCertificateOf } from "../auth/client_certificate.ts";
import { type FaultReporter, newTrackingId } from "../fault_listeners.ts";
import { emptyAnswer, refusalBeforeRouting } from "../rest/refusal.ts";
import { answerBare } from "./bare_answer.ts";
import { announcedBytes, IncomingRequest, isChunked } from "./incoming_request.ts";
import { type HubAnswer, wholeBody } from "../hub_answer.ts";
import type { HubRequest } from "../hub_request.ts";

/** How much of a body that nobody needs is read, to keep the connection. */
const MAX_DROPPED_BYTES = 64 * 1024;
/** How much is read and dropped before a connection is closed, and for how long. */
const MAX_LINGERING_BYTES = 16 * 1024 * 1024;
const LINGERING_LIMIT_IN_MS = 1000;

const UNHEARD: FaultReporter = { now: Date.now, report: () => newTrackingId() };

/** An open port for HTTP. */
export interface HttpListener {
  /** The number of the port. */
  readonly port: number;
  /** Closes the port and every connection to it. */
  close(): Promise<void>;
}

/** Serves the clients that ask for a WebSocket, and reports what goes wrong by itself. */
export interface UpgradeHandler {
  handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void>;
  close(): void;
}

/** Where to listen. Port 0 picks a free one, a certificate turns on TLS, and `upgrades` turns on WebSockets. */
export interface HttpListenerOptions {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string } | undefined;
  upgrades?: UpgradeHandler;
  /** Is told of an exception in the answering itself. */
  reporter?: FaultReporter;
}

/** Answers a request of a client, which may have shown a certificate. */
export type HandleRequest = (request: HubRequest, certificate?: ClientCertificate) => Promise<HubAnswer>;

/** Opens a port and answers its requests. */
export async function startHttpListener(
  handle: HandleRequest,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const { hostname, port, tls, upgrades, reporter = UNHEARD } = options;
  const scheme = tls === undefined ? "http" : "https";
  let isClosing = false;
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    answer(handle, scheme, message, response).catch(async (error) => {
      // Where nobody waits for an answer, the hub has not failed: it was closed, or the client has gone.
      if (isClosing || response.destroyed) return void response.destroy();
      const result = refusalBeforeRouting(error, reporter);
      if (response.headersSent) response.destroy();
      else await finish(message, response, result);
    }).catch(() => response.destroy());
  };
  // Node's older types, which users may have, do not know this option.
  const serverOptions = { shouldUpgradeCallback } as ServerOptions;
  const server = tls === undefined
    ? (await import("node:http")).createServer(serverOptions, listener)
    : (await import("node:https")).createServer({
      ...serverOptions,
      ...ASK_FOR_CERTIFICATE,
      cert: tls.cert,
      key: tls.key,
    }, listener);
  if (upgrades !== undefined) {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      upgrades.handle(request, socket, head).catch(() => socket.destroy());
    });
  }
  server.on("clientError", refuseUnreadable);
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => void answerBare(socket, emptyAnswer(405)));
  await new Promise<void>((resolve, reject) => {
    // Later errors, such as too many open files, come with nobody to catch them.
    server.on("error", (error) => server.listening ? void reporter.report(error) : reject(error));
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      isClosing = true;
      upgrades?.close();
      return closeServer(server);
    },
  };
}

/** Only a WebSocket is an upgrade. A client that offers another protocol, such as HTTP/2, gets an HTTP/1.1 answer. */
function shouldUpgradeCallback({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** The answers to what no HTTP server can read, by the names of its errors; 400 for the rest. */
const UNREADABLE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (socket.writable) void answerBare(socket, emptyAnswer(UNREADABLE[error.code ?? ""] ?? 400));
  else socket.destroy();
}

async function answer(
  handle: HandleRequest,
  scheme: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = new IncomingRequest(scheme, message, response);
  await finish(message, response, await handle(request, clientCertificateOf(message.socket)));
}

/** Writes an answer. A connection on which the client still sends a large body that nobody reads is then closed. */
async function finish(message: IncomingMessage, response: ServerResponse, result: HubAnswer): Promise<void> {
  const { status, headers } = result;
  const body = message.method === "HEAD" ? undefined : await wholeBody(result) ?? undefined;
  // Nobody reads the body any more: what still comes is not kept.
  message.removeAllListeners("data");
  if (isReadSoon(message)) {
    response.writeHead(status, headers);
    response.end(body);
    // What is left is read and dropped, for the next request.
    message.resume();
    return;
  }
  response.writeHead(status, { ...headers, connection: "close" });
  if (body !== undefined && body.length > 0) response.write(body);
  const { socket } = message;
  linger(message, () => {
    response.end();
    socket.destroySoon();
  });
}

/** Whether what is left of a body is so little that reading it costs less than a new connection. */
function isReadSoon(message: IncomingMessage): boolean {
  return message.complete || (!isChunked(message) && announcedBytes(message) <= MAX_DROPPED_BYTES);
}

/**
 * Reads and drops what still comes, for a while: a socket that is closed with unread data resets the connection, and the
 * client might lose the answer.
 */
function linger(message: IncomingMessage, end: () => void): void {
  let left = MAX_LINGERING_BYTES;
  const timer = setTimeout(stop, LINGERING_LIMIT_IN_MS);
  function stop(): void {
    clearTimeout(timer);
    message.off("data", onData);
    message.pause();
    end();
  }
  function onData(chunk: Uint8Array): void {
    left -= chunk.length;
    if (left < 0) stop();
  }
  message.on("data", onData);
  message.once("end", stop);
  message.once("close", () => clearTimeout(timer));
  message.resume();
}

/** Closes every connection, too: those that are kept alive or wait for an answer would keep the server open. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
