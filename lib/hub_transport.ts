import type { Client } from "../gen/client/index.ts";
import type { ClientOptions } from "./client_options.ts";
import type { HubCredential } from "./credential.ts";
import { type Deadline, Deadlines } from "./deadline.ts";
import { type CallSubject, errorFromResponse, failed } from "./error_response.ts";
import { IoTHubError } from "./errors.ts";
import type { HubAccess } from "./hub_access.ts";
import { nodeHttpsWire } from "./node_https.ts";
import { checkOptions, type OperationOptions } from "./operation_options.ts";
import { redactText } from "./redaction.ts";
import { requestPath } from "./request_path.ts";
import { userAgent } from "./user_agent.ts";
import { fetchWire, type Wire, type WireResponse } from "./wire.ts";

/** The api-version that the generated operations are for; their types ask for it in every call. */
export const API_VERSION = { "api-version": "2021-04-12" } as const;

/** How long a call may take when nothing else is said. */
export const DEFAULT_TIMEOUT_IN_MS = 100_000;

/** One call of a public method, on its way through a generated operation to the transport. */
interface HubCall extends CallSubject {
  readonly options: OperationOptions;
  /** What the call needs at least, whatever the manager's own time-out is. */
  readonly leastTimeoutInMs?: number;
  /** Says of an answer outside 200–299 that it is a result all the same. */
  readonly accepts?: (status: number, data: unknown) => boolean;
}

/** What a generated operation hands to its client. */
interface GeneratedRequest {
  url: string;
  path?: Record<string, string>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  meta: { call: HubCall };
}

/** The part of a generated operation's result that is used here. */
interface GeneratedResult {
  data: unknown;
  response: WireResponse;
}

/** What every generated operation is given beside its own arguments. */
export interface GeneratedOptions {
  client: Client;
  query: typeof API_VERSION;
  meta: { call: HubCall };
}

/**
 * The one seam between the hand-written methods and the generated operations. It owns api-version, origin,
 * authentication, time-outs and the mapping of errors, for one manager, and shares none of it.
 */
export class HubTransport {
  readonly #hostName: string;
  readonly #origin: string;
  readonly #credential: HubCredential;
  readonly #wire: Wire;
  readonly #isInjected: boolean;
  readonly #commonHeaders: Record<string, string> = { Accept: "application/json" };
  readonly #timeoutInMs: number;
  readonly #client: Client;
  readonly #deadlines = new Deadlines();
  #closed = false;

  constructor({ hostName, credential }: HubAccess, options: ClientOptions) {
    this.#hostName = hostName;
    this.#origin = new URL(options.endpoint ?? `https://${hostName}`).origin;
    this.#credential = credential;
    this.#isInjected = options.fetch !== undefined;
    this.#wire = options.fetch !== undefined ? fetchWire(options.fetch) : nodeHttpsWire() ?? fetchWire(fetch);
    const agent = userAgent(options.userAgentPrefix);
    if (agent !== undefined) this.#commonHeaders["User-Agent"] = agent;
    this.#timeoutInMs = options.timeoutInMs ?? DEFAULT_TIMEOUT_IN_MS;
    this.#client = generatedClient((method, request) => this.#exchange(method, request));
  }

