import { BackgroundTimer } from "../../timing/background_timer.ts";

/** Reports when a client has been silent for too long. It does not keep the process alive. */
export class IdleWatch {
  readonly #limitInMs: number;
  readonly #onIdle: () => void;
  readonly #timer: BackgroundTimer = new BackgroundTimer();
  #lastTime = Date.now();

  constructor(limitInMs: number, onIdle: () => void) {
    this.#limitInMs = limitInMs;
    this.#onIdle = onIdle;
    this.#setTimer();
  }

  /** To be called whenever something has come from the client. */
  touch(): void {
    this.#lastTime = Date.now();
  }

  stop(): void {
    this.#timer.clear();
  }

  /** Sets one timer, however much arrives meanwhile. When it fires and the client was not silent, it is set again. */
  #setTimer(): void {
    this.#timer.setAt(this.#lastTime + this.#limitInMs, () => {
      if (Date.now() - this.#lastTime < this.#limitInMs) this.#setTimer();
      else this.#onIdle();
    });
  }
}
