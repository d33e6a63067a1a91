import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

/** An HTTP server that is listening. */
export interface HttpListener {
  readonly port: number;
  close(): Promise<void>;
}

/** What serves the clients that want a WebSocket instead of an answer. */
export interface UpgradeHandler {
  handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void>;
  close(): void;
}

/** Where to listen; port 0 picks a free one. Without `upgrades` there are no WebSockets. */
export interface HttpListenerOptions {
  hostname: string;
  port: number;
  tls?: { cert: string; key: string };
  upgrades?: UpgradeHandler;
}

/** Serves a `fetch`-shaped function at a TCP port, with TLS where a certificate is given. */
export async function startHttpListener(
  handle: (request: Request) => Promise<Response>,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const { hostname, port, tls, upgrades } = options;
  const scheme = tls === undefined ? "http" : "https";
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    answer(handle, scheme, message, response).catch(() => response.destroy());
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
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      upgrades?.close();
      return closeServer(server);
    },
  };
}

/** A client that offers another protocol, such as HTTP/2, is answered all the same. */
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
    if (!response.writableFinished) gone.abort(new DOMException("The client has gone", "AbortError"));
  });
  const result = await handle(await toRequest(scheme, message, gone.signal));
  const body = message.method === "HEAD" ? undefined : new Uint8Array(await result.arrayBuffer());
  response.writeHead(result.status, Object.fromEntries(result.headers));
  response.end(body);
}

async function toRequest(scheme: string, message: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const { method = "GET", url = "/" } = message;
  const body = await readBody(message);
  // The path is put behind an authority of our own: the Host header is the client's, and need not be one.
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

/** Connections that are kept alive, or wait for an answer, would hold a closing server open. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
