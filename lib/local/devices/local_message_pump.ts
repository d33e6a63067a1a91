import type { HubState } from "../hub_state.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { LocalMessageHandler } from "./local_device_handlers.ts";
import { LocalMessage } from "./local_message.ts";
import type { MessageQueue, QueuedMessage } from "../messages/message_queue.ts";

/** The message that the handler has now, and where it comes from. */
interface HeldMessage {
  readonly record: AnyRecord;
  readonly queue: MessageQueue;
  readonly message: QueuedMessage;
}

/** Takes messages from a queue one at a time, and settles each as its handler says. */
export class LocalMessagePump {
  readonly #hub: HubState;
  readonly #connectedRecord: () => AnyRecord | undefined;
  #handler: LocalMessageHandler | undefined;
  #isRunning = false;
  #held: HeldMessage | undefined;
  /** Counts connections: what an earlier one has locked, the present one does not settle. */
  #session = 0;

  /** @param connectedRecord gives whose messages to take; `undefined` while the device is not connected */
  constructor(hub: HubState, connectedRecord: () => AnyRecord | undefined) {
    this.#hub = hub;
    this.#connectedRecord = connectedRecord;
  }

  /** Sets what the messages are for, in place of any handler before. */
  setHandler(handler: LocalMessageHandler): void {
    this.#handler = handler;
  }

  /** Takes what is in the queue, unless that is going on already. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const session = this.#session;
    // The sender's call ends first, as it would with a device at the other end of a wire.
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
    if (session === this.#session) this.#isRunning = false;
  }

  /** The connection has gone: what was being handled is for the next one. */
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
