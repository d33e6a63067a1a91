import type { Client } from "../../gen/client/index.ts";
import { type AnswerRules, readAnswer } from "./http_answer.ts";
import { CallLimiter, DEFAULT_MAX_SOCKETS } from "../timing/call_limiter.ts";
import { causeToShow } from "../errors/shown_cause.ts";
import {
  type ClientOptions,
  DEFAULT_ATTEMPT_TIMEOUT_IN_MS,
  DEFAULT_MAX_RESPONSE_BYTES,
  DEFAULT_TIMEOUT_IN_MS,
} from "../client/client_options.ts";
import type { HubCredential } from "../auth/credential.ts";
import { type Deadline, Deadlines, throwIfAborted } from "../timing/deadline.ts";
import { type CallSubject, type HubFacts, MAY_HAVE_RUN } from "./error_response.ts";
import { closed, failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { generatedClient, type GeneratedRequest, type GeneratedResult } from "./generated_client.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { throughProxy } from "../client/proxy_name.ts";
import { innermostMessage, isBeforeSending, isForbidden, remedyFor } from "../errors/network_failure.ts";
import { type OperationOptions, OWN_PATIENCE, type OwnPatience } from "../timing/operation_options.ts";
import { redactText, shorten } from "../errors/redaction.ts";
import { secretsOf } from "./wire_secrets.ts";
import { queryText, requestPath } from "./request_path.ts";
import type { Sight } from "../sight/sight.ts";
import type { WatchedCall } from "../sight/watched_call.ts";
import { Retries } from "../timing/retry.ts";
import { type ResolvedRetryOptions, resolveRetryOptions } from "../timing/retry_options.ts";
import { userAgent } from "../client/user_agent.ts";
import {
  answeredAt,
  givenFetchWire,
  globalFetchWire,
  type OwnWire,
  type Wire,
  type WireRequest,
  type WireResponse,
} from "./http_wire.ts";

/** The api-version of the generated operations, whose types require it in every call. */
export const API_VERSION = { "api-version": "2021-04-12" } as const;

/** The query of calls that have no other parameters, which are most. */
const VERSION_QUERY: string = /* @__PURE__ */ queryText(API_VERSION);

/** What a public method tells the transport about a call, in addition to the generated operation's arguments. */
export interface CallFacts extends CallSubject, AnswerRules {
  /** The time that the call needs at least, in milliseconds, even if the client's time-out is shorter. */
  readonly leastTimeoutInMs?: number;
  /**
   * Called when a repetition was refused, possibly because an earlier attempt has already done the work. Returns the result
   * if it has, and `undefined` if not.
   */
  readonly findEarlierWrite?: (error: IoTHubError, options: OperationOptions) => Promise<{ data: unknown } | undefined>;
}

/** Who makes calls, and may be closed before the transport is. */
export interface Caller {
  readonly isClosed: boolean;
}

/** One call of a public method, on its way through a generated operation to the transport. */
export interface HubCall extends CallFacts {
  readonly options: OwnPatience;
  readonly caller: Caller;
  /** Whether the call has replaced its token, which it does only once, however many attempts it makes. */
  hasReplacedToken?: boolean;
  /** Is told of each step, if anybody wants to know. */
  watched?: WatchedCall;
}

/** The options that every generated operation gets in addition to its arguments. */
export interface GeneratedOptions {
  client: Client;
  query: typeof API_VERSION;
  meta: { call: HubCall };
}

/**
 * The seam between the hand-written methods and the generated operations. For one hub and credential it takes care of the
 * api-version, the origin, authentication, time-outs, repetitions, limits and errors.
 */
export class HubTransport {
  readonly #hostName: string;
  readonly #origin: string;
  readonly #facts: HubFacts;
  readonly #credential: HubCredential;
  readonly #sight: Sight | undefined;
  readonly #wire: Wire;
  readonly #commonHeaders: Record<string, string> = { Accept: "application/json" };
  readonly #timeoutInMs: number;
  readonly #attemptTimeoutInMs: number;
  readonly #maxResponseBytes: number;
  readonly #retryOptions: ResolvedRetryOptions;
  readonly #limiters: readonly CallLimiter[];
  /** Those of calls that may wait for minutes, which must not hold up others. */
  readonly #limitersOfSlowCalls: readonly CallLimiter[];
  readonly #client: Client;
  readonly #deadlines = new Deadlines();

  /** `ownWire` returns a wire that is better than `fetch`, if the runtime has one. */
  constructor({ hostName, credential, sight }: HubAccess, options: ClientOptions, ownWire?: OwnWire) {
    this.#hostName = hostName;
    this.#origin = new URL(options.endpoint ?? `https://${hostName}`).origin;
    this.#credential = credential;
    this.#sight = sight;
    this.#wire = options.fetch !== undefined
      ? givenFetchWire(options.fetch)
      : ownWire?.(options) ?? globalFetchWire(options);
    // A fetch that was given knows its own way.
    this.#facts = { credential, proxy: options.fetch === undefined ? options.proxy : undefined };
    const agent = userAgent(options.userAgentPrefix);
    if (agent !== undefined) this.#commonHeaders["User-Agent"] = agent;
    this.#timeoutInMs = options.timeoutInMs ?? DEFAULT_TIMEOUT_IN_MS;
    this.#attemptTimeoutInMs = options.attemptTimeoutInMs ?? DEFAULT_ATTEMPT_TIMEOUT_IN_MS;
    this.#maxResponseBytes = options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
    this.#retryOptions = resolveRetryOptions(options.retryOptions);
    const limits = options.limits === undefined ? [] : [new CallLimiter(options.limits)];
    const maxConcurrentRequests = options.limits?.maxSockets ?? DEFAULT_MAX_SOCKETS;
    const withSockets = (): CallLimiter[] =>
      this.#wire.opensMany ? [new CallLimiter({ maxConcurrentRequests }), ...limits] : limits;
    this.#limiters = withSockets();
    this.#limitersOfSlowCalls = withSockets();
    this.#client = generatedClient<HubCall>((method, request) => this.#exchange(method, request));
  }

  /** Returns the options of a generated operation, except its arguments. */
  call(call: HubCall): GeneratedOptions {
    return { client: this.#client, query: API_VERSION, meta: { call } };
  }

  /** Ends every call of one caller that is in progress. */
  endCalls(caller: Caller): void {
    this.#deadlines.endAll(caller);
  }

  /** Ends every call that is in progress, and closes the connections. */
  close(): void {
    this.#deadlines.endAll();
    this.#deadlines.close();
    this.#wire.close();
  }

  /** Prepares the request of a call, and makes the call. */
  #exchange(method: string, request: GeneratedRequest<HubCall>): Promise<GeneratedResult> {
    const { call } = request.meta;
    // This comes before any attempt, since a body that JSON cannot represent is the caller's mistake, not a failure.
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const wireRequest: WireRequest = {
      method,
      origin: this.#origin,
      path: requestPath(request.url, request.path) +
        (request.query === API_VERSION ? VERSION_QUERY : queryText(request.query)),
      route: request.url,
      headers: this.#headers(request),
      body,
      maxResponseBytes: this.#maxResponseBytes,
    };
    if (this.#sight === undefined) return this.#repeat(call, wireRequest);
    return this.#sight.watch(call, "http", (watched) => {
      call.watched = watched;
      return this.#repeat(call, wireRequest);
    });
  }

  /** Makes attempts until one succeeds, or fails for good. */
  async #repeat(call: HubCall, request: WireRequest): Promise<GeneratedResult> {
    let now = performance.now();
    const end = now + this.#timeoutOf(call);
    let retries: Retries | undefined;
    for (;;) {
      try {
        return await this.#attempt(call, request, now, end);
      } catch (error) {
        retries ??= new Retries(this.#retryOptions);
        const found = retries.mayHaveDone(error) ? await this.#findEarlierWrite(call, error, end) : undefined;
        if (found !== undefined) return found;
        const patience = call.options[OWN_PATIENCE];
        const isLeft = patience && (error as Partial<IoTHubError>)?.statusCode === 429;
        const wait = isLeft ? undefined : retries.next(error, end - performance.now());
        if (wait === undefined) throw error;
        call.watched?.waits({ error, waitInMs: wait });
        // The wait is known to end in time. With a time-out as well, two timers would race.
        const waiting = this.#within(call, Infinity, (deadline) => deadline.sleep(wait));
        await (patience?.(waiting) ?? waiting);
        // A busy process may wake up late.
        now = performance.now();
        if (now >= end) throw error;
      }
    }
  }

  /** Makes one attempt, as soon as the limits allow. Its steps stand in one method, since each `await` of a call counts. */
  async #attempt(call: HubCall, request: WireRequest, now: number, end: number): Promise<GeneratedResult> {
    const limiters = call.leastTimeoutInMs === undefined ? this.#limiters : this.#limitersOfSlowCalls;
    let entered = 0;
    let deadline: Deadline | undefined;
    let started = now;
    try {
      for (const limiter of limiters) {
        if (!limiter.tryEnter()) {
          await this.#waitForTurn(limiter, call, request, end);
          // This wait does not count as time of the attempt.
          started = performance.now();
        }
        entered++;
      }
      // A call that may run twice should not spend all its time on one lost answer.
      const due = call.facts.mayRunTwice ? Math.min(started + this.#attemptTimeoutInMs, end) : end;
      deadline = this.#deadlines.start(due, call.options.abortSignal, call.caller);
      this.#throwIfEnded(call);
      const authorization = this.#credential.authorization ??
        (await deadline.race(this.#credential.getToken(call))).authorization;
      const answer = await this.#send(call, request, authorization, deadline);
      const last = answer.status === 401
        ? await this.#sendWithOtherToken(call, request, authorization, answer, deadline)
        : answer;
      return readAnswer(call, request, last, this.#facts);
    } catch (error) {
      throw deadline === undefined ? error : this.#failure(call, deadline, started, error, request);
    } finally {
      if (deadline !== undefined) this.#deadlines.stop(deadline);
      for (let index = 0; index < entered; index++) limiters[index]!.leave();
    }
  }

  async #waitForTurn(limiter: CallLimiter, call: HubCall, request: WireRequest, end: number): Promise<void> {
    call.watched?.waits();
    await this.#within(call, end, (deadline) => limiter.enter(deadline), request);
  }

  /** Sends a request again whose token was refused, unless there is no other. A call does this once. */
  async #sendWithOtherToken(
    call: HubCall,
    request: WireRequest,
    refused: string,
    answer: WireResponse,
    deadline: Deadline,
  ): Promise<WireResponse> {
    if (call.hasReplacedToken) return answer;
    call.hasReplacedToken = true;
    const token = await deadline.race(this.#credential.replace(refused, answeredAt(answer), call));
    return token === undefined ? answer : await this.#send(call, request, token.authorization, deadline);
  }

  #send(call: HubCall, request: WireRequest, authorization: string, deadline: Deadline): Promise<WireResponse> {
    request.headers["Authorization"] = authorization;
    return call.watched === undefined
      ? this.#wire.send(request, deadline)
      : this.#sendWatched(call.watched, request, deadline);
  }

  async #sendWatched(watched: WatchedCall, request: WireRequest, deadline: Deadline): Promise<WireResponse> {
    const { method, origin, path, route } = request;
    watched.sent({ method, url: origin + path, route });
    Object.assign(request.headers, watched.context);
    const answer = await this.#wire.send(request, deadline);
    const requestId = answer.headers.get("x-ms-request-id");
    watched.answered({
      status: answer.status,
      // Whatever answers may repeat what it was sent.
      ...(requestId !== null && { requestId: shorten(redactText(requestId, secretsOf(request))) }),
    });
    return answer;
  }

  /** Waits for something else than an attempt, with a time-out. If it fails, it throws the error that says why. */
  async #within<T>(
    call: HubCall,
    due: number,
    step: (deadline: Deadline) => Promise<T>,
    request?: WireRequest,
  ): Promise<T> {
    const started = performance.now();
    const deadline = this.#deadlines.start(due, call.options.abortSignal, call.caller);
    try {
      // The call may have been ended before this deadline started.
      this.#throwIfEnded(call);
      return await step(deadline);
    } catch (error) {
      throw this.#failure(call, deadline, started, error, request);
    } finally {
      this.#deadlines.stop(deadline);
    }
  }

  #timeoutOf({ options, leastTimeoutInMs = 0 }: HubCall): number {
    return options.timeoutInMs ?? Math.max(this.#timeoutInMs, leastTimeoutInMs);
  }

  #headers(request: GeneratedRequest<HubCall>): Record<string, string> {
    const headers = { ...this.#commonHeaders };
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      if (value !== undefined) headers[name] = String(value);
    }
    // This replaces the generated value, which does not name the encoding.
    if (request.body !== undefined) headers["Content-Type"] = "application/json; charset=utf-8";
    return headers;
  }

  async #findEarlierWrite(call: HubCall, error: unknown, end: number): Promise<GeneratedResult | undefined> {
    if (call.findEarlierWrite === undefined || !(error instanceof IoTHubError)) return undefined;
    const options = { abortSignal: call.options.abortSignal, timeoutInMs: Math.max(1, end - performance.now()) };
    // If the check fails too, the call fails with the original error.
    const found = await call.findEarlierWrite(error, options).catch((): undefined => undefined);
    this.#throwIfEnded(call);
    return found && { data: found.data, response: { status: 200, headers: { get: () => null } } };
  }

  /** Throws if the call was ended from outside, by its abort signal or by close(). */
  #throwIfEnded(call: HubCall): void {
    throwIfAborted(call.options.abortSignal);
    if (call.caller.isClosed) throw closed(call);
  }

  /** Returns the error for a step that failed, or throws the reason why the call was ended from outside. */
  #failure(call: HubCall, deadline: Deadline, started: number, error: unknown, request?: WireRequest): IoTHubError {
    this.#throwIfEnded(call);
    if (error instanceof IoTHubError) return error;
    const isSent = request?.isSent === true && !isBeforeSending(error);
    const mayBeRepeated = call.facts.mayRunTwice || !isSent;
    if (deadline.hasExpired) {
      const time = `within ${Math.round(deadline.due - started)} ms`;
      const reason = isSent
        ? `no answer ${time}; ${MAY_HAVE_RUN}`
        : `nothing was sent ${time}, as it waited for a token, for its turn or for a connection`;
      return failure(call, "Timeout", reason, { retryable: mayBeRepeated });
    }
    const secrets = request === undefined ? [] : secretsOf(request);
    const why = redactText(innermostMessage(error), secrets);
    const remedy = remedyFor(error);
    const place = this.#hostName + throughProxy(this.#facts.proxy);
    const reason = isSent
      ? `the connection to ${place} failed before the whole answer came (${why}); ${MAY_HAVE_RUN}`
      : `${place} could not be reached (${why})${remedy ? `; ${remedy}` : ""}`;
    return failure(call, isForbidden(error) ? "PermissionDenied" : "NetworkError", reason, {
      retryable: mayBeRepeated && remedy === undefined,
      cause: causeToShow(error, secrets),
    });
  }
}
