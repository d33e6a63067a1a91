/**
 * The methods of a received record, which tell the hub whether it was handled. Only the first call has an effect, and only
 * before the loop has gone on to the next record.
 */
export interface Settlement {
  /** Tells the hub that the record was handled. The loop calls this itself when it asks for the next record. */
  complete(): void;
  /**
   * Returns the record to the hub, together with the whole batch that it came in. The hub delivers a batch ten times at
   * most.
   */
  abandon(): void;
}

/** A message that the hub has locked for this receiver. Only the first call of `complete` or `abandon` has an effect. */
export interface ReceivedDelivery {
  /** The bytes of its body. */
  readonly body: Uint8Array;
  /** Removes the message from the hub's queue. */
  complete(): void;
  /** Returns the message to the hub's queue. */
  abandon(): void;
}

/** The records of one message from the hub, which can only be completed or returned together. */
export class SettledBatch {
  readonly #delivery: ReceivedDelivery;
  #open: number;

  constructor(delivery: ReceivedDelivery, count: number) {
    this.#delivery = delivery;
    this.#open = count;
    if (count === 0) delivery.complete();
  }

  /** Whether the message was completed or returned. */
  get isDecided(): boolean {
    return this.#open === 0;
  }

  /** Adds `complete` and `abandon` to a record. They are not enumerable, so JSON and comparisons do not include them. */
  withSettlement<T extends object>(record: T): T & Settlement {
    let isComplete = false;
    const settlement: Settlement = {
      complete: () => {
        if (isComplete || this.isDecided) return;
        isComplete = true;
        if (--this.#open === 0) this.#delivery.complete();
      },
      abandon: () => {
        if (!isComplete) this.abandon();
      },
    };
    const hidden = Object.entries(settlement).map(([name, value]) => [name, { value }] as const);
    return Object.defineProperties(record, Object.fromEntries(hidden)) as T & Settlement;
  }

  /** Returns the message to the hub, unless all its records were completed. */
  abandon(): void {
    if (this.isDecided) return;
    this.#open = 0;
    this.#delivery.abandon();
  }
}
