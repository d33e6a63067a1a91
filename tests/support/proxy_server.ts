import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What a client has asked the proxy for. */
export interface ProxyRequest {
  /** `CONNECT` opens a tunnel; any other method is a request to hand on. */
  readonly method: string;
  /** `host:port` of a tunnel, or the URL of a request. */
  readonly target: string;
}

/**
 * A proxy for HTTP on the loopback interface, which wants this user's name and password, if there are any. It takes every
 * host for this machine.
 */
export class ProxyServer implements AsyncDisposable {
  /** What was asked for, also where it was refused. */
  readonly requests: ProxyRequest[] = [];
  readonly #credentials: string | undefined;
  readonly #server: Server = createServer();
  readonly #sockets: Set<Duplex> = new Set();

  private constructor(user?: string, password?: string) {
    this.#credentials = user === undefined ? undefined : `Basic ${btoa(`${user}:${password}`)}`;
    this.#server.on("connection", (socket) => this.#keep(socket));
    this.#server.on("request", (incoming, response) => this.#handOn(incoming, response));
    this.#server.on("connect", (incoming, socket, head) => this.#tunnel(incoming, socket, head));
    this.#server.on("upgrade", (incoming, socket) => {
      this.#note(incoming);
      socket.end("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n");
    });
  }

  static async listen(user?: string, password?: string): Promise<ProxyServer> {
    const proxy = new ProxyServer(user, password);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The proxy's address, with a user's name and password if they are given. */
  url(user?: string, password: string = ""): string {
    const credentials = user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
    return `http://${credentials}127.0.0.1:${this.port}`;
  }

  /** Notes a request. Returns whether it may go on. */
  #note({ method = "", url = "", headers }: IncomingMessage): boolean {
    this.requests.push({ method, target: url });
    return this.#credentials === undefined || headers["proxy-authorization"] === this.#credentials;
  }

  #handOn(incoming: IncomingMessage, response: ServerResponse): void {
    if (!this.#note(incoming)) {
      response.writeHead(407, { "Proxy-Authenticate": 'Basic realm="test"', "Content-Type": "text/html" });
      response.end("<html><head><title>Access denied</title></head><body>Who are you?</body></html>");
      return;
    }
    const { hostname, port, pathname, search } = new URL(incoming.url!);
    const { "proxy-authorization": _, "proxy-connection": __, ...headers } = incoming.headers;
    const outgoing = request(
      { hostname, port, path: pathname + search, method: incoming.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    this.#keep(socket);
    if (!this.#note(incoming)) {
      socket.end(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
      );
      return;
    }
    const port = Number(incoming.url!.split(":").at(-1));
    const target: Socket = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) target.write(head);
      target.pipe(socket).pipe(target);
    });
    this.#keep(target);
    target.on("close", () => socket.destroy());
    socket.on("close", () => target.destroy());
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
