import { BackgroundTimer } from "../timing/background_timer.ts";
import { FaultListeners } from "./fault_listeners.ts";

/** A part of the hub with work that falls due at a certain time, even if no call comes in. */
export interface Sleeper {
  /** Does the work that is due, and sets the alarm for the next. */
  wake(now: number): void;
}

/**
 * The hub's single timer, shared by everything that falls due. It does not keep the process alive.
 *
 * Times are those of the hub's clock. A clock that a test controls can jump past a due time without the timer noticing,
 * so call {@linkcode HubAlarm.ring} before reading any state that depends on the time.
 */
export class HubAlarm {
  readonly #now: () => number;
  readonly #faults: FaultListeners;
  readonly #inOneStep: (work: () => void) => void;
  readonly #sleepers = new Map<Sleeper, number>();
  readonly #timer: BackgroundTimer = new BackgroundTimer();
  /** No sleeper is due before this time. */
  #next = Infinity;
  #isRinging = false;
  #isClosed = false;

  /** @param inOneStep Does the work of a sleeper. */
  constructor(
    now: () => number,
    faults: FaultListeners = new FaultListeners(),
    inOneStep: (work: () => void) => void = (work) => work(),
  ) {
    this.#now = now;
    this.#faults = faults;
    this.#inOneStep = inOneStep;
  }

  /** Wakes a sleeper at `time`, in milliseconds since the epoch, instead of at the time set before. */
  set(sleeper: Sleeper, time: number): void {
    if (this.#isClosed) return;
    this.#sleepers.set(sleeper, time);
    if (time >= this.#next) return;
    this.#next = time;
    if (!this.#isRinging) this.#startTimer();
  }

  /** Drops a sleeper. The timer stays as it is, since one needless ring costs less than setting it anew each time. */
  forget(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  /** The time before which no sleeper is due; `Infinity` while there is none. */
  get next(): number {
    return this.#next;
  }

  /** To be called when the clock was set on, as the timer counts by the real one. */
  restart(): void {
    this.#startTimer();
  }

  /** Whether a sleeper may be due. */
  isDue(): boolean {
    return this.#next <= this.#now();
  }

  /** Wakes every sleeper that is due. One that throws is reported, and keeps no other from waking. */
  ring(now: number = this.#now()): void {
    if (now < this.#next || this.#isRinging) return;
    this.#isRinging = true;
    try {
      for (const [sleeper, time] of [...this.#sleepers]) {
        if (time > now || this.#sleepers.get(sleeper) !== time) continue;
        this.#sleepers.delete(sleeper);
        this.#faults.guard(() => this.#inOneStep(() => sleeper.wake(now)));
      }
    } finally {
      this.#isRinging = false;
      this.#next = Infinity;
      for (const time of this.#sleepers.values()) if (time < this.#next) this.#next = time;
      this.#startTimer();
    }
  }

  /** Stops the timer for good. */
  close(): void {
    this.#isClosed = true;
    this.#next = Infinity;
    this.#sleepers.clear();
    this.#timer.clear();
  }

  #startTimer(): void {
    // At least a millisecond, or else a hub whose clock stands still would keep the process busy.
    const delay = Math.max(1, Math.ceil(this.#next - this.#now()));
    this.#timer.setAt(Date.now() + delay, () =>
      this.#faults.guard(() => {
        if (this.#now() < this.#next) this.#startTimer();
        else this.ring();
      }));
  }
}
