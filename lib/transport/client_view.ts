import type { SharedHub } from "./shared_hub.ts";

/**
 * One client's view of a hub that others may share. What the client has under way ends when it is closed. The connections
 * end with the client that was made first, and then every other view is closed too.
 */
export class ClientView {
  readonly hub: SharedHub;
  /** Whether the connections end with this client. */
  readonly isFirst: boolean;
  readonly #closing = new AbortController();

  constructor(hub: SharedHub, isFirst: boolean) {
    this.hub = hub;
    this.isFirst = isFirst;
  }

  /** Whether no more calls can be made. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted || this.hub.isClosed;
  }

  /** Fires when this view is closed by itself. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.isFirst) await this.hub.close();
    else this.hub.transport.endCalls(this);
  }
}
