import { setImmediate } from "node:timers";

const { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout } = globalThis;
const realNow = Date.now;
const realTick = performance.now;

interface MockedTimer {
  due: number;
  readonly run: () => void;
  ref(): void;
  unref(): void;
  /** What Node's own WebSocket asks of a timer. */
  refresh(): void;
}

/**
 * Stops `setTimeout`, `Date.now` and `performance.now` until told to go on. Sockets are not touched by it. In place of the mock of
 * node:test, with which the real timers do not run on each runtime.
 */
export class MockedTime implements Disposable {
  readonly #timers = new Set<MockedTimer>();
  #now = realNow();

  constructor() {
    const set = (run: () => void, delayInMs: number = 0): MockedTimer => {
      const refresh = (): void => void (timer.due = this.#now + Math.max(1, delayInMs));
      const timer = { due: this.#now + Math.max(1, delayInMs), run, ref() {}, unref() {}, refresh };
      this.#timers.add(timer);
      return timer;
    };
    const clear = (timer: unknown): void => {
      // What was set before is real.
      if (!this.#timers.delete(timer as MockedTimer)) clearRealTimeout(timer as number);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    Date.now = () => this.#now;
    performance.now = () => this.#now;
  }

  /** Lets time pass at once. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].sort((one, other) => one.due - other.due);
      if (next === undefined || next.due > end) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.run();
    }
    this.#now = end;
  }

  /** Lets time pass in steps, each of which ends when what was sent in it has been read. */
  async passInSteps(milliseconds: number, stepInMs: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += stepInMs) {
      this.pass(stepInMs);
      await turns();
    }
  }

  /** Lets time pass, a step at each of the event loop's turns, until something has come about. */
  async passUntil(hasComeAbout: () => boolean, stepInMs: number = 1): Promise<void> {
    while (!hasComeAbout()) await this.passInSteps(stepInMs, stepInMs);
  }

  /** Lets time pass, a step at each of the event loop's turns, until a promise has settled; returns what it does. */
  async settle<T>(promise: Promise<T>, stepInMs: number = 1): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    await this.passUntil(() => isSettled, stepInMs);
    return await promise;
  }

  /**
   * Lets time jump from timer to timer until a promise has settled; returns what it does. What is busy has some turns of the
   * event loop before each jump, so that it takes no time, however slow the machine is.
   */
  async settleInJumps<T>(promise: Promise<T>, isBusy: () => boolean): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    while (!isSettled) {
      await shortTurns(2);
      if (isBusy()) await shortTurns(10);
      if (isSettled) break;
      const next = Math.min(...Array.from(this.#timers, ({ due }) => due)) - this.#now;
      this.pass(Math.min(next, 60_000));
    }
    return await promise;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout });
    Date.now = realNow;
    performance.now = realTick;
  }
}

/** Waits for some turns of the event loop that do not wait for a timer, in which what is in process goes on. */
async function shortTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for some turns of the event loop, within which what is sent over loopback arrives. */
export async function turns(count: number = 2): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setRealTimeout(resolve));
}
