import { DEFAULT_TIMEOUT_IN_MS } from "../client/client_options.ts";
import { closed, type FailedCall, failure } from "../errors/failures.ts";
import type { IoTHubError } from "../errors/errors.ts";
import { innermostMessage, isForbidden } from "../errors/network_failure.ts";
import { Deadline, Deadlines, throwIfAborted } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import type { SeenCall, Sight } from "../sight/sight.ts";
import type { ClientView } from "../transport/client_view.ts";
import type { OperationFacts } from "../transport/operations.ts";
import type { HubPart } from "../transport/shared_hub.ts";
import { C2D_ADDRESS, type C2dMessage } from "./c2d_message.ts";
import type { CallOptions, MessageConnection, MessageReceiver } from "./message_connection.ts";

/** Does something on the connection for a call. */
type Open<T> = (connection: MessageConnection, call: CallOptions) => T | Promise<T>;

/**
 * Sends and receives messages for all clients of one hub. This is the one place where every such call begins and ends. The
 * code of the connection is loaded with the first call.
 */
export class MessageChannel implements HubPart {
  readonly #timeoutInMs: number;
  /** Is told what happens, if anybody wants to know. */
  readonly sight: Sight | undefined;
  readonly #open: () => Promise<MessageConnection>;
  #connection: Promise<MessageConnection> | undefined;
  #loaded: MessageConnection | undefined;
  /**
   * The calls of clients that share the connection of another. (AbortSignal.any would join two signals as well, but on Node 22
   * it leaves something in a caller's long-lived signal with each call, and it takes no polyfill's.)
   */
  readonly #deadlines = new Deadlines();
  /** What ends such calls when their client is closed. */
  readonly #clientClosed = new DOMException("The client is closed", "AbortError");
  /** How many calls wait for the loading; later ones must not overtake them. */
  #waiting = 0;

  /**
   * @param timeoutInMs How long a call may take if it has no time-out of its own, in milliseconds.
   * @param sight Is told what happens, if anybody wants to know.
   * @param open Loads the code of the connection, and creates the connection.
   */
  constructor(
    timeoutInMs: number = DEFAULT_TIMEOUT_IN_MS,
    sight: Sight | undefined,
    open: () => Promise<MessageConnection>,
  ) {
    this.#timeoutInMs = timeoutInMs;
    this.sight = sight;
    this.#open = open;
  }

