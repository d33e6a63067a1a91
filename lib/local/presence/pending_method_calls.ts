import { HubFault } from "../hub_fault.ts";
import type { MethodAnswer } from "./device_connection.ts";

/** How many direct methods of one device may wait for its answer. */
const MAX_CALLS_IN_FLIGHT = 100;

/** The direct methods that are called on one device over one connection, and have not been answered. */
export class PendingMethodCalls {
  readonly #pending = new Map<string, (answer: MethodAnswer) => void>();

  /**
   * Waits for the answer to a call. The promise stays pending when the device does not answer, or is gone.
   *
   * @param id Names the call.
   * @param signal Aborted when nobody waits for the answer any more.
   * @param send Sends the call.
   */
  add(id: string, signal: AbortSignal, send: () => void): Promise<MethodAnswer> {
    if (this.#pending.size >= MAX_CALLS_IN_FLIGHT) {
      const message = `${MAX_CALLS_IN_FLIGHT} calls wait for the device to answer`;
      return Promise.reject(new HubFault("DeviceMaximumInflightMethodExceeded", 403, message));
    }
    signal.addEventListener("abort", () => this.#pending.delete(id));
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      send();
    });
  }

  /** Takes an answer of the device. One that nobody waits for is dropped. */
  answer(id: string, answer: MethodAnswer): void {
    this.#pending.get(id)?.(answer);
    this.#pending.delete(id);
  }
}
