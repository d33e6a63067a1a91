/**
 * The part of Node's API that this module uses for HTTP, declared here so that no `node:` type or import is reachable from
 * `mod.ts`.
 */
export interface NodeHttp {
  Agent: new (options: NodeAgentOptions) => NodeAgent;
  /** Absent if the user has replaced it. */
  readonly globalAgent: { readonly options?: NodeAgentOptions };
  request(options: NodeRequestOptions, onResponse: (response: NodeResponse) => void): NodeRequest;
}

export interface NodeAgentOptions {
  readonly keepAlive?: boolean;
  readonly scheduling?: "lifo";
  readonly ca?: string | string[] | undefined;
  /** The variables that name proxies, such as `HTTPS_PROXY`; the agent uses none without them. Since Node 22.21. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface NodeAgent {
  readonly options: NodeAgentOptions;
  /** Either returns a socket that is being connected, or passes one to the callback that is connected. */
  createConnection(options: object, callback: NodeConnectCallback): NodeSocket | undefined;
  destroy(): void;
}

export type NodeConnectCallback = (error: Error | null, socket?: NodeSocket) => void;

export interface NodeSocket {
  readonly connecting: boolean;
  readonly secureConnecting?: boolean;
  once(event: "connect" | "secureConnect", listener: () => void): NodeSocket;
  once(event: "error", listener: (error: Error) => void): NodeSocket;
}

export interface NodeRequestOptions {
  readonly agent: NodeAgent;
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[] | Readonly<Record<string, string>>;
}

export interface NodeRequest {
  /** `null` while the request waits for a connection. */
  readonly socket: NodeSocket | null;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "close", listener: () => void): void;
  end(body?: Uint8Array): void;
  destroy(error?: Error): void;
}

export interface NodeStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "end", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  pipe(destination: NodeStream): NodeStream;
  destroy(): void;
}

export interface NodeResponse extends NodeStream {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly complete: boolean;
}

export interface NodeZlib {
  createGunzip(): NodeStream;
  createBrotliDecompress(): NodeStream;
}

export interface NodeProcess {
  /** Returns one of Node's modules by its name. Since Node 20.16 and 22.3. */
  getBuiltinModule?(id: string): NodeHttp & NodeZlib;
  readonly allowedNodeEnvironmentFlags: { has(flag: string): boolean };
}

/** Node's `process`. To be called on Node only. */
export function nodeProcess(): NodeProcess {
  return (globalThis as unknown as { process: NodeProcess }).process;
}