  /** Sends a message for a client, and resolves when the hub has accepted it. It may throw as well as reject. */
  send(client: ClientView, operation: OperationFacts, message: C2dMessage, options: OperationOptions): Promise<void> {
    checkOptions(options, operation.options);
    const call = { operation: operation.name, ...message.target };
    throwIfEnded(client, call, options);
    return this.#watch(
      { ...call, facts: operation, destination: C2D_ADDRESS },
      this.#facts(call, options),
      (facts) => this.#sendFor(client, message, facts),
    );
  }

  #sendFor(client: ClientView, message: C2dMessage, facts: CallOptions): Promise<void> {
    if (client.isFirst) return this.#send(message, facts);
    const deadline = this.#deadlines.start(Infinity, facts.abortSignal, client);
    return this.#send(message, { ...facts, abortSignal: deadline.signal })
      .catch((error) => {
        throw this.#endOf(facts, error);
      })
      .finally(() => this.#deadlines.stop(deadline));
  }

  /**
   * Opens a receiver for a client. The caller must close it.
   *
   * @param open Opens it on the connection.
   */
  async openReceiver<T>(
    client: ClientView,
    operation: OperationFacts,
    options: OperationOptions,
    open: Open<MessageReceiver<T>>,
  ): Promise<MessageReceiver<T>> {
    const call = { operation: operation.name };
    throwIfEnded(client, call, options);
    const facts = this.#facts(call, options);
    if (client.isFirst) return this.#onConnection(facts, open);
    const deadline = this.#deadlines.start(Infinity, options.abortSignal, client);
    try {
      const receiver = await this.#onConnection({ ...facts, abortSignal: deadline.signal }, open);
      return {
        next: (maxWaitInMs) =>
          receiver.next(maxWaitInMs).catch((error) => {
            throw this.#endOf(call, error);
          }),
        close: () => {
          receiver.close();
          this.#deadlines.stop(deadline);
        },
      };
    } catch (error) {
      this.#deadlines.stop(deadline);
      throw this.#endOf(call, error);
    }
  }

  /** Asks something for a client. */
  async ask<T>(client: ClientView, operation: OperationFacts, options: OperationOptions, ask: Open<T>): Promise<T> {
    checkOptions(options, operation.options);
    const call = { operation: operation.name };
    throwIfEnded(client, call, options);
    return await this.#watch(
      { ...call, facts: operation },
      this.#facts(call, options),
      (facts) => this.#askFor(client, facts, ask),
    );
  }

  async #askFor<T>(client: ClientView, facts: CallOptions, ask: Open<T>): Promise<T> {
    const deadline = this.#deadlines.start(Infinity, facts.abortSignal, client);
    try {
      return await this.#onConnection({ ...facts, abortSignal: deadline.signal }, ask);
    } catch (error) {
      throw this.#endOf(facts, error);
    } finally {
      this.#deadlines.stop(deadline);
    }
  }

  /** Ends the sends and the receivers of a client that shares the connection of another: the connection goes on. */
  endCalls(client: ClientView): void {
    this.#deadlines.endAll(client, this.#clientClosed);
  }

  /** Fails the sends and the receivers that still wait, and closes the connection. */
  async close(): Promise<void> {
    await (await this.#connection?.catch((): undefined => undefined))?.close();
  }

  /** Makes a call, and tells of it if anybody wants to know. */
  #watch<T>(call: SeenCall, facts: CallOptions, make: (facts: CallOptions) => Promise<T>): Promise<T> {
    if (this.sight === undefined) return make(facts);
    return this.sight.watch(call, "amqp", (watched) => make({ ...facts, watched }));
  }

  #facts(call: FailedCall, { timeoutInMs = this.#timeoutInMs, abortSignal }: OperationOptions): CallOptions {
    return abortSignal === undefined ? { ...call, timeoutInMs } : { ...call, timeoutInMs, abortSignal };
  }

  #send(message: C2dMessage, facts: CallOptions): Promise<void> {
    const connection = this.#atHand;
    return connection !== undefined
      ? connection.send(message, facts)
      : this.#load(facts).then((loaded) => loaded.send(message, facts));
  }

  async #onConnection<T>(facts: CallOptions, open: Open<T>): Promise<T> {
    return await open(this.#atHand ?? await this.#load(facts), facts);
  }

  /** The error of a call of such a client: `Closed` where it was the client's end that has ended it. */
  #endOf(call: FailedCall, error: unknown): unknown {
    return error === this.#clientClosed ? closed(call) : error;
  }

  /** The connection, where it is loaded and nobody waits for it any more. */
  get #atHand(): MessageConnection | undefined {
    return this.#waiting === 0 ? this.#loaded : undefined;
  }

  /** Loads the connection. This takes a while, so the call's signal can abort the wait. */
  async #load(call: CallOptions): Promise<MessageConnection> {
    const connection = this.#connection ??= this.#openOnce();
    const deadline = new Deadline(Infinity, call.abortSignal);
    this.#waiting++;
    try {
      return this.#loaded = await deadline.race(connection);
    } catch (error) {
      throw isForbidden(error) ? notAllowedToLoad(call, error) : error;
    } finally {
      // This runs right before the caller continues.
      queueMicrotask(() => this.#waiting--);
      deadline.release();
    }
  }

  /** Creates the connection. If this fails, the next call tries again. */
  async #openOnce(): Promise<MessageConnection> {
    try {
      return await this.#open();
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}

/** Throws if a call has ended before it began, because its signal was aborted or its client closed. */
function throwIfEnded(client: ClientView, call: FailedCall, { abortSignal }: OperationOptions): void {
  throwIfAborted(abortSignal);
  if (client.isClosed) throw closed(call);
}

/** The error where Deno does not let the AMQP library load. */
function notAllowedToLoad(call: FailedCall, cause: unknown): IoTHubError {
  const message = innermostMessage(cause);
  const remedy = /--allow-env/.test(message)
    ? "; --ignore-env does as well: it wants settings that need not be there"
    : "";
  const reason = `the AMQP library for messages cannot be loaded (${message})${remedy}`;
  return failure(call, "PermissionDenied", reason, { cause });
}
