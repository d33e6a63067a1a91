/**
 * Yields records in batches, the oldest first, for work that lets others have their turn after each. A batch is read only
 * when it is asked for, so that records which are added meanwhile come, too. Without records there is one empty batch.
 *
 * @param size How many records a batch has, unless it is the last one.
 * @param last After which record to begin.
 */
export function* batches<T extends { readonly sequence: number }>(
  records: { after(sequence: number): Iterable<T> },
  size: number,
  last = 0,
): Generator<readonly T[], undefined> {
  for (let isEnd = false; !isEnd;) {
    isEnd = true;
    const batch: T[] = [];
    for (const record of records.after(last)) {
      if (batch.length === size) {
        isEnd = false;
        break;
      }
      batch.push(record);
    }
    last = batch.at(-1)?.sequence ?? last;
    yield batch;
  }
}
