import type { AmqpSource } from "./backend.ts";
import type { ServiceQueue } from "../messages/service_queue.ts";

/** Opens a queue that all back ends share for a link. The first link to ask gets the next message. */
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
        // It is not documented what the real hub does with a rejected message. Here it ends, since nobody can handle
        // it.
        reject: () => queue.complete(lockToken, now()),
        unlock: () => queue.unlock(lockToken),
      };
    },
    close: stop,
  };
}
