import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { joinBytes } from "../../lib/values/join_bytes.ts";

/** One request, as it came over the socket. */
export interface ReceivedRequest {
  method: string;
  /** The path's segments, decoded; a trailing slash shows as an empty one. */
  segments: string[];
  /** The query as it stood on the wire. */
  query: string;
  headers: Record<string, string | string[] | undefined>;
  /** The body, parsed; absent when none was sent. */
  body?: unknown;
}

/** A web server on the loopback interface that keeps every request. */
export class RecordingServer {
  readonly requests: ReceivedRequest[] = [];
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;

  constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /**
   * Listens on a free port. `answer` is what a GET, PUT, POST or PATCH gets, with these headers; a DELETE gets 204, unless it
   * is a purge.
   */
  static async listen(
    answer: (request: ReceivedRequest) => unknown,
    headers: Record<string, string> = {},
  ): Promise<RecordingServer> {
    const server = createServer((incoming, outgoing) => {
      const chunks: Uint8Array[] = [];
      incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      incoming.on("end", () => {
        try {
          const request = readRequest(incoming, joinBytes(chunks));
          recorder.requests.push(request);
          const status = statusFor(request);
          if (status !== 204) outgoing.setHeader("Content-Type", "application/json");
          outgoing.writeHead(status, headers).end(status === 204 ? undefined : JSON.stringify(answer(request)));
        } catch (error) {
          // An escape, a character or a body that is none: the call must fail, not wait.
          outgoing.writeHead(400).end(String(error));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const recorder = new RecordingServer(server);
    return recorder;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function statusFor({ method, segments }: ReceivedRequest): number {
  if (method === "DELETE" && segments.at(-1) !== "commands") return 204;
  // The vendor's package takes no other status for an update of a digital twin.
  return method === "PATCH" && segments[0] === "digitaltwins" ? 202 : 200;
}

function readRequest(incoming: IncomingMessage, bytes: Uint8Array): ReceivedRequest {
  const [path, query = ""] = incoming.url!.split("?");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  return {
    method: incoming.method!,
    segments: path!.slice(1).split("/").map(decodeURIComponent),
    query,
    headers: { ...incoming.headers },
    ...(text !== "" && { body: JSON.parse(text) }),
  };
}
