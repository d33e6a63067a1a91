import type { C2dMessage } from "../c2d_message.ts";
import { checkEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { copyToBuffer } from "./buffer_class.ts";
import { C2dSender, type SendOptions } from "./c2d_sender.ts";
import { encodeMessage } from "./message_encoder.ts";

export type { AmqpSettings } from "./amqp_settings.ts";
export type { SendOptions } from "./c2d_sender.ts";

/**
 * A manager's one connection to the AMQP side of its hub: opened by the first send, shared by all, replaced by the next
 * send when it was lost. While it is open it keeps the process alive; {@linkcode AmqpConnection.close} ends it.
 */
export class AmqpConnection {
  readonly #settings: AmqpSettings;
  #sender: C2dSender | undefined;
  readonly #senders: Set<C2dSender> = new Set();
  #closing: Promise<void> | undefined;

  /** @throws {RangeError} for an endpoint that cannot be one. */
  constructor(settings: AmqpSettings) {
    checkEndpoint(settings);
    this.#settings = settings;
  }

  /**
   * Sends a message; resolves when the hub has accepted it.
   *
   * @throws {IoTHubError} for whatever the hub or the network has against it; the signal's reason when aborted.
   */
  async send(message: C2dMessage, options: SendOptions): Promise<void> {
    options.abortSignal?.throwIfAborted();
    if (this.#closing !== undefined) throw managerClosed().toError(options.operation);
    await this.#open(options.operation).send(copyToBuffer(encodeMessage(message)), options);
  }

  /** Closes what is open; sends that still wait are rejected. */
  close(): Promise<void> {
    return this.#closing ??= this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#senders].map((sender) => sender.close(managerClosed())));
  }

  #open(operation: string): C2dSender {
    const last = this.#sender;
    if (last?.usable) return last;
    const sender = new C2dSender(this.#settings, { operation, forceRefresh: last?.tokenRefused ?? false });
    this.#sender = sender;
    // A retired one stays here until its last answers have come.
    this.#senders.add(sender);
    void sender.closed.then(() => this.#senders.delete(sender));
    return sender;
  }
}

function managerClosed(): AmqpFailure {
  return new AmqpFailure("the manager was closed", { code: "Closed", retryable: false });
}
