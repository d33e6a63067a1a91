/** What a timer is able to do in Node and Bun, where it is an object. */
type TimerObject = { ref?(): void; unref?(): void } | null;

/** What Deno has for timers, which are numbers there. */
interface DenoTimers {
  readonly Deno?: { refTimer(id: unknown): void; unrefTimer(id: unknown): void };
}

/** Sets whether a timer keeps the process alive. In browsers it is a number too, and there is no process. */
export function keepAlive(timer: unknown, isWanted: boolean): void {
  const method = isWanted ? "ref" : "unref";
  if (typeof timer === "object") (timer as TimerObject)?.[method]?.();
  else (globalThis as DenoTimers).Deno?.[`${method}Timer`](timer);
}
