/**
 * Does some work for a connection, and passes on what it throws or rejects with: nobody else would catch it, and the
 * process would end.
 */
export function guarded(work: () => unknown, fail: (error: unknown) => void): void {
  try {
    const result = work();
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}
