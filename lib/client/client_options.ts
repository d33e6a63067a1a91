import { type CallLimits, checkLimits } from "../timing/call_limiter.ts";
import { checkTimeout } from "../timing/deadline.ts";
import { checkChoice, checkNumber, checkText, checkType } from "../values/checks.ts";
import { resolveRetryOptions, type RetryOptions } from "../timing/retry_options.ts";
import { MAX_SAS_TTL_IN_SECONDS } from "../auth/sas_token.ts";

/** How long a call may take when nothing else is said. */
export const DEFAULT_TIMEOUT_IN_MS = 100_000;

/** How long one attempt of a call may take that can be made again. */
export const DEFAULT_ATTEMPT_TIMEOUT_IN_MS = 30_000;

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

/** What each option must be. */
type Checks = { [Name in keyof ClientOptions]-?: (value: NonNullable<ClientOptions[Name]>, name: string) => void };

/** Throws unless each option is what it should be. */
export function checkClientOptions(options: ClientOptions): void {
  checkType("options", options, "object");
  const checks: Checks = {
    fetch: (value, name) => checkType(name, value, "function"),
    // A hub's paths begin at the root; only a WebSocket may be found elsewhere.
    endpoint: (value, name) => checkEndpoint(name, value, /^https?:\/\/[^/@]+\/$/, "http(s)://host:port"),
    amqpEndpoint(value, name) {
      if (typeof value === "function") return;
      const form = /^(amqps?:\/\/[^/?#@]+\/?|wss?:\/\/[^/@]+\/.*)$/;
      checkEndpoint(name, value, form, "amqp(s)://host:port or ws(s)://host/path");
    },
    transportType: (value, name) => checkChoice(name, value, ["Amqp", "AmqpOverWebSocket"]),
    amqpTls: (value, name) => checkType(name, value, "object"),
    timeoutInMs: checkTimeout,
    attemptTimeoutInMs: checkTimeout,
    retryOptions: resolveRetryOptions,
    limits: checkLimits,
    sasTokenTtlInSeconds: (value, name) =>
      checkNumber(
        name,
        value,
        (time) => time > 0 && time <= MAX_SAS_TTL_IN_SECONDS,
        `over 0 and at most ${MAX_SAS_TTL_IN_SECONDS}`,
      ),
    tokenScope: (value, name) => checkType(name, value, "string"),
    userAgentPrefix: (value, name) => checkText(name, value, /^[\x20-\x7e]*$/, "printable ASCII"),
  };
  for (const name in checks) {
    const option = name as keyof ClientOptions;
    if (options[option] !== undefined) {
      (checks[option] as (value: unknown, name: string) => void)(options[option], name);
    }
  }
}

/** Throws unless a text is a URL whose normal spelling, as the runtime gives it, is of a form. */
function checkEndpoint(name: string, endpoint: unknown, form: RegExp, rule: string): void {
  checkType(name, endpoint, "string");
  checkText(name, URL.canParse(endpoint) ? new URL(endpoint).href : "", form, rule);
}
