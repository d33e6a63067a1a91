import { type CallLimits, checkLimits } from "../timing/call_limiter.ts";
import { checkTimeout } from "../timing/deadline.ts";
import { checkChoice, checkNumber, checkText, checkType, checkWhole } from "../values/checks.ts";
import type { ClientEventListener } from "../sight/client_event.ts";
import type { Tracer } from "../sight/tracer.ts";
import { checkMembers } from "../values/members.ts";
import { resolveRetryOptions, type RetryOptions } from "../timing/retry_options.ts";
import { MAX_SAS_TTL_IN_SECONDS } from "../auth/sas_token.ts";

/** How long a call may take by default. */
export const DEFAULT_TIMEOUT_IN_MS = 100_000;

/** How long one attempt of a repeatable call may take by default. */
export const DEFAULT_ATTEMPT_TIMEOUT_IN_MS = 30_000;

/** How long the body of an answer may be by default. */
export const DEFAULT_MAX_RESPONSE_BYTES: number = 64 * 2 ** 20;

/** A longer text might not fit into a string. */
const MOST_RESPONSE_BYTES = 256 * 2 ** 20;

/** How a client reaches its hub. Everything is optional. */
export interface ClientOptions {
  /**
   * A function with the signature of the global `fetch` that makes all HTTP requests. By default the manager of the main
   * entry uses `node:https` on Node, and everything else uses the runtime's `fetch`. It takes no heed of `tls` and `proxy`.
   */
  fetch?: ((url: string, init?: RequestInit) => Promise<Response>) | undefined;
  /**
   * The origin to send HTTP requests to, such as `https://localhost:8443`. SAS tokens are still made for the hub's host
   * name.
   * @default {"https://<HostName>"}
   */
  endpoint?: string | undefined;
  /**
   * The endpoint for messages: `amqps://host:port`, `amqp://host:port`, `wss://…` or `ws://…`, or a function that
   * returns it. The function is called for each new connection.
   * @default {"amqps://<HostName>:5671"} or, over WebSockets, `"wss://<HostName>/$iothub/websocket"`
   */
  amqpEndpoint?: string | (() => Promise<string>) | undefined;
  /**
   * The transport for messages, unless the scheme of `amqpEndpoint` decides it.
   * @default {"Amqp"} if the runtime has TCP sockets and there is no `proxy`, `"AmqpOverWebSocket"` otherwise
   */
  transportType?: "Amqp" | "AmqpOverWebSocket" | undefined;
  /**
   * Whom to trust over HTTP and for messages: the certificates of the authorities, as PEM texts. They take the place of
   * those that the runtime trusts; on Deno they are added to them for HTTP and WebSockets. Deno, Bun and Node can do this.
   */
  tls?: { ca?: string | string[] | undefined } | undefined;
  /**
   * The URL of a proxy, such as `http://proxy.example:8080` or `http://user:password@proxy.example:8080`. All HTTP requests
   * go through it, and messages, which then use a WebSocket. Deno, Bun and Node since 22.21 can do this. By default the
   * runtime decides.
   */
  proxy?: string | undefined;
  /**
   * How long a call may take in total, in milliseconds, unless the call has a time-out of its own. A direct method is
   * always given at least its response and connect time-outs.
   * @default {100000}
   */
  timeoutInMs?: number | undefined;
  /**
   * How long one attempt of a call may take, in milliseconds, if the call may be repeated.
   * @default {30000}
   */
  attemptTimeoutInMs?: number | undefined;
  /** How calls are repeated after a failure that may be temporary. */
  retryOptions?: RetryOptions | undefined;
  /** Limits the HTTP requests to the hub. By default only the number of connections is limited. */
  limits?: CallLimits | undefined;
  /**
   * How many bytes the hub's answer to a call may have, once it is decompressed; up to 256 MiB. The call ends with
   * `InvalidResponse` if there are more, or if an answer that is an error has more than 1 MiB.
   * @default {67108864}
   */
  maxResponseBytes?: number | undefined;
  /**
   * How long a signed token is valid, in seconds. Tokens are renewed before they expire.
   * @default {3600}
   */
  sasTokenTtlInSeconds?: number | undefined;
  /**
   * The scope for which a token credential is asked for tokens. Sovereign clouds use other scopes.
   * @default {"https://iothubs.azure.net/.default"}
   */
  tokenScope?: string | undefined;
  /**
   * A text that is put before this module's name in `User-Agent`.
   * @default {""}
   */
  userAgentPrefix?: string | undefined;
  /**
   * Is called with what the client does, while it does it: calls and their repetitions, waits and answers; tokens; AMQP
   * connections and links. `console.debug` is good for a start. No event holds a secret or anything of a body. A call waits
   * for the function itself, so it should be quick; but neither what it returns nor what it throws has any effect.
   */
  onEvent?: ClientEventListener | undefined;
  /**
   * Makes spans of what the client does: one for each call, with one for each of its attempts within it; one for each
   * message that is sent or received, and for each token and AMQP connection. It is a tracer of `@opentelemetry/api`, or of
   * the same shape.
   */
  tracer?: Tracer | undefined;
  /**
   * Whether each HTTP request and each message tells to which span of `tracer` it belongs: in the header `traceparent`, and
   * in an application property of that name, which counts for the size of the message.
   * @default {false}
   */
  propagateTrace?: boolean | undefined;
}

