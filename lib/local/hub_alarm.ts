import { BackgroundTimer } from "../timing/background_timer.ts";

/** Something that has to be done at a time, whether or not anybody looks. */
export interface Sleeper {
  /** Does what is due, and sets the alarm for what is next. */
  wake(now: number): void;
}

/**
 * The one timer of a hub, for all that falls due: it does not keep the process alive.
 *
 * Times are those of the hub's clock. Where that clock is not the real one, it may leap over a time without the timer
 * knowing: so whoever is about to look at the state rings first.
 */
export class HubAlarm {
  readonly #now: () => number;
  readonly #sleepers = new Map<Sleeper, number>();
  readonly #timer: BackgroundTimer = new BackgroundTimer();
  /** No sleeper is due before. */
  #next = Infinity;
  #isRinging = false;
  #isClosed = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Wakes a sleeper at a time, in milliseconds since the epoch, and not at the one set before. */
  set(sleeper: Sleeper, time: number): void {
    if (this.#isClosed) return;
    this.#sleepers.set(sleeper, time);
    if (time >= this.#next) return;
    this.#next = time;
    if (!this.#isRinging) this.#startTimer();
  }

  /** The timer stays as it is: to ring in vain once costs less than to set it anew each time. */
  forget(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  /** Wakes whoever is due. */
  ring(now: number = this.#now()): void {
    if (now < this.#next || this.#isRinging) return;
    this.#isRinging = true;
    try {
      for (const [sleeper, time] of [...this.#sleepers]) {
        if (time > now || this.#sleepers.get(sleeper) !== time) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake(now);
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
    this.#sleepers.clear();
    this.#timer.clear();
  }

  #startTimer(): void {
    // A clock that stands still must not make this a busy loop.
    const delay = Math.max(1, Math.ceil(this.#next - this.#now()));
    this.#timer.setAt(Date.now() + delay, () => {
      if (this.#now() < this.#next) this.#startTimer();
      else this.ring();
    });
  }
}
