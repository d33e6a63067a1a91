import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { newTrackingId } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { faultAnswer, internalFaultAnswer } from "../rest/errors.ts";

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
  tls?: { cert: string; key: string };
  upgrades?: UpgradeHandler;
  /** Is told of an exception in the answering itself, and returns the tracking id for the client. */
  report?: (error: unknown) => string;
}

/** Opens a port and answers its requests with a function shaped like `fetch`. */
export async function startHttpListener(
  handle: (request: Request) => Promise<Response>,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const { hostname, port, tls, upgrades, report = newTrackingId } = options;
  const scheme = tls === undefined ? "http" : "https";
  let isClosing = false;
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    answer(handle, scheme, message, response).catch((error) => {
      // Where nobody waits for an answer, the hub has not failed: it was closed, or the client has gone.
      if (isClosing || response.destroyed) response.destroy();
      else refuse(response, error, report);
    });
  };
  const server = tls === undefined
    ? (await import("node:http")).createServer({ shouldUpgradeCallback }, listener)
    : (await import("node:https")).createServer({ cert: tls.cert, key: tls.key, shouldUpgradeCallback }, listener);
  if (upgrades !== undefined) {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
      upgrades.handle(request, socket, head).catch(() => socket.destroy());
    });
  }
  await new Promise<void>((resolve, reject) => {
    // Later errors, such as too many open files, come with nobody to catch them.
    server.on("error", (error) => server.listening ? void report(error) : reject(error));
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

async function answer(
  handle: (request: Request) => Promise<Response>,
  scheme: string,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(new DOMException("The client has disconnected", "AbortError"));
  });
  const result = await handle(await toRequest(scheme, message, gone.signal));
  const body = message.method === "HEAD" ? undefined : new Uint8Array(await result.arrayBuffer());
  response.writeHead(result.status, Object.fromEntries(result.headers));
  response.end(body);
}

/** Answers a request that could not be handled, in the hub's own form. */
function refuse(response: ServerResponse, error: unknown, report: (error: unknown) => string): void {
  const { status, headers, body } = error instanceof HubFault
    ? faultAnswer(error, "plain", Date.now())
    : internalFaultAnswer(report(error), "plain", Date.now());
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { ...headers, "content-type": "application/json; charset=utf-8", connection: "close" });
  response.end(JSON.stringify(body));
}

/** The methods that the Fetch standard forbids, so that no `Request` can have them. */
const FORBIDDEN_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

async function toRequest(scheme: string, message: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const { method = "GET", url = "/" } = message;
  if (FORBIDDEN_METHODS.includes(method)) {
    throw new HubFault("GenericMethodNotAllowed", 405, `The hub has no resource that supports the method ${method}`);
  }
  const body = await readBody(message);
  // The Host header comes from the client and may not be a valid host, so the address gets one of its own.
  const address = new URL(`${scheme}://localhost${url.startsWith("/") ? url : "/"}`);
  return new Request(address, {
    method,
    headers: toHeaders(message),
    signal,
    ...(method !== "GET" && method !== "HEAD" && body.length > 0 && { body }),
  });
}

async function readBody(message: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const body = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function toHeaders(message: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, [value].flat().join(", "));
  }
  return headers;
}

/** Closes every connection, too: those that are kept alive or wait for an answer would keep the server open. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