/** How a client's connections are made. */
export type NetworkOptions = Pick<ClientOptions, "tls" | "proxy">;

/** The check of each option. */
type Checks = { [Name in keyof ClientOptions]-?: (value: NonNullable<ClientOptions[Name]>, name: string) => void };

/** Throws unless each option has the right type and an allowed value. */
export function checkClientOptions(options: ClientOptions): void {
  const checks: Checks = {
    fetch: (value, name) => checkType(name, value, "function"),
    // The hub's paths start at the root of an origin. Only a WebSocket may have another path.
    endpoint: (value, name) => checkEndpoint(name, value, /^https?:\/\/[^/@]+\/$/, "http(s)://host:port"),
    amqpEndpoint(value, name) {
      if (typeof value === "function") return;
      const form = /^(amqps?:\/\/[^/?#@]+\/?|wss?:\/\/[^/@]+\/.*)$/;
      checkEndpoint(name, value, form, "amqp(s)://host:port or ws(s)://host/path");
    },
    transportType: (value, name) => checkChoice(name, value, ["Amqp", "AmqpOverWebSocket"]),
    tls: checkTls,
    proxy: (value, name) =>
      checkEndpoint(name, value, /^https?:\/\/[^/]+\/$/, "a URL such as http://proxy.example:8080"),
    timeoutInMs: checkTimeout,
    attemptTimeoutInMs: checkTimeout,
    retryOptions: resolveRetryOptions,
    limits: checkLimits,
    maxResponseBytes: (value, name) => checkWhole(name, value, 1, MOST_RESPONSE_BYTES),
    sasTokenTtlInSeconds: (value, name) =>
      checkNumber(
        name,
        value,
        (time) => time > 0 && time <= MAX_SAS_TTL_IN_SECONDS,
        `over 0 and at most ${MAX_SAS_TTL_IN_SECONDS}`,
      ),
    tokenScope: (value, name) => checkType(name, value, "string"),
    userAgentPrefix: (value, name) => checkText(name, value, /^[\x20-\x7e]*$/, "printable ASCII"),
    onEvent: (value, name) => checkType(name, value, "function"),
    tracer(value, name) {
      checkType(name, value, "object");
      for (const method of ["startSpan", "startActiveSpan"] as const) {
        checkType(`${name}.${method}`, value[method], "function");
      }
    },
    propagateTrace: (value, name) => checkType(name, value, "boolean"),
  };
  const names = Object.keys(checks);
  checkMembers("options", options, names);
  for (const name of names) {
    const option = name as keyof ClientOptions;
    if (options[option] !== undefined) {
      (checks[option] as (value: unknown, name: string) => void)(options[option], name);
    }
  }
}

function checkTls(tls: { ca?: unknown }, name: string): void {
  checkMembers(name, tls, ["ca"]);
  if (tls.ca !== undefined) { for (const ca of [tls.ca].flat()) checkType(`${name}.ca`, ca, "string"); }
}

/** Throws unless `endpoint` is a URL that, as the runtime normalizes it, matches `form`. */
function checkEndpoint(name: string, endpoint: unknown, form: RegExp, rule: string): void {
  checkType(name, endpoint, "string");
  checkText(name, URL.canParse(endpoint) ? new URL(endpoint).href : "", form, rule);
}
