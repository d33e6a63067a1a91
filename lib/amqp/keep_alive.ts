import { BackgroundTimer } from "../timing/background_timer.ts";
import { LEAST_HEARTBEAT_INTERVAL_IN_MS } from "./client_limits.ts";
import type { Connection } from "./library.ts";

/** The idle time-out that this side announces: the hub must send something within this time. */
export const IDLE_TIME_OUT_IN_MS = 60_000;

/** A hub that was silent for this long is considered gone. Twice the time-out allows for a frame that comes late. */
const SILENCE_LIMIT_IN_MS = 2 * IDLE_TIME_OUT_IN_MS;

/** The hub drops a connection after 240 s without traffic, even if it announces no time-out when it opens. */
const LONGEST_SILENCE_IN_MS = 80_000;

/**
 * Keeps a connection alive in both directions: it sends heartbeats as often as the hub asks for, and reports when the
 * hub falls silent.
 *
 * It replaces the library's own keep-alive, which sets two timers anew with each read and write and would keep an idle
 * process from ending.
 */
export class KeepAlive {
  readonly #connection: Connection;
  readonly #sendTimer: BackgroundTimer = new BackgroundTimer();
  readonly #silenceTimer: BackgroundTimer = new BackgroundTimer();
  readonly #onSilence: (silenceInMs: number) => void;
  #heardAt = Date.now();

  /** To be created when both sides have opened. `onSilence` is called once, when the hub seems to be gone. */
  constructor(connection: Connection, onSilence: (silenceInMs: number) => void) {
    this.#connection = connection;
    this.#onSilence = onSilence;
    const asked = connection.remote.open!.idle_time_out ?? 0;
    // Half of the time, since a frame takes a while to arrive.
    const wanted = asked === 0 ? Infinity : Math.max(asked / 2, LEAST_HEARTBEAT_INTERVAL_IN_MS);
    const interval = Math.min(wanted, LONGEST_SILENCE_IN_MS);
    // Both sides have announced these by now. Clearing them keeps the library from setting its own timers.
    connection.remote.open!.idle_time_out = 0;
    connection.local.open.idle_time_out = 0;
    this.#sendEvery(interval);
    this.#listenUntil(this.#heardAt + SILENCE_LIMIT_IN_MS);
  }

  /** To be called when anything has come from the hub. */
  heard(): void {
    this.#heardAt = Date.now();
  }

  /** Clears the timers. */
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
