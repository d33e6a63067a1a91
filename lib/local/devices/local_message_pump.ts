import type { HubState } from "../hub_state.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { LocalMessageHandler } from "./local_device_handlers.ts";
import { LocalMessage } from "./local_message.ts";
import type { MessageQueue, QueuedMessage } from "../messages/message_queue.ts";

/** The message that is being handled, and where it comes from. */
interface HeldMessage {
  readonly record: AnyRecord;
  readonly queue: MessageQueue;
  readonly message: QueuedMessage;
}

/** Takes messages from a queue one at a time and settles each as its handler decides. */
export class LocalMessagePump {
  readonly #hub: HubState;
  readonly #connectedRecord: () => AnyRecord | undefined;
  #handler: LocalMessageHandler | undefined;
  #isRunning = false;
  #held: HeldMessage | undefined;
  /** Counts connections, so that a message locked by an earlier one is not settled by this one. */
  #session = 0;

  /**
   * Creates a pump that has no handler yet.
   *
   * @param connectedRecord Returns the identity of the device; `undefined` while it is not connected.
   */
  constructor(hub: HubState, connectedRecord: () => AnyRecord | undefined) {
    this.#hub = hub;
    this.#connectedRecord = connectedRecord;
  }

  /** Sets the handler, in place of the previous one. */
  setHandler(handler: LocalMessageHandler): void {
    this.#handler = handler;
  }

  /** Handles the messages in the queue, unless it is doing so already. It never rejects, since nobody awaits it. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const session = this.#session;
    try {
      // The sender's call returns first, as it would with a remote device.
      await Promise.resolve();
      while (session === this.#session && this.#handler !== undefined) {
        const record = this.#connectedRecord();
        if (record === undefined) break;
        const queue = this.#hub.queues.of(record);
        const message = queue.lockNext(this.#hub.now());
        if (message === undefined) break;
        const held = { record, queue, message };
        this.#held = held;
        await this.#handle(this.#handler, held, session);
      }
    } catch (error) {
      this.#hub.faults.report(error);
    }
    // In the same turn as the last look at the queue, or else a message that comes between would be left lying.
    if (session === this.#session) this.#isRunning = false;
  }

  /** Must be called when the connection ends. Gives the message that is being handled back for the next connection. */
  endSession(): void {
    this.#session++;
    this.#isRunning = false;
    this.#held?.queue.unlock(this.#held.message);
    this.#held = undefined;
  }

  async #handle(
    handler: LocalMessageHandler,
    { record, queue, message }: HeldMessage,
    session: number,
  ): Promise<void> {
    let settlement: unknown;
    try {
      settlement = await handler(new LocalMessage(message));
    } catch {
      settlement = "abandon";
    }
    if (session !== this.#session) return;
    this.#held = undefined;
    const now = this.#hub.now();
    if (settlement === "abandon") queue.abandon(message, now);
    else if (settlement === "reject") queue.reject(message, now);
    else queue.complete(message, now);
    this.#hub.presence.touch(record);
  }
}
