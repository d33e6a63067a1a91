/**
 * Does some work, and ends the connection when it throws or rejects. All work for a connection goes through its guard:
 * nobody else would catch what a handler of an event, a timer or a microtask throws, and the process would end.
 */
export type Guard = (work: () => unknown) => void;
