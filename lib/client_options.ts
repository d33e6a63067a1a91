import { type CallLimits, checkLimits } from "./call_limiter.ts";
import { checkTimeout } from "./deadline.ts";
import { checkNumber, checkType, quote } from "./identifiers.ts";
import { resolveRetryOptions, type RetryOptions } from "./retry_options.ts";
import { MAX_SAS_TTL_IN_SECONDS } from "./sas_token.ts";

/** How a manager reaches its hub. Everything is optional. */
export interface ClientOptions {
  /** A function of the shape of the global `fetch`, used for every HTTP request instead of the runtime's own means. */
  fetch?: (url: string, init?: RequestInit) => Promise<Response>;
  /**
   * The origin to call, such as `https://localhost:8443`. SAS tokens are still made for the hub's host name.
   * @default {"https://<HostName>"}
   */
  endpoint?: string;
  /**
   * Where to send messages: `amqps://host:port`, `amqp://host:port`, `wss://…` or `ws://…`, or a function that says so
   * when the first message is sent.
   */
  amqpEndpoint?: string | (() => Promise<string>);
  /**
   * The transport for messages, where `amqpEndpoint` does not decide it.
   * @default {"Amqp"} where the runtime has TCP sockets, else `"AmqpOverWebSocket"`
   */
  transportType?: "Amqp" | "AmqpOverWebSocket";
  /** Certificates of the authorities to trust for messages, PEM, instead of those the runtime trusts. */
  amqpTls?: { ca?: string | string[] };
  /**
   * How long a call may take in all, in milliseconds, unless its own options say otherwise. A direct method gets at
   * least its response and connect time-outs.
   * @default {100000}
   */
  timeoutInMs?: number;
  /**
   * How long one attempt of a call may take, in milliseconds, if the call can be repeated.
   * @default {30000}
   */
  attemptTimeoutInMs?: number;
  /** How calls are repeated that failed for a reason that may pass. */
  retryOptions?: RetryOptions;
  /** How much is asked of the hub at once; without limits when left out. */
  limits?: CallLimits;
  /**
   * How long a signed token lives, in seconds. It is renewed in time.
   * @default {3600}
   */
  sasTokenTtlInSeconds?: number;
  /**
   * The scope asked of a token credential. Sovereign clouds have others.
   * @default {"https://iothubs.azure.net/.default"}
   */
  tokenScope?: string;
  /** Put in front of this module's own name in `User-Agent`. */
  userAgentPrefix?: string;
}

/** Throws unless each option is what it should be. */
export function checkClientOptions(options: ClientOptions): void {
  checkType("options", options, "object");
  const { fetch, endpoint, amqpEndpoint, transportType, amqpTls, sasTokenTtlInSeconds, tokenScope, userAgentPrefix } =
    options;
  if (fetch !== undefined) checkType("fetch", fetch, "function");
  if (endpoint !== undefined) checkEndpoint("endpoint", endpoint, ["https:", "http:"], "https://localhost:8443");
  if (amqpEndpoint !== undefined && typeof amqpEndpoint !== "function") {
    checkEndpoint("amqpEndpoint", amqpEndpoint, ["amqps:", "amqp:", "wss:", "ws:"], "amqps://localhost:5671");
  }
  if (transportType !== undefined && transportType !== "Amqp" && transportType !== "AmqpOverWebSocket") {
    throw new RangeError(
      `Cannot use transportType ${quote(String(transportType))}: expected "Amqp" or "AmqpOverWebSocket"`,
    );
  }
  if (amqpTls !== undefined) checkType("amqpTls", amqpTls, "object");
  if (options.timeoutInMs !== undefined) checkTimeout(options.timeoutInMs);
  if (options.attemptTimeoutInMs !== undefined) checkTimeout(options.attemptTimeoutInMs, "attemptTimeoutInMs");
  resolveRetryOptions(options.retryOptions);
  if (options.limits !== undefined) checkLimits(options.limits);
  if (sasTokenTtlInSeconds !== undefined) {
    checkNumber(
      "sasTokenTtlInSeconds",
      sasTokenTtlInSeconds,
      (time) => time > 0 && time <= MAX_SAS_TTL_IN_SECONDS,
      `over 0 and at most ${MAX_SAS_TTL_IN_SECONDS}`,
    );
  }
  if (tokenScope !== undefined) checkType("tokenScope", tokenScope, "string");
  if (userAgentPrefix !== undefined) {
    checkType("userAgentPrefix", userAgentPrefix, "string");
    if (!/^[\x20-\x7e]*$/.test(userAgentPrefix)) {
      throw new RangeError("Cannot use userAgentPrefix: a header carries printable ASCII only");
    }
  }
}

function checkEndpoint(name: string, endpoint: unknown, protocols: readonly string[], example: string): void {
  checkType(name, endpoint, "string");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !protocols.includes(url.protocol) || url.username !== "" || url.password !== "") {
    throw new RangeError(
      `Cannot use ${name}: it must be a URL with ${protocols.join(" or ")} and without credentials, such as ${example}`,
    );
  }
  // A hub's paths begin at the root; only a WebSocket may be found elsewhere.
  const hasPath = !["", "/"].includes(url.pathname) || url.search !== "" || url.hash !== "";
  if (hasPath && !url.protocol.startsWith("ws")) {
    throw new RangeError(`Cannot use ${name}: it must have no path, query or fragment, such as ${example}`);
  }
}
