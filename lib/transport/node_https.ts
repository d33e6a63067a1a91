import type { Deadline } from "../timing/deadline.ts";
import { AnswerBytes, maxBytesOf } from "./answer_bytes.ts";
import type { Wire, WireRequest, WireResponse } from "./http_wire.ts";

/**
 * The part of Node's API that this file uses, declared here so that no `node:` type or import is reachable from `mod.ts`.
 */
interface NodeHttp {
  Agent: new (options: { keepAlive: boolean; scheduling: "lifo" }) => NodeAgent;
  request(options: NodeRequestOptions, onResponse: (response: NodeResponse) => void): NodeRequest;
}
interface NodeAgent {
  destroy(): void;
}
interface NodeRequestOptions {
  agent: NodeAgent;
  protocol: string;
  hostname: string;
  port: string | undefined;
  method: string;
  path: string;
  headers: readonly string[];
}
interface NodeRequest {
  /** `null` while the request waits for a connection. */
  readonly socket: { readonly connecting: boolean; readonly secureConnecting?: boolean } | null;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "close", listener: () => void): void;
  end(body?: Uint8Array): void;
  destroy(error?: Error): void;
}
interface NodeStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  pipe(destination: NodeStream): NodeStream;
  destroy(): void;
}
interface NodeResponse extends NodeStream {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly complete: boolean;
}
interface NodeZlib {
  createGunzip(): NodeStream;
  createBrotliDecompress(): NodeStream;
}
/** Returns one of the modules that this file uses, by its name. */
type GetBuiltinModule = (id: string) => NodeHttp & NodeZlib;
interface RuntimeGlobals {
  Bun?: unknown;
  Deno?: unknown;
  navigator?: { userAgent?: string };
  process?: { versions?: { node?: string }; getBuiltinModule?: GetBuiltinModule };
}

/**
 * Creates a wire over Node's `https` with kept-alive connections, or returns `undefined` on other runtimes. Node's global
 * `fetch` makes two thirds as many calls per second, needs one and a half times the CPU time, and keeps opening new
 * connections for larger bodies.
 */
export function nodeHttpsWire(): Wire | undefined {
  const { Bun, Deno, navigator, process } = globalThis as unknown as RuntimeGlobals;
  // Other runtimes have these modules too, for compatibility, but their fetch is better.
  const isNode = Bun === undefined && Deno === undefined && process?.versions?.node !== undefined &&
    (navigator?.userAgent ?? "Node.js").startsWith("Node.js");
  const getBuiltinModule = isNode ? process.getBuiltinModule : undefined;
  if (getBuiltinModule === undefined) return undefined;

  const origins = new Map<string, Origin>();

  function send(request: WireRequest, deadline: Deadline): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      let origin = origins.get(request.origin);
      if (origin === undefined) origins.set(request.origin, origin = prepareOrigin(request.origin, getBuiltinModule!));
      const { method, path } = request;
      const content = request.body === undefined ? undefined : ENCODER.encode(request.body);
      const headers = headerList(origin.host, request, content);
      let answer: NodeResponse | undefined;
      let body: NodeStream | undefined;
      let isSettled = false;
      function settle(result: () => void): void {
        // Some events come later, when the deadline may have a listener for the next request of the same call.
        if (isSettled) return;
        isSettled = true;
        deadline.listen(undefined);
        // What has come of a compressed body would be decompressed to its end, though nobody waits for it.
        if (body !== answer) body?.destroy();
        result();
      }
      function fail(error: unknown): void {
        const { socket } = outgoing;
        request.isSent ||= socket !== null && !socket.connecting && !socket.secureConnecting;
        settle(() => reject(error));
      }
      const outgoing = origin.http.request({ ...origin.options, method, path, headers }, (incoming) => {
        answer = incoming;
        const status = incoming.statusCode;
        const bytes = new AnswerBytes(maxBytesOf(status, request.maxResponseBytes));
        function succeed(text: string | undefined): void {
          settle(() => resolve({ status, body: text, headers: { get: (name) => headerOf(incoming, name) } }));
        }
        body = decompressed(incoming, getBuiltinModule!);
        body.on("data", (chunk) => {
          if (bytes.add(chunk)) return;
          succeed(undefined);
          outgoing.destroy();
        });
        body.on("end", () => succeed(bytes.text()));
        if (body !== incoming) body.on("error", fail);
      });
      deadline.listen((reason) => {
        fail(reason);
        outgoing.destroy();
      });
      outgoing.on("error", fail);
      // This is the last event of every request, also of one that ends without an error, such as with status 101.
      outgoing.on("close", () => {
        if (!answer?.complete) fail(new Error("The connection closed before the whole answer had arrived"));
      });
      outgoing.end(content);
    });
  }

  return { send, close: () => origins.forEach(({ options }) => options.agent.destroy()) };
}

const ENCODER = new TextEncoder();

interface Origin {
  http: NodeHttp;
  /** The value of the header `Host`. */
  host: string;
  options: Pick<NodeRequestOptions, "agent" | "protocol" | "hostname" | "port">;
}

function prepareOrigin(origin: string, getBuiltinModule: GetBuiltinModule): Origin {
  const { protocol, host, hostname, port } = new URL(origin);
  const http = getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
  // Last in, first out: the connection that was used last is the one that the hub is least likely to have closed.
  const agent = new http.Agent({ keepAlive: true, scheduling: "lifo" });
  // node:http takes an IPv6 address without the brackets that a URL has around it.
  const options = { agent, protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port: port || undefined };
  return { http, host, options };
}

/**
 * Returns the headers as a list, which is the cheapest form for Node since it sends a list unchanged. In return, it does not
 * add `Host` and `Content-Length`.
 */
function headerList(host: string, { method, headers }: WireRequest, body: Uint8Array | undefined): string[] {
  const list = ["Host", host];
  for (const [name, value] of Object.entries(headers)) list.push(name, value);
  const hasBody = body !== undefined || method.startsWith("P");
  if (hasBody) list.push("Content-Length", String(body?.byteLength ?? 0));
  return list;
}

/**
 * Returns the body of an answer without its compression. None is asked for, but a proxy may compress all the same, and every
 * `fetch` undoes these two.
 */
function decompressed(incoming: NodeResponse, getBuiltinModule: GetBuiltinModule): NodeStream {
  const { "content-encoding": encoding, "content-length": length } = incoming.headers;
  const isEmpty = incoming.statusCode === 204 || length === "0";
  if (isEmpty || !/^(?:gzip|br)$/i.test(String(encoding))) return incoming;
  const zlib = getBuiltinModule("node:zlib");
  return incoming.pipe(/br/i.test(String(encoding)) ? zlib.createBrotliDecompress() : zlib.createGunzip());
}

function headerOf(response: NodeResponse, name: string): string | null {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(", ") : value ?? null;
}
