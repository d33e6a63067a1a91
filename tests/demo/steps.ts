/** Where the demo writes to. */
export interface Output {
  /** Writes a line for good. */
  line(text?: string): void;
  /** Shows how far a step is. Called often; may show nothing. */
  progress(text: string): void;
}

/** How long a step took, and for how many items. */
export interface StepTime {
  title: string;
  count: number;
  milliseconds: number;
}

/** Runs the steps of the demo one after the other, shows their progress and keeps their times. */
export class Steps {
  readonly times: StepTime[] = [];
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  /**
   * Runs a step; its time counts even if it fails.
   *
   * @param work is given a function to be called with the number of items that are done
   */
  async run<T>(title: string, total: number, work: (advance: (count: number) => void) => Promise<T>): Promise<T> {
    const time: StepTime = { title, count: 0, milliseconds: 0 };
    this.times.push(time);
    const start = performance.now();
    const advance = (count: number) => {
      time.count += count;
      this.#output.progress(`${title}: ${time.count} of ${total}`);
    };
    try {
      return await work(advance);
    } finally {
      time.milliseconds = performance.now() - start;
    }
  }
}
