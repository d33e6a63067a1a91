import type { FaultListeners } from "../fault_listeners.ts";
import type { DeviceDelivery, DeviceSession } from "../sessions/device_session.ts";
import type { LocalMessageHandler } from "./local_device_handlers.ts";
import { LocalMessage } from "./local_message.ts";

/** Takes messages from a queue one at a time and settles each as its handler decides. */
export class LocalMessagePump {
  readonly #session: DeviceSession;
  readonly #faults: FaultListeners;
  #handler: LocalMessageHandler | undefined;
  #isRunning = false;
  /** The message that is being handled. */
  #held: DeviceDelivery | undefined;
  /** Counts connections, so that a message locked by an earlier one is not settled by this one. */
  #connection = 0;

  /** Creates a pump that has no handler yet. */
  constructor(session: DeviceSession, faults: FaultListeners) {
    this.#session = session;
    this.#faults = faults;
  }

  /** Sets the handler, in place of the previous one. */
  setHandler(handler: LocalMessageHandler): void {
    this.#handler = handler;
  }

  /** Handles the messages in the queue, unless it is doing so already. It never rejects, since nobody awaits it. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const connection = this.#connection;
    try {
      // The sender's call returns first, as it would with a remote device.
      await Promise.resolve();
      while (connection === this.#connection && this.#handler !== undefined) {
        const delivery = this.#session.nextMessage();
        if (delivery === undefined) break;
        this.#held = delivery;
        await this.#handle(this.#handler, delivery, connection);
      }
    } catch (error) {
      this.#faults.report(error);
    }
    // In the same turn as the last look at the queue, or else a message that comes between would be left lying.
    if (connection === this.#connection) this.#isRunning = false;
  }

  /** Must be called when the connection ends. Gives the message that is being handled back for the next connection. */
  endConnection(): void {
    this.#connection++;
    this.#isRunning = false;
    this.#held?.unlock();
    this.#held = undefined;
  }

  async #handle(handler: LocalMessageHandler, delivery: DeviceDelivery, connection: number): Promise<void> {
    let settlement: unknown;
    try {
      settlement = await handler(new LocalMessage(delivery.message));
    } catch {
      settlement = "abandon";
    }
    if (connection !== this.#connection) return;
    this.#held = undefined;
    if (settlement === "abandon") delivery.abandon();
    else if (settlement === "reject") delivery.reject();
    else delivery.complete();
  }
}
