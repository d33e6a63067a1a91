import type { AmqpSource } from "./backend.ts";
import type { ServiceQueue } from "../messages/service_queue.ts";

/** A receiving link's view of a queue that all back ends share: whoever asks first gets the next message. */
export function openServiceSource(queue: ServiceQueue, now: () => number, wake: () => void): AmqpSource {
  const stop = queue.onMessage(wake);
  return {
    next() {
      const message = queue.lockNext(now());
      if (message === undefined) return undefined;
      const { lockToken } = message;
      return {
        lockToken,
        content: { kind: "service", message },
        complete: () => queue.complete(lockToken, now()),
        abandon: () => queue.abandon(lockToken, now()),
        // What the real hub does with a rejected one is written down nowhere: here it goes, as nobody can read it later.
        reject: () => queue.complete(lockToken, now()),
        unlock: () => queue.unlock(lockToken),
      };
    },
    close: stop,
  };
}
