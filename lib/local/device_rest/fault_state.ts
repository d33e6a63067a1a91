import type { HubAnswer } from "../hub_answer.ts";
import type { HubRequest } from "../hub_request.ts";

/** What happens to a request instead of its true answer. */
export type PlannedRequestFault =
  | { readonly kind: "answer"; readonly status: number }
  | { readonly kind: "delay"; readonly delayInMs: number }
  | { readonly kind: "ignore" };

/** The paths of the operations of devices. */
const DEVICE_PATH = /^\/devices\/[^/]+\/(?:messages\/(?:events|devicebound)|files)(?:\/|$)/i;

/** The faults that requests of devices will meet. */
export class DeviceRequestFaults {
  readonly #planned: PlannedRequestFault[] = [];
  readonly #closing: AbortController = new AbortController();

  /** Plans a fault for the next requests. */
  plan(fault: PlannedRequestFault, count: number): void {
    for (let i = 0; i < count; i++) this.#planned.push(fault);
  }

  /**
   * Answers a request, by the plan if it is one of a device.
   *
   * @param answer Gives the true answer.
   */
  async apply(request: HubRequest, answer: () => Promise<HubAnswer>): Promise<HubAnswer> {
    const fault = this.#planned.length > 0 && DEVICE_PATH.test(new URL(request.url).pathname)
      ? this.#planned.shift()
      : undefined;
    if (fault === undefined) return await answer();
    if (fault.kind === "answer") {
      return { status: fault.status, headers: { "content-length": "0" }, body: null };
    }
    const response = await answer();
    await this.#wait(request.signal, fault.kind === "delay" ? fault.delayInMs : undefined);
    return response;
  }

  /** Ends all waits. */
  close(): void {
    this.#closing.abort(new TypeError("The local hub is closed"));
  }

  #wait(caller: AbortSignal, delayInMs: number | undefined): Promise<void> {
    const closing = this.#closing.signal;
    return new Promise((resolve, reject) => {
      const timer = delayInMs === undefined ? undefined : setTimeout(() => end(resolve), delayInMs);
      const onAbort = (): void => end(() => reject(caller.aborted ? caller.reason : closing.reason));
      function end(settle: () => void): void {
        clearTimeout(timer);
        for (const signal of [caller, closing]) signal.removeEventListener("abort", onAbort);
        settle();
      }
      for (const signal of [caller, closing]) signal.addEventListener("abort", onAbort);
      if (caller.aborted || closing.aborted) onAbort();
    });
  }
}
