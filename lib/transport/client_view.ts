import type { SharedHub } from "./shared_hub.ts";

/**
 * One client's view of a hub, which other clients may share. Closing the client ends its own calls. The connections belong
 * to the client that was created first: they are closed with it, and so is every other view.
 */
export class ClientView {
  readonly hub: SharedHub;
  /** Whether closing this client closes the connections. */
  readonly isFirst: boolean;
  readonly #closing = new AbortController();

  constructor(hub: SharedHub, isFirst: boolean) {
    this.hub = hub;
    this.isFirst = isFirst;
  }

  /** Whether this client can make no more calls. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted || this.hub.isClosed;
  }

  /** Fires when this view itself is closed, and not when the hub is. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.isFirst) await this.hub.close();
    else this.hub.transport.endCalls(this);
  }
}
