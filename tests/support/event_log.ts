/** What has happened, in order, for tests that wait for it. */
export class EventLog {
  readonly events: string[] = [];
  #onEvent: (() => void)[] = [];

  add(event: string): void {
    this.events.push(event);
    const waiting = this.#onEvent;
    this.#onEvent = [];
    for (const resume of waiting) resume();
  }

  /** How often something has happened. */
  count(event: string): number {
    return this.events.filter((each) => each === event).length;
  }

  /** Waits until something has happened so many times. */
  async until(event: string, times: number = 1): Promise<void> {
    while (this.count(event) < times) await new Promise<void>((resolve) => this.#onEvent.push(resolve));
  }
}
