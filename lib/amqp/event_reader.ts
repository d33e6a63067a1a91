import { type FailedCall, failure } from "../errors/failures.ts";
import type { EventPosition } from "../messages/event_position.ts";
import type { EventReaderOptions, MessageReceiver } from "../messages/message_connection.ts";
import type { Sight } from "../sight/sight.ts";
import type { ReceivedEvent } from "../values/received_event.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import type { HubConnection } from "./hub_connection.ts";
import type { AmqpBytes } from "./buffer_class.ts";
import type { Delivery, Message, Receiver, Session } from "./library.ts";
import { decodeMessage } from "./message_decoder.ts";
import { readEvent } from "./received_event_message.ts";
import { type LinkUser, ReceivingLink } from "./receiving_link.ts";
import { selectAfter } from "./selector_filter.ts";
import { Waiter } from "./waiter.ts";

/** What may be on its way, and then wait here until it is asked for. */
const BUFFER_BYTES = 4 * 2 ** 20;
const MOST_EVENTS = 2_000;
/** What an event takes in memory besides its body, roughly. */
const EVENT_OVERHEAD = 1_024;
/** The size that is assumed before the first event. */
const USUAL_SIZE = 4_096;
/** The event hub settles each event as it sends it: there is nothing to be said to it. */
const SETTLED = 1;
/** The format of messages, and what stands for it where the library is not to decode them. */
const MESSAGES = 0;
const CHECKED = 1;

/** Where a reader begins in a partition. */
export interface PartitionStart {
  readonly partitionId: string;
  /** `undefined` for the oldest event. */
  readonly after: EventPosition | undefined;
}

/** How the links of a reader are attached. */
export interface EventReaderParts {
  readonly settings: AmqpSettings;
  readonly connectionSource: (operation: string) => HubConnection;
  /** The name of the event hub, which is known as soon as a link can be attached. */
  readonly eventHubName: () => string;
}

/**
 * Reads partitions of an event hub. Events are asked for only while somebody waits for one; what has come with it waits
 * here. A link that is lost is replaced by one that goes on behind the last event that has come.
 */
export class EventReader implements MessageReceiver<ReceivedEvent> {
  readonly #parts: EventReaderParts;
  readonly #options: EventReaderOptions;
  readonly #partitions: readonly PartitionReader[];
  readonly #waiter: Waiter<ReceivedEvent>;
  #events: ReceivedEvent[] = [];
  /** How many of them have been taken. */
  #taken = 0;
  #meanSize = USUAL_SIZE;

