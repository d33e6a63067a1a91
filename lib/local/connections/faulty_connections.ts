/** A client's connection, on which faults can be set off. */
export interface FaultyConnection {
  /** Cuts the connection without a word of its protocol. */
  abort(): void;
  /** Holds back everything that the hub sends from now on. */
  hold(): void;
  /** Sends what was held back, and stops holding back. */
  release(): void;
}

/** The open connections of a protocol, which the hub can cut or be silent on. */
export class FaultyConnections<C extends FaultyConnection = FaultyConnection> implements Iterable<C> {
  readonly #open: Set<C> = new Set();
  #isStalled = false;

  /** Adds a connection that has been opened. */
  add(connection: C): void {
    this.#open.add(connection);
    if (this.#isStalled) connection.hold();
  }

  delete(connection: C): void {
    this.#open.delete(connection);
  }

  /** Cuts every connection. */
  drop(): void {
    for (const connection of [...this.#open]) connection.abort();
  }

  /** Falls silent on every connection, and on those that are opened later. */
  stall(): void {
    this.#isStalled = true;
    for (const connection of this.#open) connection.hold();
  }

  /** Ends {@linkcode FaultyConnections.stall}. */
  resume(): void {
    this.#isStalled = false;
    for (const connection of this.#open) connection.release();
  }

  [Symbol.iterator](): Iterator<C> {
    return this.#open.values();
  }
}
