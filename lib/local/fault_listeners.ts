import { ListenerSet } from "./listener_set.ts";

/** An exception inside a local hub: a mistake of the hub itself, never one of its caller. */
export interface LocalHubFault {
  /** What was thrown. */
  readonly error: unknown;
  /** The tracking id in the error that the caller was given; also set where there was no caller, as in a timer. */
  readonly trackingId: string;
}

/** Is told about an exception inside the hub. */
export type LocalHubFaultListener = (fault: LocalHubFault) => void;

/** What it takes to tell a client of an error. */
export interface FaultReporter {
  /** The hub's clock, in milliseconds since the epoch. */
  now(): number;
  /** Tells the hub's owner of an exception inside the hub, and returns the tracking id for the client. */
  report(error: unknown): string;
}

/** Tells whoever wants to know about exceptions inside the hub, none of which may end the process. */
export class FaultListeners {
  readonly #listeners = new ListenerSet<LocalHubFault>();

  /** Adds a listener. @returns A function that removes it. */
  add(listener: LocalHubFaultListener): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Tells the listeners of an exception. It never throws.
   *
   * @returns The tracking id for the caller.
   */
  report(error: unknown, trackingId: string = newTrackingId()): string {
    // A listener has nobody to whom it could report its own failure.
    this.#listeners.tell({ error, trackingId }, () => {});
    return trackingId;
  }

  /** Does some work with nobody to catch what it throws. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(error);
    }
  }
}

/** Creates a tracking id, as it stands in the hub's errors. */
export function newTrackingId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
