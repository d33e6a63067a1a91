import type { PendingSend } from "./pending_send.ts";

/** A device whose messages are held back, since one of them has to be sent again. */
interface Lane {
  readonly held: PendingSend[];
  /** What is on its way to the device, and may arrive before whatever is sent now. */
  inFlight: number;
  waitInMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The messages that wait to be sent, in order. When one has to be sent again, all others for the same device wait until
 * what is on its way has been answered and the wait is over; other devices' messages pass.
 */
export class SendQueue {
  #waiting: Set<PendingSend> = new Set();
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #onFree: () => void;

  /** @param onFree Called when messages that were held back may be sent. */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  /** Whether a message can be taken out. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The oldest that can be taken out. */
  get first(): PendingSend | undefined {
    for (const pending of this.#waiting) return pending;
    return undefined;
  }

  /** Adds a message behind all others. */
  add(pending: PendingSend): void {
    this.#waiting.add(pending);
  }

  /** Takes out the next message that is not held back. */
  take(): PendingSend | undefined {
    for (const pending of this.#waiting) {
      this.#waiting.delete(pending);
      const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(pending.message.to);
      if (lane === undefined) return pending;
      lane.held.push(pending);
    }
    return undefined;
  }

  /** Whether a message waits for another one of its device. */
  isHeldBack(pending: PendingSend): boolean {
    return this.#lanes.has(pending.message.to);
  }

  /** Takes out a message whose sender no longer waits. */
  delete(pending: PendingSend): void {
    if (this.#waiting.delete(pending)) return;
    const held = this.#lanes.get(pending.message.to)?.held ?? [];
    const index = held.indexOf(pending);
    if (index >= 0) held.splice(index, 1);
  }

  /**
   * Puts a message back that has to be sent again after a wait, and holds back the others of its device.
   *
   * @param inFlight How many messages are on their way to that device.
   */
  putBack(pending: PendingSend, waitInMs: number, inFlight: () => number): void {
    const { to } = pending.message;
    let lane = this.#lanes.get(to);
    if (lane === undefined) {
      lane = { held: [], inFlight: inFlight(), waitInMs, timer: undefined };
      this.#lanes.set(to, lane);
    }
    lane.held.push(pending);
    lane.waitInMs = Math.max(lane.waitInMs, waitInMs);
    if (lane.inFlight === 0) this.#openLater(to, lane);
  }

  /** To be called when a message that was on its way to a device has been answered. */
  answered(to: string): void {
    const lane = this.#lanes.size === 0 ? undefined : this.#lanes.get(to);
    if (lane === undefined || lane.inFlight === 0) return;
    if (--lane.inFlight === 0) this.#openLater(to, lane);
  }

  /** Puts back whatever was on its way when the link was lost. Nothing is held back any more. */
  putBackAll(inFlight: readonly PendingSend[]): void {
    const all = [...inFlight, ...this];
    for (const { timer } of this.#lanes.values()) clearTimeout(timer);
    this.#lanes.clear();
    this.#waiting = inOrder(all);
  }

  /** All that are in the queue, those held back among them. */
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
