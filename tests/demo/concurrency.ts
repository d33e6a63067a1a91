/**
 * Does `work` for each item, for at most `limit` of them at the same time.
 *
 * @throws the first error, once the work under way has ended; nothing more is begun then
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const errors: unknown[] = [];
  async function worker(): Promise<void> {
    for (const item of queue) {
      if (errors.length > 0) return;
      await work(item).catch((error) => errors.push(error));
    }
  }
  await Promise.all(Array.from({ length: limit }, worker));
  if (errors.length > 0) throw errors[0];
}
