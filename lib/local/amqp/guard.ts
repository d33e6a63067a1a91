import type { EventContext } from "rhea";

/**
 * Does some work, and ends the connection when it throws or rejects. All work for a connection goes through its guard:
 * nobody else would catch what a handler of an event, a timer or a microtask throws, and the process would end.
 */
export type Guard = (work: () => unknown) => void;

/** Something of the AMQP library that reports events. */
interface Emitter {
  on(event: string, listener: (context: EventContext) => void): unknown;
}

/** Handles the events of a connection or link, all through its guard. */
export function listen(
  emitter: Emitter,
  guard: Guard,
  handlers: Readonly<Record<string, (context: EventContext) => unknown>>,
): void {
  for (const [event, handle] of Object.entries(handlers)) {
    emitter.on(event, (context) => guard(() => handle(context)));
  }
}
