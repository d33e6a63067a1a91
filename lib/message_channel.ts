import type { AmqpConnection } from "./amqp/amqp_connection.ts";
import type { C2dMessage } from "./c2d_message.ts";
import type { ClientOptions } from "./client_options.ts";
import { Deadline } from "./deadline.ts";
import { IoTHubError } from "./errors.ts";
import type { HubAccess } from "./hub_access.ts";
import { DEFAULT_TIMEOUT_IN_MS } from "./hub_transport.ts";
import { checkOptions, type OperationOptions } from "./operation_options.ts";
import { userAgent } from "./user_agent.ts";

/** A manager's way to send messages. The code that speaks AMQP is loaded with the first one. */
export class MessageChannel {
  readonly #access: HubAccess;
  readonly #options: ClientOptions;
  #connection: Promise<AmqpConnection> | undefined;
  #closed = false;

  constructor(access: HubAccess, options: ClientOptions) {
    this.#access = access;
    this.#options = { ...options };
  }

  /** Sends a message; resolves when the hub has accepted it. */
  async send(operation: string, message: C2dMessage, options: OperationOptions): Promise<void> {
    checkOptions(options);
    options.abortSignal?.throwIfAborted();
    if (this.#closed) {
      throw new IoTHubError(`Cannot complete ${operation}: the manager is closed; make a new one`, {
        code: "Closed",
        operation,
        retryable: false,
      });
    }
    const connection = await this.#loaded(options.abortSignal);
    await connection.send(message, {
      operation,
      abortSignal: options.abortSignal,
      timeoutInMs: options.timeoutInMs ?? this.#options.timeoutInMs ?? DEFAULT_TIMEOUT_IN_MS,
    });
  }

  /** Fails the sends that still wait, and closes the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#connection?.catch(() => undefined))?.close();
  }

  /** The first one takes a while to load; its caller may not want to wait for that. */
  async #loaded(abortSignal: AbortSignal | undefined): Promise<AmqpConnection> {
    const connection = this.#connection ??= this.#load();
    const deadline = new Deadline(Infinity, abortSignal);
    try {
      return await deadline.race(connection);
    } finally {
      deadline.release();
    }
  }

  async #load(): Promise<AmqpConnection> {
    try {
      const { AmqpConnection } = await import("./amqp/amqp_connection.ts");
      return new AmqpConnection({
        ...this.#access,
        endpoint: this.#options.amqpEndpoint,
        transportType: this.#options.transportType,
        tls: this.#options.amqpTls,
        userAgent: userAgent(this.#options.userAgentPrefix) ?? "",
      });
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}