  /** The first half of a generated operation's options; the second are the operation's own arguments. */
  call(
    subject: CallSubject & Pick<HubCall, "leastTimeoutInMs" | "accepts">,
    options: OperationOptions,
  ): GeneratedOptions {
    checkOptions(options);
    return { client: this.#client, query: API_VERSION, meta: { call: { ...subject, options } } };
  }

  /** Ends every call that is under way and closes the connections. */
  close(): void {
    this.#closed = true;
    this.#deadlines.endAll();
    this.#wire.close();
  }

  async #exchange(method: string, request: GeneratedRequest): Promise<GeneratedResult> {
    const { call } = request.meta;
    if (this.#closed) throw closed(call);
    // Before the deadline starts, since a body that JSON cannot carry is the caller's mistake and no failure of the hub.
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const deadline = this.#deadlines.start(this.#timeoutOf(call), call.options.abortSignal);
    try {
      deadline.throwIfEnded();
      const authorization = this.#credential.authorization ??
        (await deadline.race(this.#credential.getToken(call))).authorization;
      const path = requestPath(request.url, request.path, request.query);
      const headers = this.#headers(request, authorization);
      const answer = this.#wire.send({ method, origin: this.#origin, path, headers, body }, deadline);
      // A fetch that was handed in may not heed the signal.
      const response = await (this.#isInjected ? deadline.race(answer) : answer);
      return resultOf(call, method, response);
    } catch (error) {
      throw this.#failure(call, deadline, error);
    } finally {
      this.#deadlines.stop(deadline);
    }
  }

  #timeoutOf({ options, leastTimeoutInMs = 0 }: HubCall): number {
    return options.timeoutInMs ?? Math.max(this.#timeoutInMs, leastTimeoutInMs);
  }

  #headers(request: GeneratedRequest, authorization: string): Record<string, string> {
    const headers: Record<string, string> = { ...this.#commonHeaders, Authorization: authorization };
    for (const name in request.headers) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = String(value);
    }
    // In place of the generated one, which says nothing of the encoding.
    if (request.body !== undefined) headers["Content-Type"] = "application/json; charset=utf-8";
    return headers;
  }

  #failure(call: HubCall, deadline: Deadline, error: unknown): unknown {
    if (error instanceof IoTHubError) return error;
    if (call.options.abortSignal?.aborted) return call.options.abortSignal.reason;
    if (this.#closed) return closed(call);
    if (deadline.hasExpired) {
      const reason = `no answer within ${this.#timeoutOf(call)} ms; it may have been carried out all the same`;
      return new IoTHubError(`${failed(call)}: ${reason}`, {
        code: "Timeout",
        operation: call.operation,
        retryable: true,
      });
    }
    return new IoTHubError(`${failed(call)}: ${this.#hostName} could not be reached (${causeOf(error)})`, {
      code: "NetworkError",
      operation: call.operation,
      retryable: true,
      cause: error,
    });
  }
}

/**
 * What stands in for the generated client. The generated functions need only its verbs; the original would build a
 * second Request for each call, share interceptors, and cannot be used on Deno, which takes its option `client` for
 * one of its own.
 */
function generatedClient(exchange: (method: string, request: GeneratedRequest) => Promise<GeneratedResult>): Client {
  function verb(method: string): (request: GeneratedRequest) => Promise<GeneratedResult> {
    return (request) => exchange(method, request);
  }
  const verbs = {
    get: verb("GET"),
    put: verb("PUT"),
    post: verb("POST"),
    patch: verb("PATCH"),
    delete: verb("DELETE"),
  };
  return verbs as unknown as Client;
}

function resultOf(call: HubCall, method: string, response: WireResponse): GeneratedResult {
  const { status, body, headers } = response;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess || call.accepts !== undefined) {
    // A deletion has nothing to say, with whatever status it says so.
    const data = body === "" && (status === 204 || method === "DELETE") ? undefined : parseBody(body);
    if (isSuccess && data === NOT_JSON) {
      throw new IoTHubError(`${failed(call)}: the hub answered ${status} with a body that is no JSON`, {
        code: "InvalidResponse",
        operation: call.operation,
        retryable: false,
        statusCode: status,
      });
    }
    if (isSuccess || call.accepts!(status, data)) return { data, response };
  }
  if (status >= 300 && status < 400) {
    throw new IoTHubError(`${failed(call)}: the hub answered ${status}, a redirect, which is not followed`, {
      code: "UnexpectedRedirect",
      operation: call.operation,
      retryable: false,
      statusCode: status,
    });
  }
  throw errorFromResponse(call, status, (name) => headers.get(name), body);
}

const NOT_JSON = Symbol();

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return NOT_JSON;
  }
}

function closed(call: HubCall): IoTHubError {
  return new IoTHubError(`${failed(call)}: the manager is closed; make a new one`, {
    code: "Closed",
    operation: call.operation,
    retryable: false,
  });
}

/** The words of the innermost error: a runtime's outer one often says no more than "fetch failed". */
function causeOf(error: unknown): string {
  let inner = error;
  for (let depth = 0; depth < 5 && inner instanceof Error && inner.cause instanceof Error; depth++) inner = inner.cause;
  return redactText(inner instanceof Error ? inner.message || inner.name : String(inner));
}
