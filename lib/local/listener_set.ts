/** Whoever wants to be told of something. None of them can harm whoever tells. */
export class ListenerSet<T> {
  readonly #listeners = new Set<(value: T) => unknown>();

  /** Whether nobody listens. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Adds a listener. @returns A function that removes it. */
  add(listener: (value: T) => unknown): () => void {
    // The same function may be added twice, and each is removed by itself.
    const own = (value: T): unknown => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /**
   * Calls each listener. It never throws.
   *
   * @param onFailure Is called with what a listener throws, or rejects with where it is an async function.
   */
  tell(value: T, onFailure: (error: unknown) => void): void {
    for (const listener of [...this.#listeners]) {
      try {
        const result = listener(value);
        if (result instanceof Promise) result.catch(onFailure);
      } catch (error) {
        onFailure(error);
      }
    }
  }
}
