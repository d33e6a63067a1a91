import type { Connection } from "rhea";
import { BackgroundTimer } from "../timing/background_timer.ts";

/** What this side asks of the peer: a sign of life within this time. */
export const IDLE_TIME_OUT_IN_MS = 60_000;

/** A peer that was silent for this long is taken for dead: it may have been late, and signs of life get lost on the way. */
const SILENCE_LIMIT_IN_MS = 2 * IDLE_TIME_OUT_IN_MS;

/** The hub drops a connection after 240 s without traffic, whether or not it says so when it opens. */
const LONGEST_SILENCE_IN_MS = 80_000;

/** What the library has but does not declare. */
interface Frames {
  readonly local: { readonly open: { idle_time_out?: number } };
  /** Without a frame: the empty one, which only says that this side is alive. */
  _write_frame(): void;
}

/**
 * Keeps a connection alive in both directions: gives a sign of life as often as the peer wants it, and tells when the peer
 * gives none.
 *
 * In place of the library's own: that sets two timers anew with each read and write, and they would keep an idle process from
 * ending.
 */
export class KeepAlive {
  readonly #connection: Connection & Frames;
  readonly #sendTimer: BackgroundTimer = new BackgroundTimer();
  readonly #silenceTimer: BackgroundTimer = new BackgroundTimer();
  readonly #onSilence: (silenceInMs: number) => void;
  #heardAt = Date.now();

  /** To be made when both sides have opened; `onSilence` is called once, when the peer seems to be dead. */
  constructor(connection: Connection, onSilence: (silenceInMs: number) => void) {
    this.#connection = connection as Connection & Frames;
    this.#onSilence = onSilence;
    const asked = connection.remote.open.idle_time_out ?? 0;
    // Half of it, since what is sent takes its time to arrive.
    const interval = Math.min(asked === 0 ? Infinity : asked / 2, LONGEST_SILENCE_IN_MS);
    // Both have been said to the other side, and are of no more use to the library.
    connection.remote.open.idle_time_out = 0;
    this.#connection.local.open.idle_time_out = 0;
    this.#sendEvery(interval);
    this.#listenUntil(this.#heardAt + SILENCE_LIMIT_IN_MS);
  }

  /** To be called when anything has come from the peer. */
  heard(): void {
    this.#heardAt = Date.now();
  }

  /** Forgets the timers. */
  stop(): void {
    this.#sendTimer.clear();
    this.#silenceTimer.clear();
  }

  #sendEvery(intervalInMs: number): void {
    this.#sendTimer.setAt(Date.now() + intervalInMs, () => {
      this.#connection._write_frame();
      this.#sendEvery(intervalInMs);
    });
  }

  #listenUntil(time: number): void {
    this.#silenceTimer.setAt(time, () => {
      const due = this.#heardAt + SILENCE_LIMIT_IN_MS;
      if (Date.now() < due) this.#listenUntil(due);
      else this.#onSilence(Date.now() - this.#heardAt);
    });
  }
}
