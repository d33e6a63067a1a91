import type { C2dMessage } from "../messages/c2d_message.ts";
import { abortReason, throwIfAborted } from "../timing/deadline.ts";
import type {
  CallOptions,
  EventReaderOptions,
  MessageConnection,
  MessageReceiver,
  ReceiverOptions,
} from "../messages/message_connection.ts";
import { CLIENT_CLOSED, failure } from "../errors/failures.ts";
import type { EventHubEndpoint } from "../messages/event_hub_endpoint.ts";
import type { ReceivedEvent } from "../values/received_event.ts";
import { checkEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { NamedKeyCredential } from "../auth/token_credential.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { C2dSender } from "./c2d_sender.ts";
import { CurrentConnection } from "./current_connection.ts";
import type { EventHub } from "./event_hub.ts";
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
  readonly #current: CurrentConnection;
  /** What reads events, which programs that only use messages do not load. */
  #eventHub: Promise<EventHub> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {RangeError} When the endpoint in the settings is not valid. */
  constructor(settings: AmqpSettings) {
    checkEndpoint(settings);
    this.#settings = settings;
    this.#current = new CurrentConnection(settings);
    this.#sender = new C2dSender(settings, (operation) => this.#current.get(operation));
  }

  /**
   * Sends a message, and resolves when the hub has accepted it.
   *
   * @throws {IoTHubError} When the hub refuses the message or cannot be reached.
   * @throws The reason of the abort signal when it was aborted.
   */
  send(message: C2dMessage, options: CallOptions): Promise<void> {
    if (options.abortSignal?.aborted) return Promise.reject(abortReason(options.abortSignal));
    if (this.#closing !== undefined) return Promise.reject(clientClosed().toError(options));
    return this.#sender.send(message, options);
  }

  /** Opens a receiver for one of the hub's queues for back ends. The caller must close it. */
  openReceiver(options: ReceiverOptions): ServiceReceiver {
    this.#checkOpen(options);
    const receiver = new ServiceReceiver(this.#settings, options, (operation) => this.#current.get(operation));
    this.#receivers.add(receiver);
    void receiver.closed.then(() => this.#receivers.delete(receiver));
    return receiver;
  }

  /** Opens a reader of the hub's events. The caller must close it. */
  async openEventReader(options: EventReaderOptions): Promise<MessageReceiver<ReceivedEvent>> {
    this.#checkOpen(options);
    this.#requirePolicy(options);
    return await (await this.#loadEventHub(options)).openReader(options);
  }

  /** Finds out where the hub's events are. */
  async findEventHub(call: CallOptions): Promise<EventHubEndpoint> {
    this.#checkOpen(call);
    const policy = this.#requirePolicy(call);
    return await (await this.#loadEventHub(call)).describe(call, policy);
  }

  /** Closes all connections. Sends and receivers that are still waiting are rejected. */
  close(): Promise<void> {
    return this.#closing ??= this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    const failure = clientClosed();
    this.#sender.close(failure);
    for (const receiver of this.#receivers) receiver.end(failure);
    await Promise.all([this.#current.close(failure), this.#eventHub?.then((hub) => hub.close(failure))]);
  }

  async #loadEventHub(call: CallOptions): Promise<EventHub> {
    const hub =
      await (this.#eventHub ??= import("./event_hub.ts").then(({ EventHub }) => new EventHub(this.#settings)));
    this.#checkOpen(call);
    return hub;
  }

  #checkOpen(call: CallOptions): void {
    throwIfAborted(call.abortSignal);
    if (this.#closing !== undefined) throw clientClosed().toError(call);
  }

  #requirePolicy(call: CallOptions): NamedKeyCredential {
    const { policy, credential: { signedInAs } } = this.#settings;
    if (policy !== undefined) return policy;
    const reason =
      `a hub is not known to let ${signedInAs} read events: create the manager with the connection string of a ` +
      "policy, or with the name and key of one, or read with @azure/event-hubs and a credential for the event hub";
    throw failure(call, "InvalidOperation", reason);
  }
}

function clientClosed(): AmqpFailure {
  return new AmqpFailure(CLIENT_CLOSED, { code: "Closed", retryable: false });
}
