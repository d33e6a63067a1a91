import type { PendingSend } from "./pending_send.ts";

/** The messages of a device that are held back, since one of them has to be sent again. */
interface Lane {
  readonly held: Set<PendingSend>;
  /** How many messages for the device are without a verdict, and could still arrive before what is sent now. */
  inFlight: number;
  waitInMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The messages that wait to be sent, in order. When one has to be sent again, all others for the same device are held
 * back until those already sent have their verdict and the back-off is over. Messages for other devices overtake them.
 */
export class SendQueue {
  #waiting: Set<PendingSend> = new Set();
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #onFree: () => void;

  /** @param onFree Called when messages that were held back may be sent. */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  /** Whether no message is left to take. Messages that are held back do not count. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The oldest message that is left to take. */
  get first(): PendingSend | undefined {
    for (const pending of this.#waiting) return pending;
    return undefined;
  }

  /** Adds a message behind all others. */
  add(pending: PendingSend): void {
    this.#waiting.add(pending);
  }

  /** Takes the next message that is not held back. */
  take(): PendingSend | undefined {
    for (const pending of this.#waiting) {
      this.#waiting.delete(pending);
      const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(pending.message.to);
      if (lane === undefined) return pending;
      lane.held.add(pending);
    }
    return undefined;
  }

  /** Whether a message waits for an earlier one for its device. */
  isHeldBack(pending: PendingSend): boolean {
    return this.#lanes.has(pending.message.to);
  }

  /** Removes a message whose caller no longer waits. */
  delete(pending: PendingSend): void {
    if (this.#waiting.delete(pending)) return;
    this.#lanes.get(pending.message.to)?.held.delete(pending);
  }

  /**
   * Puts back a message that has to be sent again after a wait, and holds back the others for its device.
   *
   * @param pending The message.
   * @param waitInMs How long to wait, in milliseconds.
   * @param inFlight Counts the messages for that device that were sent and have no verdict yet.
   */
  putBack(pending: PendingSend, waitInMs: number, inFlight: () => number): void {
    const { to } = pending.message;
    let lane = this.#lanes.get(to);
    if (lane === undefined) {
      lane = { held: new Set(), inFlight: inFlight(), waitInMs, timer: undefined };
      this.#lanes.set(to, lane);
    }
    lane.held.add(pending);
    lane.waitInMs = Math.max(lane.waitInMs, waitInMs);
    if (lane.inFlight === 0) this.#openLater(to, lane);
  }

  /** To be called when the hub's verdict on a message for a device has come. */
  answered(to: string): void {
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(to);
    if (lane === undefined || lane.inFlight === 0) return;
    if (--lane.inFlight === 0) this.#openLater(to, lane);
  }

  /** Puts back the messages without a verdict after the link was lost, and stops holding messages back. */
  putBackAll(inFlight: readonly PendingSend[]): void {
    const all = [...inFlight, ...this];
    for (const { timer } of this.#lanes.values()) clearTimeout(timer);
    this.#lanes.clear();
    this.#waiting = inOrder(all);
  }

  /** Iterates over all messages in the queue, including those held back. */
  *[Symbol.iterator](): Iterator<PendingSend> {
    for (const { held } of this.#lanes.values()) yield* held;
    yield* this.#waiting;
  }

  #openLater(to: string, lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = setTimeout(() => {
      this.#lanes.delete(to);
      this.#waiting = inOrder([...lane.held, ...this.#waiting]);
      this.#onFree();
    }, lane.waitInMs);
  }
}

function inOrder(all: PendingSend[]): Set<PendingSend> {
  return new Set(all.sort((one, other) => one.sequence - other.sequence));
}
