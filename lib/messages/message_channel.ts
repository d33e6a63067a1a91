import { DEFAULT_TIMEOUT_IN_MS } from "../client/client_options.ts";
import { closed } from "../errors/failures.ts";
import { Deadline } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import type { ClientView } from "../transport/client_view.ts";
import type { OperationFacts } from "../transport/operations.ts";
import type { HubPart } from "../transport/shared_hub.ts";
import type { C2dMessage } from "./c2d_message.ts";
import type { MessageConnection, MessageReceiver, SendOptions } from "./message_connection.ts";

/**
 * Sends and receives messages for all clients of one hub. This is the one place where every such call begins and ends. The
 * code of the connection is loaded with the first call.
 */
export class MessageChannel implements HubPart {
  readonly #timeoutInMs: number;
  readonly #open: () => Promise<MessageConnection>;
  #connection: Promise<MessageConnection> | undefined;
  #loaded: MessageConnection | undefined;
  /** How many calls are waiting for the connection to be loaded. Later calls must not overtake them. */
  #waiting = 0;

  /**
   * @param timeoutInMs How long a call may take if it has no time-out of its own, in milliseconds.
   * @param open Loads the code of the connection, and creates the connection.
   */
  constructor(timeoutInMs: number = DEFAULT_TIMEOUT_IN_MS, open: () => Promise<MessageConnection>) {
    this.#timeoutInMs = timeoutInMs;
    this.#open = open;
  }

  /** Sends a message for a client, and resolves when the hub has accepted it. It may throw as well as reject. */
  send(client: ClientView, operation: OperationFacts, message: C2dMessage, options: OperationOptions): Promise<void> {
    checkOptions(options);
    throwIfEnded(client, operation, options);
    const facts = this.#facts(client, operation, options);
    const connection = this.#atHand;
    const sent = connection !== undefined
      ? connection.send(message, facts)
      : this.#load(facts).then((loaded) => loaded.send(message, facts));
    return client.isFirst ? sent : sent.catch((error) => {
      throw endOf(client, operation, error);
    });
  }

  /** Opens a client's receiver for one of the hub's queues. The caller must close it. */
  async openReceiver(
    client: ClientView,
    operation: OperationFacts,
    address: string,
    options: OperationOptions,
  ): Promise<MessageReceiver> {
    throwIfEnded(client, operation, options);
    const facts = this.#facts(client, operation, options);
    try {
      const connection = this.#atHand ?? await this.#load(facts);
      const receiver = connection.openReceiver({ ...facts, address });
      if (client.isFirst) return receiver;
      const next: MessageReceiver["next"] = (maxWaitInMs) =>
        receiver.next(maxWaitInMs).catch((error) => {
          throw endOf(client, operation, error);
        });
      return { next, close: () => receiver.close() };
    } catch (error) {
      throw endOf(client, operation, error);
    }
  }

  /** Rejects the sends and receivers that are still waiting, and closes the connection. */
  async close(): Promise<void> {
    await (await this.#connection?.catch(() => undefined))?.close();
  }

  #facts(client: ClientView, operation: OperationFacts, options: OperationOptions): SendOptions {
    const { timeoutInMs = this.#timeoutInMs } = options;
    const abortSignal = signalFor(client, options.abortSignal);
    return abortSignal === undefined
      ? { operation: operation.name, timeoutInMs }
      : { operation: operation.name, timeoutInMs, abortSignal };
  }

  /** The connection, if it is loaded and no earlier call is still waiting for it. */
  get #atHand(): MessageConnection | undefined {
    return this.#waiting === 0 ? this.#loaded : undefined;
  }

  /** Loads the connection. This takes a while, so the call's signal can abort the wait. */
  async #load({ abortSignal }: SendOptions): Promise<MessageConnection> {
    const connection = this.#connection ??= this.#openOnce();
    const deadline = new Deadline(Infinity, abortSignal);
    this.#waiting++;
    try {
      return this.#loaded = await deadline.race(connection);
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
function throwIfEnded(client: ClientView, operation: OperationFacts, { abortSignal }: OperationOptions): void {
  abortSignal?.throwIfAborted();
  if (client.isClosed) throw closed({ operation: operation.name });
}

/**
 * Returns the signal that ends a call. It includes the signal of a client that shares another client's connection, since
 * closing that client must end its calls while the connection stays open.
 */
function signalFor(client: ClientView, outer: AbortSignal | undefined): AbortSignal | undefined {
  if (client.isFirst) return outer;
  return outer === undefined ? client.signal : AbortSignal.any([outer, client.signal]);
}

/** Returns the error of a call of such a client, which is `Closed` if closing the client has ended the call. */
function endOf(client: ClientView, operation: OperationFacts, error: unknown): unknown {
  return error === client.signal.reason ? closed({ operation: operation.name }) : error;
}
