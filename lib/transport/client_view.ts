import type { SharedHub } from "./shared_hub.ts";

/**
 * One client's view of a hub, which other clients may share. Closing the client ends its own calls. The connections belong
 * to the client that was created first: they are closed with it, and so is every other view.
 */
export class ClientView {
  readonly hub: SharedHub;
  /** Whether closing this client closes the connections. */
  readonly isFirst: boolean;
  #isClosed = false;

  constructor(hub: SharedHub, isFirst: boolean) {
    this.hub = hub;
    this.isFirst = isFirst;
  }

  /** Whether this client can make no more calls. */
  get isClosed(): boolean {
    return this.#isClosed || this.hub.isClosed;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.isFirst) await this.hub.close();
    else this.hub.endCalls(this);
  }
}
