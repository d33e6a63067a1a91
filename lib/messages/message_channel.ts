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
 * The way of all clients of one hub to send and receive messages: the one place where every such call begins and ends. The code
 * that carries them is loaded with the first one.
 */
export class MessageChannel implements HubPart {
  readonly #timeoutInMs: number;
  readonly #open: () => Promise<MessageConnection>;
  #connection: Promise<MessageConnection> | undefined;
  #loaded: MessageConnection | undefined;
  /** How many calls wait for the loading; later ones must not overtake them. */
  #waiting = 0;

  /**
   * @param timeoutInMs How long a call may take that does not say so itself.
   * @param open Loads and opens what carries the messages.
   */
  constructor(timeoutInMs: number = DEFAULT_TIMEOUT_IN_MS, open: () => Promise<MessageConnection>) {
    this.#timeoutInMs = timeoutInMs;
    this.#open = open;
  }

  /** Sends a message for a client; resolves when the hub has accepted it. May throw as well as reject. */
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

  /** A client's receiver for one of the hub's queues; it must be closed. */
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

  /** Fails the sends and the receivers that still wait, and closes the connection. */
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

  /** The connection, where it is loaded and nobody waits for it any more. */
  get #atHand(): MessageConnection | undefined {
    return this.#waiting === 0 ? this.#loaded : undefined;
  }

  /** Loading takes a while, and a caller may not want to wait for that. */
  async #load({ abortSignal }: SendOptions): Promise<MessageConnection> {
    const connection = this.#connection ??= this.#openOnce();
    const deadline = new Deadline(Infinity, abortSignal);
    this.#waiting++;
    try {
      return this.#loaded = await deadline.race(connection);
    } finally {
      // Right before the caller goes on.
      queueMicrotask(() => this.#waiting--);
      deadline.release();
    }
  }

  /** An opening that failed is tried anew by the next call. */
  async #openOnce(): Promise<MessageConnection> {
    try {
      return await this.#open();
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}

/** Throws what has ended a call before it began: its caller's signal, or the end of its client. */
function throwIfEnded(client: ClientView, operation: OperationFacts, { abortSignal }: OperationOptions): void {
  abortSignal?.throwIfAborted();
  if (client.isClosed) throw closed({ operation: operation.name });
}

/** A client that shares the connection of another ends its own calls by a signal: the connection goes on. */
function signalFor(client: ClientView, outer: AbortSignal | undefined): AbortSignal | undefined {
  if (client.isFirst) return outer;
  return outer === undefined ? client.signal : AbortSignal.any([outer, client.signal]);
}

/** The error of a call of such a client: `Closed` where it was the client's end that has ended it. */
function endOf(client: ClientView, operation: OperationFacts, error: unknown): unknown {
  return error === client.signal.reason ? closed({ operation: operation.name }) : error;
}
