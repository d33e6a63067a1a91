/**
 * What the tests, not the module, use of the language and of `node:assert` that Node 20 does not have yet. It goes to
 * the head of every test that is built for Node 20.
 */
import assert from "node:assert/strict";

Promise.withResolvers ??= function <T>(): PromiseWithResolvers<T> {
  let [resolve, reject] = [(_value: T | PromiseLike<T>): void => {}, (_reason?: unknown): void => {}];
  const promise = new Promise<T>((onValue, onReason) => [resolve, reject] = [onValue, onReason]);
  return { promise, resolve, reject };
};

Object.groupBy ??= function <K extends PropertyKey, T>(
  items: Iterable<T>,
  keyOf: (item: T, index: number) => K,
): Partial<Record<K, T[]>> {
  const groups: Partial<Record<K, T[]>> = Object.create(null);
  let index = 0;
  for (const item of items) (groups[keyOf(item, index++)] ??= []).push(item);
  return groups;
};

assert.partialDeepStrictEqual ??= function (actual: unknown, expected: unknown, message?: string | Error): void {
  const present = actual as Record<string, unknown>;
  const named = Object.keys(expected as object).map((key) => [key, present[key]]);
  assert.deepStrictEqual(Object.fromEntries(named), expected, message);
};
