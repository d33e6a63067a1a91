import type { MessageReceiver, ReceiverOptions } from "../messages/message_connection.ts";
import type { ReceivedDelivery } from "../messages/settlement.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import type { HubConnection } from "./hub_connection.ts";
import type { Delivery, Message, Receiver } from "./library.ts";
import { bytesOf } from "./message_bytes.ts";
import { type LinkUser, ReceivingLink } from "./receiving_link.ts";
import { Waiter } from "./waiter.ts";

/**
 * Receives from one of the hub's queues for back ends, one message at a time. The hub gets credit for a message only
 * when somebody waits for it, so that no message is locked that nobody handles.
 *
 * Messages that were received on a link that is lost, and not settled, return to the hub's queue.
 */
export class ServiceReceiver implements LinkUser, MessageReceiver<ReceivedDelivery> {
  readonly #options: ReceiverOptions;
  readonly #link: ReceivingLink;
  readonly #waiter: Waiter<ReceivedDelivery>;

  constructor(
    settings: AmqpSettings,
    options: ReceiverOptions,
    connectionSource: (operation: string) => HubConnection,
  ) {
    this.#options = options;
    this.#link = new ReceivingLink(settings, options, connectionSource, this);
    this.#waiter = new Waiter(options.abortSignal, () => this.#link.close());
  }

  /** Resolves when the receiver was closed or has failed. */
  get closed(): Promise<void> {
    return this.#waiter.closed;
  }

  get isBusy(): boolean {
    return this.#waiter.isThere;
  }

  /**
   * Waits for the next message. It must not be called again before the previous call has settled.
   *
   * @param maxWaitInMs How long to wait, in milliseconds.
   * @returns The message, or `undefined` when none came in time.
   * @throws {IoTHubError} When there was no link for too long, or when the hub refuses it.
   */
  next(maxWaitInMs: number = Infinity): Promise<ReceivedDelivery | undefined> {
    const { ended } = this.#waiter;
    if (ended !== undefined) return Promise.reject(ended.reason);
    const waited = this.#waiter.wait(maxWaitInMs, () => this.#answer(undefined));
    this.#link.wait();
    return waited;
  }

  /** Closes the link. Messages that were received and not settled return to the hub's queue. */
  close(): void {
    this.failed(new DOMException("The receiver is closed", "AbortError"));
  }

  /** Ends the receiver, and rejects a call that is waiting. */
  end(failure: AmqpFailure): void {
    this.failed(failure.toError(this.#options));
  }

  get address(): string {
    return this.#options.address;
  }

  linkOptions(): object {
    return { source: { address: this.address } };
  }

  creditFor(): number {
    return 1;
  }

  received(link: Receiver, message: Message, delivery: Delivery): void {
    this.#answer(receivedDelivery(link, message, delivery));
  }

  failed(reason: unknown): void {
    this.#waiter.end(reason);
  }

  #answer(delivery: ReceivedDelivery | undefined): void {
    const wasWaiting = this.#waiter.answer(delivery);
    this.#link.rest();
    // If nobody is waiting any more, the message goes back to the hub's queue.
    if (!wasWaiting) delivery?.abandon();
  }
}

function receivedDelivery(link: Receiver, message: Message, delivery: Delivery): ReceivedDelivery {
  let isDecided = false;
  function decide(decision: () => void): void {
    // When a link has ended, the hub has already returned the message to its queue.
    if (!isDecided && link.is_open()) decision();
    isDecided = true;
  }
  return {
    body: bytesOf(message.body),
    complete: () => decide(() => delivery.accept()),
    abandon: () => decide(() => delivery.release()),
  };
}