  constructor(parts: EventReaderParts, options: EventReaderOptions, starts: readonly PartitionStart[]) {
    this.#parts = parts;
    this.#options = options;
    this.#partitions = starts.map((start) =>
      new PartitionReader(parts, options, start, {
        isBusy: () => this.#waiter.isThere,
        window: () => this.#window(),
        add: (event) => this.#add(event),
        failed: (reason) => this.#waiter.end(reason),
      })
    );
    this.#waiter = new Waiter(options.abortSignal, () => this.#close());
  }

  /** Resolves when the reader was closed or has failed. */
  get closed(): Promise<void> {
    return this.#waiter.closed;
  }

  next(maxWaitInMs: number = Infinity): Promise<ReceivedEvent | undefined> {
    const { sight } = this.#parts.settings;
    return sight === undefined ? this.#next(maxWaitInMs) : this.#nextWatched(maxWaitInMs, sight);
  }

  async #nextWatched(maxWaitInMs: number, sight: Sight): Promise<ReceivedEvent | undefined> {
    const began = performance.now();
    const event = await this.#next(maxWaitInMs);
    if (event !== undefined) {
      const address = partitionAddress(this.#parts, this.#options, event.partitionId);
      const waitedInMs = performance.now() - began;
      sight.tell({ kind: "messageReceived", operation: this.#options.operation, address, waitedInMs });
    }
    return event;
  }

  #next(maxWaitInMs: number): Promise<ReceivedEvent | undefined> {
    const { ended } = this.#waiter;
    if (ended !== undefined) return Promise.reject(ended.reason);
    if (this.#taken < this.#events.length) return Promise.resolve(this.#take());
    this.#events = [];
    this.#taken = 0;
    const waited = this.#waiter.wait(maxWaitInMs, () => this.#answer(undefined));
    for (const { link } of this.#partitions) link.wait();
    return waited;
  }

  close(): void {
    this.#waiter.end(new DOMException("The reader is closed", "AbortError"));
  }

  /** Ends the reader, and rejects a call that is waiting. */
  end(failure: AmqpFailure): void {
    this.#waiter.end(failure.toError(this.#options));
  }

  #take(): ReceivedEvent {
    const event = this.#events[this.#taken]!;
    // What was taken is the caller's, and must not be kept by those that follow.
    this.#events[this.#taken++] = undefined!;
    return event;
  }

  #add(event: ReceivedEvent): void {
    this.#meanSize += (event.body.byteLength + EVENT_OVERHEAD - this.#meanSize) / 16;
    if (this.#waiter.isThere) this.#answer(event);
    else this.#events.push(event);
  }

  /** How many events each partition may send, so that all of them together do not take too much memory. */
  #window(): number {
    const count = Math.min(MOST_EVENTS, BUFFER_BYTES / this.#meanSize) / this.#partitions.length;
    return Math.max(1, Math.floor(count));
  }

  #answer(event: ReceivedEvent | undefined): void {
    this.#waiter.answer(event);
    for (const { link } of this.#partitions) link.rest();
  }

  #close(): void {
    for (const { link } of this.#partitions) link.close();
    this.#events = [];
    this.#taken = 0;
  }
}

/** What the reader of one partition needs of the reader of all. */
interface PartitionReaderUser {
  isBusy(): boolean;
  window(): number;
  add(event: ReceivedEvent): void;
  failed(reason: unknown): void;
}

/** Reads one partition, and knows how far it has come. */
class PartitionReader implements LinkUser {
  readonly link: ReceivingLink;
  readonly #parts: EventReaderParts;
  readonly #options: EventReaderOptions;
  readonly #partitionId: string;
  readonly #user: PartitionReaderUser;
  #after: EventPosition | undefined;

  constructor(
    parts: EventReaderParts,
    options: EventReaderOptions,
    { partitionId, after }: PartitionStart,
    user: PartitionReaderUser,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#partitionId = partitionId;
    this.#after = after;
    this.#user = user;
    this.link = new ReceivingLink(parts.settings, options, parts.connectionSource, this);
  }

  get isBusy(): boolean {
    return this.#user.isBusy();
  }

  get address(): string {
    return partitionAddress(this.#parts, this.#options, this.#partitionId);
  }

  linkOptions(): object {
    return { source: { address: this.address, filter: selectAfter(this.#after) }, snd_settle_mode: SETTLED };
  }

  begun(session: Session): void {
    const take = session.on_transfer.bind(session);
    session.on_transfer = (frame) => {
      const { performative } = frame;
      // What is of another format has not been checked, so that nothing may read it.
      performative.message_format = performative.message_format === MESSAGES ? CHECKED : undefined;
      take(frame);
    };
  }

  creditFor({ credit }: Receiver): number {
    const window = this.#user.window();
    // Little by little would be a frame for each event.
    return credit > window / 2 ? 0 : window;
  }

  received(_link: Receiver, message: Message, delivery: Delivery): void {
    // Either lets the library tell the hub, in time, that there is room in the session again.
    if (delivery.remote_settled) delivery.update(true);
    else delivery.accept();
    const event = delivery.format === CHECKED
      ? readEvent(decodeMessage(message as unknown as AmqpBytes), this.#partitionId)
      : undefined;
    if (event === undefined) return this.#user.failed(unreadable(this.#options));
    const last = this.#after?.sequenceNumber;
    if (last !== undefined && event.sequenceNumber <= last) return;
    this.#after = { sequenceNumber: event.sequenceNumber };
    this.#user.add(event);
  }

  failed(reason: unknown): void {
    this.#user.failed(reason);
  }
}

function partitionAddress(parts: EventReaderParts, { consumerGroup }: EventReaderOptions, partitionId: string): string {
  return `${parts.eventHubName()}/ConsumerGroups/${consumerGroup}/Partitions/${partitionId}`;
}

function unreadable(call: FailedCall): Error {
  const reason =
    "an event is of another format, or has no sequence number, offset or time, or not of the types that they should have";
  return failure(call, "InvalidResponse", reason);
}
