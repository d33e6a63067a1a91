import type { AmqpContent, AmqpDelivery, AmqpSource, AmqpSourceEvents } from "./backend.ts";
import type { AmqpError } from "./conditions.ts";
import { MAX_WAITING_MESSAGES } from "./hub_limits.ts";

const OVERFLOW: AmqpError = {
  condition: "amqp:resource-limit-exceeded",
  description: `${MAX_WAITING_MESSAGES} messages wait for credit: grant more, or ask for less`,
};

/** What waits for a link on which the hub sends, and is lost with it. Nobody settles it. */
export class Outbox {
  #waiting: AmqpContent[] = [];
  #events: AmqpSourceEvents | undefined;

  /** Whether there is a link that takes what is put in. */
  get isOpen(): boolean {
    return this.#events !== undefined;
  }

  /** Becomes the source of a link. */
  open(events: AmqpSourceEvents): AmqpSource {
    this.#events = events;
    this.#waiting = [];
    return {
      next: () => {
        const content = this.#waiting.shift();
        return content === undefined ? undefined : unlockedDelivery(content);
      },
      close: () => {
        if (this.#events !== events) return;
        this.#events = undefined;
        this.#waiting = [];
      },
    };
  }

  /** Sends something as soon as the link has credit. A link whose client takes too little is ended. */
  put(content: AmqpContent): void {
    if (this.#waiting.length >= MAX_WAITING_MESSAGES) return this.#events?.end(OVERFLOW);
    this.#waiting.push(content);
    this.#events?.wake();
  }

  /** Takes back what has not been sent. */
  takeBack(content: AmqpContent): void {
    this.#waiting = this.#waiting.filter((other) => other !== content);
  }
}

/** Makes a delivery of what nobody else can get, so that nothing depends on its outcome. */
export function unlockedDelivery(content: AmqpContent): AmqpDelivery {
  return {
    content,
    complete: () => true,
    abandon: () => true,
    reject: () => true,
    unlock() {},
  };
}
