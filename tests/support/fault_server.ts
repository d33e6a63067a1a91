import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

/** One request, as far as a test of faults looks at it. */
export interface FaultRequest {
  method: string;
  path: string;
  body: string;
  /** How many requests came before it. */
  index: number;
  /** The connection it came on, counted from 0. */
  connection: number;
  /** Where to answer. */
  socket: Socket;
}

/**
 * A server on the loopback interface, made of bare sockets, so that it can do what no web server would: stop in the middle, reset,
 * say the wrong thing.
 */
export class FaultServer {
  readonly requests: FaultRequest[] = [];
  /** How many connections there were, also those whose TLS failed. */
  connections = 0;
  #served = 0;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;

  /** `handle` is called for each request, once it is complete. */
  constructor(handle: (request: FaultRequest) => void, tls?: { cert: string; key: string }) {
    const serve = (socket: Socket): void => this.#serve(socket, handle);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    this.#server.on("tlsClientError", () => {});
    this.#scheme = tls === undefined ? "http" : "https";
    this.#server.on("connection", (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket)).on("error", () => {});
    });
  }

  static async listen(...args: ConstructorParameters<typeof FaultServer>): Promise<FaultServer> {
    const server = new FaultServer(...args);
    await server.listen();
    return server;
  }

  /** Listens on this port, or on a free one. */
  async listen(port: number = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  #serve(socket: Socket, handle: (request: FaultRequest) => void): void {
    const connection = this.#served++;
    let received = "";
    socket.setEncoding("latin1").on("error", () => {}).on("data", (chunk) => {
      received += chunk;
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [start = "", ...headers] = received.slice(0, end).split("\r\n");
      const length = Number(headers.find((line) => /^content-length:/i.test(line))?.split(":")[1] ?? 0);
      if (received.length < end + 4 + length) return;
      const body = received.slice(end + 4, end + 4 + length);
      received = received.slice(end + 4 + length);
      const [method = "", path = ""] = start.split(" ");
      const request = { method, path, body, index: this.requests.length, connection, socket };
      this.requests.push(request);
      handle(request);
    });
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}

/** An HTTP answer as it goes over the wire. */
export function httpAnswer(status: number, body: string, headers: Record<string, string> = {}): string {
  const all = {
    "Content-Type": "application/json",
    "Content-Length": `${new TextEncoder().encode(body).length}`,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n${body}`;
}
