import { BackgroundTimer } from "../../timing/background_timer.ts";

/** Tells when nothing has come for too long. Does not keep the process alive. */
export class AmqpIdleWatch {
  readonly #limitInMs: number;
  readonly #onIdle: () => void;
  readonly #timer: BackgroundTimer = new BackgroundTimer();
  #lastTime = Date.now();

  constructor(limitInMs: number, onIdle: () => void) {
    this.#limitInMs = limitInMs;
    this.#onIdle = onIdle;
    this.#setTimer();
  }

  /** Something has come. */
  touch(): void {
    this.#lastTime = Date.now();
  }

  end(): void {
    this.#timer.clear();
  }

  /** One timer at a time, however much comes: it looks at its end whether there is something left to wait. */
  #setTimer(): void {
    this.#timer.setAt(this.#lastTime + this.#limitInMs, () => {
      if (Date.now() - this.#lastTime < this.#limitInMs) this.#setTimer();
      else this.#onIdle();
    });
  }
}
