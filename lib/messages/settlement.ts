/** What a receiver can say of what it received; the first word counts, and after the loop has gone on there is none. */
export interface Settlement {
  /** Says that it was handled. Called for you when the loop asks for the next one. */
  complete(): void;
  /** Gives it back to the hub, with all that came in the same batch: it comes again, ten times at most. */
  abandon(): void;
}

/** A message that the hub has locked for this receiver. The first word on it counts. */
export interface ReceivedDelivery {
  /** The bytes of its body. */
  readonly body: Uint8Array;
  /** Takes it off the hub's queue. */
  complete(): void;
  /** Gives it back to the hub's queue. */
  abandon(): void;
}

/** The records of one message from the hub, which can only be completed or given back together. */
export class SettledBatch {
  readonly #delivery: ReceivedDelivery;
  #open: number;

  constructor(delivery: ReceivedDelivery, count: number) {
    this.#delivery = delivery;
    this.#open = count;
    if (count === 0) delivery.complete();
  }

  /** Whether nothing is left to be said. */
  get isDecided(): boolean {
    return this.#open === 0;
  }

  /** The record, with a voice of its own that shows neither in JSON nor in comparisons. */
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

  /** Gives everything back that was not completed as a whole. */
  abandon(): void {
    if (this.isDecided) return;
    this.#open = 0;
    this.#delivery.abandon();
  }
}
