import type { C2dMessage } from "../messages/c2d_message.ts";
import type { MessageConnection, ReceiverOptions, SendOptions } from "../messages/message_connection.ts";
import { checkEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { C2dSender } from "./c2d_sender.ts";
import { HubConnection } from "./hub_connection.ts";
import { ServiceReceiver } from "./service_receiver.ts";

/**
 * A manager's one connection to the AMQP side of its hub: opened by whoever needs it first, shared by all, replaced when it
 * was lost and is needed again. While nobody waits for anything it lets the process end.
 */
export class AmqpConnection implements MessageConnection {
  readonly #settings: AmqpSettings;
  readonly #sender: C2dSender;
  readonly #receivers: Set<ServiceReceiver> = new Set();
  readonly #connections: Set<HubConnection> = new Set();
  #current: HubConnection | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {RangeError} for an endpoint that cannot be one. */
  constructor(settings: AmqpSettings) {
    checkEndpoint(settings);
    this.#settings = settings;
    this.#sender = new C2dSender(settings, (operation) => this.#connection(operation));
  }

  /**
   * Sends a message; resolves when the hub has accepted it.
   *
   * @throws {IoTHubError} for whatever the hub or the network has against it; the signal's reason when aborted.
   */
  send(message: C2dMessage, options: SendOptions): Promise<void> {
    if (options.abortSignal?.aborted) return Promise.reject(options.abortSignal.reason);
    if (this.#closing !== undefined) return Promise.reject(managerClosed().toError(options.operation));
    return this.#sender.send(message, options);
  }

  /** A receiver for one of the hub's queues towards back ends. It must be closed. */
  openReceiver(options: ReceiverOptions): ServiceReceiver {
    options.abortSignal?.throwIfAborted();
    if (this.#closing !== undefined) throw managerClosed().toError(options.operation);
    const receiver = new ServiceReceiver(this.#settings, options, (operation) => this.#connection(operation));
    this.#receivers.add(receiver);
    void receiver.closed.then(() => this.#receivers.delete(receiver));
    return receiver;
  }

  /** Closes what is open; sends and receivers that still wait are rejected. */
  close(): Promise<void> {
    return this.#closing ??= this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    const failure = managerClosed();
    this.#sender.close(failure);
    for (const receiver of this.#receivers) receiver.end(failure);
    const connections = [...this.#connections];
    for (const connection of connections) connection.end(failure);
    await Promise.all(connections.map(({ closed }) => closed));
  }

  #connection(operation: string): HubConnection {
    const last = this.#current;
    if (last !== undefined && last.failure === undefined) return last;
    // Where the hub refused the token, another one had better come with the next connection.
    const forceRefresh = last?.failure?.facts.statusCode === 401;
    const connection = new HubConnection(this.#settings, { operation, forceRefresh });
    this.#current = connection;
    // One that has ended stays here until its socket is gone.
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }
}

function managerClosed(): AmqpFailure {
  return new AmqpFailure("the manager was closed", { code: "Closed", retryable: false });
}
