import { keepAlive } from "./keep_alive.ts";

/** `setTimeout` counts in 32 bits. With a longer delay it would fire at once. */
const MAX_DELAY_IN_MS = 2 ** 31 - 1;

/** A timer that can be set many times, and that does not keep the process alive. */
export class BackgroundTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `action` at `time`, in milliseconds since 1970. This replaces what was set before. */
  setAt(time: number, action: () => void): void {
    this.clear();
    if (time === Infinity) return;
    const delay = Math.max(0, time - Date.now());
    this.#timer = delay > MAX_DELAY_IN_MS
      ? setTimeout(() => this.setAt(time, action), MAX_DELAY_IN_MS)
      : setTimeout(action, delay);
    keepAlive(this.#timer, false);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
