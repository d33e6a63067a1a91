import type { AmqpConnection, ServiceReceiver } from "../amqp/amqp_connection.ts";
import type { C2dMessage } from "./c2d_message.ts";
import { type ClientOptions, DEFAULT_ATTEMPT_TIMEOUT_IN_MS, DEFAULT_TIMEOUT_IN_MS } from "../client/client_options.ts";
import { Deadline } from "../timing/deadline.ts";
import { closed } from "../errors/failures.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { resolveRetryOptions } from "../timing/retry_options.ts";
import { userAgent } from "../client/user_agent.ts";

/** A manager's way to send and receive messages. The code that speaks AMQP is loaded with the first one. */
export class MessageChannel {
  readonly #access: HubAccess;
  readonly #options: ClientOptions;
  #connection: Promise<AmqpConnection> | undefined;
  #loaded: AmqpConnection | undefined;
  /** How many calls wait for the loading; later ones must not overtake them. */
  #waiting = 0;
  #closed = false;

  constructor(access: HubAccess, options: ClientOptions) {
    this.#access = access;
    this.#options = { ...options };
  }

  /** Sends a message; resolves when the hub has accepted it. May throw as well as reject. */
  send(operation: string, message: C2dMessage, options: OperationOptions): Promise<void> {
    checkOptions(options);
    const connection = this.#atHand(operation, options);
    const facts = this.#facts(operation, options);
    if (connection !== undefined) return connection.send(message, facts);
    return this.#load(options).then((loaded) => loaded.send(message, facts));
  }

  /** A receiver for one of the hub's queues; it must be closed. */
  async openReceiver(operation: string, address: string, options: OperationOptions): Promise<ServiceReceiver> {
    const connection = this.#atHand(operation, options) ?? await this.#load(options);
    return connection.openReceiver({ ...this.#facts(operation, options), address });
  }

  /** Fails the sends and the receivers that still wait, and closes the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#connection?.catch(() => undefined))?.close();
  }

  #facts(
    operation: string,
    { abortSignal, timeoutInMs }: OperationOptions,
  ): { operation: string; abortSignal?: AbortSignal; timeoutInMs: number } {
    timeoutInMs ??= this.#options.timeoutInMs ?? DEFAULT_TIMEOUT_IN_MS;
    return abortSignal === undefined ? { operation, timeoutInMs } : { operation, timeoutInMs, abortSignal };
  }

  /** The connection, where it is loaded and nobody waits for it any more. */
  #atHand(operation: string, { abortSignal }: OperationOptions): AmqpConnection | undefined {
    abortSignal?.throwIfAborted();
    if (this.#closed) throw closed({ operation });
    return this.#waiting === 0 ? this.#loaded : undefined;
  }

  /** Loading takes a while, and a caller may not want to wait for that. */
  async #load({ abortSignal }: OperationOptions): Promise<AmqpConnection> {
    const connection = this.#connection ??= this.#import();
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

  async #import(): Promise<AmqpConnection> {
    try {
      const { AmqpConnection } = await import("../amqp/amqp_connection.ts");
      return new AmqpConnection({
        ...this.#access,
        endpoint: this.#options.amqpEndpoint,
        transportType: this.#options.transportType,
        tls: this.#options.amqpTls,
        userAgent: userAgent(this.#options.userAgentPrefix) ?? "",
        retryOptions: resolveRetryOptions(this.#options.retryOptions),
        attemptTimeoutInMs: this.#options.attemptTimeoutInMs ?? DEFAULT_ATTEMPT_TIMEOUT_IN_MS,
      });
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}
