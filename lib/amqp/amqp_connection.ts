import type { C2dMessage } from "../messages/c2d_message.ts";
import { abortReason, throwIfAborted } from "../timing/deadline.ts";
import type { MessageConnection, ReceiverOptions, SendOptions } from "../messages/message_connection.ts";
import { CLIENT_CLOSED } from "../errors/failures.ts";
import { checkEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { C2dSender } from "./c2d_sender.ts";
import { HubConnection } from "./hub_connection.ts";
import { ServiceReceiver } from "./service_receiver.ts";

/**
 * A manager's connection to the AMQP side of its hub. It is opened when it is first needed, shared by the sender and
 * all receivers, and replaced after a loss when it is needed again. While nobody waits for anything, it lets the
 * process end.
 */
export class AmqpConnection implements MessageConnection {
  readonly #settings: AmqpSettings;
  readonly #sender: C2dSender;
  readonly #receivers: Set<ServiceReceiver> = new Set();
  readonly #connections: Set<HubConnection> = new Set();
  #current: HubConnection | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {RangeError} When the endpoint in the settings is not valid. */
  constructor(settings: AmqpSettings) {
    checkEndpoint(settings);
    this.#settings = settings;
    this.#sender = new C2dSender(settings, (operation) => this.#connection(operation));
  }

  /**
   * Sends a message, and resolves when the hub has accepted it.
   *
   * @throws {IoTHubError} When the hub refuses the message or cannot be reached.
   * @throws The reason of the abort signal when it was aborted.
   */
  send(message: C2dMessage, options: SendOptions): Promise<void> {
    if (options.abortSignal?.aborted) return Promise.reject(abortReason(options.abortSignal));
    if (this.#closing !== undefined) return Promise.reject(clientClosed().toError(options));
    return this.#sender.send(message, options);
  }

  /** Opens a receiver for one of the hub's queues for back ends. The caller must close it. */
  openReceiver(options: ReceiverOptions): ServiceReceiver {
    throwIfAborted(options.abortSignal);
    if (this.#closing !== undefined) throw clientClosed().toError(options);
    const receiver = new ServiceReceiver(this.#settings, options, (operation) => this.#connection(operation));
    this.#receivers.add(receiver);
    void receiver.closed.then(() => this.#receivers.delete(receiver));
    return receiver;
  }

  /** Closes all connections. Sends and receivers that are still waiting are rejected. */
  close(): Promise<void> {
    return this.#closing ??= this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    const failure = clientClosed();
    this.#sender.close(failure);
    for (const receiver of this.#receivers) receiver.end(failure);
    const connections = [...this.#connections];
    for (const connection of connections) connection.end(failure);
    await Promise.all(connections.map(({ closed }) => closed));
  }

  #connection(operation: string): HubConnection {
    const last = this.#current;
    if (last !== undefined && last.failure === undefined) return last;
    // If the hub refused the token of the last connection, the next connection should bring a new one.
    const forceRefresh = last?.failure?.facts.statusCode === 401;
    const connection = new HubConnection(this.#settings, { operation, forceRefresh });
    this.#current = connection;
    // An ended connection stays in the set until its socket is closed, so that close() waits for it.
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }
}

function clientClosed(): AmqpFailure {
  return new AmqpFailure(CLIENT_CLOSED, { code: "Closed", retryable: false });
}
