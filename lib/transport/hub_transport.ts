import type { Client } from "../../gen/client/index.ts";
import { type AnswerRules, readAnswer } from "./http_answer.ts";
import { CallLimiter } from "../timing/call_limiter.ts";
import { causeToShow } from "../errors/shown_cause.ts";
import { type ClientOptions, DEFAULT_ATTEMPT_TIMEOUT_IN_MS, DEFAULT_TIMEOUT_IN_MS } from "../client/client_options.ts";
import type { HubCredential } from "../auth/credential.ts";
import { type Deadline, Deadlines } from "../timing/deadline.ts";
import type { CallSubject } from "./error_response.ts";
import { closed, failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { generatedClient, type GeneratedRequest, type GeneratedResult } from "./generated_client.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { innermostMessage, isCertificateError } from "../errors/network_failure.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { redactText } from "../errors/redaction.ts";
import { secretsOf } from "./wire_secrets.ts";
import { requestPath } from "./request_path.ts";
import { Retries } from "../timing/retry.ts";
import { resolveRetryOptions, type RetryOptions } from "../timing/retry_options.ts";
import { userAgent } from "../client/user_agent.ts";
import {
  answeredAt,
  givenFetchWire,
  globalFetchWire,
  type Wire,
  type WireRequest,
  type WireResponse,
} from "./http_wire.ts";

/** The api-version that the generated operations are for; their types ask for it in every call. */
export const API_VERSION = { "api-version": "2021-04-12" } as const;

/** What a public method says of a call, beside the generated operation's arguments. */
export interface CallFacts extends CallSubject, AnswerRules {
  /** What the call needs at least, whatever the manager's own time-out is. */
  readonly leastTimeoutInMs?: number;
  /**
   * Asked when a repetition was refused although an earlier attempt may have run: gives the result if that attempt did the
   * work, and `undefined` if not.
   */
  readonly findEarlierWrite?: (error: IoTHubError, options: OperationOptions) => Promise<{ data: unknown } | undefined>;
}

/** Who makes calls, and may be closed before the transport is. */
interface Caller {
  readonly isClosed: boolean;
}

/** One call of a public method, on its way through a generated operation to the transport. */
interface HubCall extends CallFacts {
  readonly options: OperationOptions;
  readonly caller: Caller;
  /** A token is replaced once in a call, however many attempts it makes. */
  hasReplacedToken?: boolean;
}

/** What every generated operation is given beside its own arguments. */
export interface GeneratedOptions {
  client: Client;
  query: typeof API_VERSION;
  meta: { call: HubCall };
}

/**
 * The one seam between the hand-written methods and the generated operations. It owns api-version, origin,
 * authentication, time-outs, repetitions, limits and the mapping of errors, for one hub and credential.
 */
export class HubTransport {
  readonly #hostName: string;
  readonly #origin: string;
  readonly #credential: HubCredential;
  readonly #wire: Wire;
  readonly #commonHeaders: Record<string, string> = { Accept: "application/json" };
  readonly #timeoutInMs: number;
  readonly #attemptTimeoutInMs: number;
  readonly #retryOptions: Required<RetryOptions>;
  readonly #limiter: CallLimiter | undefined;
  readonly #client: Client;
  readonly #deadlines = new Deadlines();

  /** `ownWire` is asked for a wire that is better than `fetch` on this runtime. */
  constructor({ hostName, credential }: HubAccess, options: ClientOptions, ownWire?: () => Wire | undefined) {
    this.#hostName = hostName;
    this.#origin = new URL(options.endpoint ?? `https://${hostName}`).origin;
    this.#credential = credential;
    this.#wire = options.fetch !== undefined ? givenFetchWire(options.fetch) : ownWire?.() ?? globalFetchWire();
    const agent = userAgent(options.userAgentPrefix);
    if (agent !== undefined) this.#commonHeaders["User-Agent"] = agent;
    this.#timeoutInMs = options.timeoutInMs ?? DEFAULT_TIMEOUT_IN_MS;
    this.#attemptTimeoutInMs = options.attemptTimeoutInMs ?? DEFAULT_ATTEMPT_TIMEOUT_IN_MS;
    this.#retryOptions = resolveRetryOptions(options.retryOptions);
    this.#limiter = options.limits === undefined ? undefined : new CallLimiter(options.limits);
    this.#client = generatedClient<HubCall>((method, request) => this.#exchange(method, request));
  }

  /** The first half of a generated operation's options; the second are the operation's own arguments. */
  call(facts: CallFacts, options: OperationOptions, caller: Caller): GeneratedOptions {
    return { client: this.#client, query: API_VERSION, meta: { call: { ...facts, options, caller } } };
  }

  /** Ends every call of one caller that is under way. */
  endCalls(caller: Caller): void {
    this.#deadlines.endAll(caller);
  }

  /** Ends every call that is under way and closes the connections. */
  close(): void {
    this.#deadlines.endAll();
    this.#wire.close();
  }

  /** Makes attempts until one of them gives the outcome. */
  async #exchange(method: string, request: GeneratedRequest<HubCall>): Promise<GeneratedResult> {
    const { call } = request.meta;
    // Before any attempt, since a body that JSON cannot carry is the caller's mistake and no failure of the hub.
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const path = requestPath(request.url, request.path, request.query);
    const wireRequest: WireRequest = { method, origin: this.#origin, path, headers: this.#headers(request), body };
    const end = performance.now() + this.#timeoutOf(call);
    let retries: Retries | undefined;
    for (;;) {
      try {
        return await this.#attempt(call, wireRequest, end);
      } catch (error) {
        retries ??= new Retries(this.#retryOptions, call.facts.mayRunTwice);
        const found = retries.mayHaveDone(error) ? await this.#findEarlierWrite(call, error, end) : undefined;
        if (found !== undefined) return found;
        const wait = retries.next(error, end - performance.now());
        if (wait === undefined) throw error;
        // Its end is known to fit; a time-out as well would be a race of two timers.
        await this.#within(call, Infinity, (deadline) => deadline.sleep(wait));
        // A busy process sleeps longer than it meant to.
        if (performance.now() >= end) throw error;
      }
    }
  }

  /** One attempt, when its turn has come. */
  #attempt(call: HubCall, request: WireRequest, end: number): Promise<GeneratedResult> {
    const attempt = (): Promise<GeneratedResult> => {
      const timeoutInMs = this.#attemptTimeoutOf(call, end);
      return this.#within(call, timeoutInMs, (deadline) => this.#ask(call, request, deadline), request);
    };
    return this.#limiter === undefined ? attempt() : this.#inTurn(this.#limiter, call, end, attempt);
  }

  async #inTurn<T>(limiter: CallLimiter, call: HubCall, end: number, attempt: () => Promise<T>): Promise<T> {
    await this.#within(call, end - performance.now(), (deadline) => limiter.enter(deadline));
    try {
      return await attempt();
    } finally {
      limiter.leave();
    }
  }

  /** Signs in, sends, reads the answer. A token that was refused is replaced once. */
  async #ask(call: HubCall, request: WireRequest, deadline: Deadline): Promise<GeneratedResult> {
    const { signedInAs } = this.#credential;
    const authorization = this.#credential.authorization ??
      (await deadline.race(this.#credential.getToken(call))).authorization;
    const answer = await this.#send(request, authorization, deadline);
    if (answer.status !== 401 || call.hasReplacedToken) return readAnswer(call, request, answer, signedInAs);
    call.hasReplacedToken = true;
    const token = await deadline.race(this.#credential.replace(authorization, answeredAt(answer), call));
    const second = token && await this.#send(request, token.authorization, deadline);
    return readAnswer(call, request, second ?? answer, signedInAs);
  }

  #send(request: WireRequest, authorization: string, deadline: Deadline): Promise<WireResponse> {
    request.headers.Authorization = authorization;
    return this.#wire.send(request, deadline);
  }

  /** Runs one step of a call within a time, and names what ended it. */
  async #within<T>(
    call: HubCall,
    timeoutInMs: number,
    step: (deadline: Deadline) => Promise<T>,
    request?: WireRequest,
  ): Promise<T> {
    const deadline = this.#deadlines.start(timeoutInMs, call.options.abortSignal, call.caller);
    try {
      // A deadline that starts now was not there to be ended before.
      this.#throwIfEnded(call);
      return await step(deadline);
    } catch (error) {
      throw this.#failure(call, deadline, timeoutInMs, error, request);
    } finally {
      this.#deadlines.stop(deadline);
    }
  }

  #timeoutOf({ options, leastTimeoutInMs = 0 }: HubCall): number {
    return options.timeoutInMs ?? Math.max(this.#timeoutInMs, leastTimeoutInMs);
  }

  /** A call that can be made again should not wait all its time for one answer that may never come. */
  #attemptTimeoutOf(call: HubCall, end: number): number {
    const remaining = end - performance.now();
    return call.facts.mayRunTwice ? Math.min(remaining, this.#attemptTimeoutInMs) : remaining;
  }

  #headers(request: GeneratedRequest<HubCall>): Record<string, string> {
    const headers = { ...this.#commonHeaders };
    for (const name in request.headers) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = String(value);
    }
    // In place of the generated one, which says nothing of the encoding.
    if (request.body !== undefined) headers["Content-Type"] = "application/json; charset=utf-8";
    return headers;
  }

  async #findEarlierWrite(call: HubCall, error: unknown, end: number): Promise<GeneratedResult | undefined> {
    if (call.findEarlierWrite === undefined || !(error instanceof IoTHubError)) return undefined;
    const options = { abortSignal: call.options.abortSignal, timeoutInMs: Math.max(1, end - performance.now()) };
    // What was refused stays refused when nothing can be found out about it.
    const found = await call.findEarlierWrite(error, options).catch(() => undefined);
    this.#throwIfEnded(call);
    return found && { data: found.data, response: { status: 200, headers: { get: () => null } } };
  }

  /** Throws what has ended the call from outside: its caller's signal, or close(). */
  #throwIfEnded(call: HubCall): void {
    const { abortSignal } = call.options;
    // A signal of a polyfill may have no reason; an error is thrown all the same.
    if (abortSignal?.aborted) throw abortSignal.reason ?? new DOMException("The call was aborted", "AbortError");
    if (call.caller.isClosed) throw closed(call);
  }

  /** The error of a step that failed: its own, or what ended it. */
  #failure(call: HubCall, deadline: Deadline, timeoutInMs: number, error: unknown, request?: WireRequest): IoTHubError {
    this.#throwIfEnded(call);
    if (error instanceof IoTHubError) return error;
    if (deadline.hasExpired) {
      const reason = `no answer within ${Math.round(timeoutInMs)} ms; it may have been carried out all the same`;
      return failure(call, "Timeout", reason, { retryable: true });
    }
    const secrets = request === undefined ? [] : secretsOf(request);
    const reason = redactText(innermostMessage(error), secrets);
    return failure(call, "NetworkError", `${this.#hostName} could not be reached (${reason})`, {
      retryable: !isCertificateError(error),
      cause: causeToShow(error, secrets),
    });
  }
}
