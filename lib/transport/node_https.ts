import type { ClientOptions } from "../client/client_options.ts";
import type { Deadline } from "../timing/deadline.ts";
import { runtimeName } from "../values/runtime.ts";
import { AnswerBytes, maxBytesOf } from "./answer_bytes.ts";
import type { Wire, WireRequest, WireResponse } from "./http_wire.ts";
import { type NodeHttp, nodeProcess, type NodeRequestOptions, type NodeResponse, type NodeStream } from "./node_api.ts";
import { agentOptions, checkNodeNetwork } from "./node_network.ts";

/**
 * Creates a wire over Node's `https` with kept-alive connections, or returns `undefined` on other runtimes. Node's global
 * `fetch` makes two thirds as many calls per second, needs one and a half times the CPU time, and keeps opening new
 * connections for larger bodies.
 *
 * @throws {TypeError} When this version of Node cannot do what the options ask for.
 */
export function nodeHttpsWire(options: ClientOptions): Wire | undefined {
  // Other runtimes have these modules too, for compatibility, but their fetch is better.
  if (runtimeName() !== "Node" || nodeProcess().getBuiltinModule === undefined) return undefined;
  checkNodeNetwork(options);
  const origins = new Map<string, Origin>();

  function send(request: WireRequest, deadline: Deadline): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      let origin = origins.get(request.origin);
      if (origin === undefined) origins.set(request.origin, origin = prepareOrigin(request.origin, options));
      const { method, path } = request;
      const content = request.body === undefined ? undefined : ENCODER.encode(request.body);
      const headers = headersOf(origin, request, content);
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
        body = decompressed(incoming);
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

  return { send, opensMany: true, close: () => origins.forEach(({ options }) => options.agent.destroy()) };
}

const ENCODER = new TextEncoder();

interface Origin {
  readonly http: NodeHttp;
  /** The value of the header `Host`. */
  readonly host: string;
  /** Whether there may be a proxy that wants to see the whole requests, and who sends them. */
  readonly mayBeProxied: boolean;
  readonly options: Pick<NodeRequestOptions, "agent" | "protocol" | "hostname" | "port">;
}

function prepareOrigin(origin: string, options: ClientOptions): Origin {
  const { protocol, host, hostname, port } = new URL(origin);
  const http = nodeProcess().getBuiltinModule!(protocol === "https:" ? "node:https" : "node:http");
  const network = agentOptions(options, http);
  // Last in, first out: the connection that was used last is the one that the hub is least likely to have closed.
  const agent = new http.Agent({ ...network, keepAlive: true, scheduling: "lifo" });
  return {
    http,
    host,
    mayBeProxied: protocol === "http:" && network.proxyEnv !== undefined,
    // node:http takes an IPv6 address without the brackets that a URL has around it.
    options: { agent, protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port: port || undefined },
  };
}

/**
 * Returns the headers as a list, which is the cheapest form for Node since it sends a list unchanged. In return, it does not
 * add `Host` and `Content-Length`, nor the name and the password for a proxy, for which it needs an object.
 */
function headersOf(
  { host, mayBeProxied }: Origin,
  { method, headers }: WireRequest,
  body: Uint8Array | undefined,
): NodeRequestOptions["headers"] {
  const length = String(body?.byteLength ?? 0);
  const hasBody = body !== undefined || method.startsWith("P");
  if (mayBeProxied) return { Host: host, ...headers, ...(hasBody && { "Content-Length": length }) };
  const list = ["Host", host];
  for (const [name, value] of Object.entries(headers)) list.push(name, value);
  if (hasBody) list.push("Content-Length", length);
  return list;
}

/**
 * Returns the body of an answer without its compression. None is asked for, but a proxy may compress all the same, and every
 * `fetch` undoes these two.
 */
function decompressed(incoming: NodeResponse): NodeStream {
  const { "content-encoding": encoding, "content-length": length } = incoming.headers;
  const isEmpty = incoming.statusCode === 204 || length === "0";
  if (isEmpty || !/^(?:gzip|br)$/i.test(String(encoding))) return incoming;
  const zlib = nodeProcess().getBuiltinModule!("node:zlib");
  return incoming.pipe(/br/i.test(String(encoding)) ? zlib.createBrotliDecompress() : zlib.createGunzip());
}

function headerOf(response: NodeResponse, name: string): string | null {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(", ") : value ?? null;
}
