import { createRequire } from "node:module";
import type { Json } from "./rest_caller.ts";

/** Longer than anything that a test waits for, and than any other timer of the package. */
const LONG_IN_MS = 10 * 60_000;

/** Loads the vendor's package for Event Hubs. */
export function loadEventHubs(): Json {
  return createRequire(import.meta.url)("@azure/event-hubs");
}

/** Connects the vendor's client with short pauses: by default it looks only every ten seconds what is to be read anew. */
export function connectEventHubs(consumerGroup: string, connectionString: string, maxRetries: number): Json {
  const { EventHubConsumerClient } = loadEventHubs();
  return new EventHubConsumerClient(consumerGroup, connectionString, {
    // A failure leaves timers for this long, which keep the process.
    retryOptions: { retryDelayInMs: 10, maxRetries, timeoutInMs: 2_000 },
    loadBalancingOptions: { strategy: "greedy", updateIntervalInMs: 100 },
  });
}

/**
 * Lets timers of many minutes keep no process, until it is disposed of: with each connection that it loses, the vendor's
 * package forgets the timer that renews its token, which no `close()` then stops.
 */
export class LostRenewals implements Disposable {
  readonly #setTimeout: typeof setTimeout = globalThis.setTimeout;

  constructor() {
    globalThis.setTimeout = new Proxy(this.#setTimeout, {
      apply(target, self, args: Parameters<typeof setTimeout>) {
        const timer: { unref?(): void } | number = Reflect.apply(target, self, args);
        if (typeof timer === "object" && Number(args[1]) > LONG_IN_MS) timer.unref?.();
        return timer;
      },
    });
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#setTimeout;
  }
}
