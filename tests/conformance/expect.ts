/** Assertions in plain JavaScript, since browsers and plain Workers have no `node:assert`. */
export function expect(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** Throws unless both values are the same JSON, whatever the order of members. */
export function expectEqual(actual: unknown, expected: unknown, what: string = "value"): void {
  const [got, wanted] = [canonical(actual), canonical(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

/** Throws unless `promise` rejects with an error that has all of `facts`. */
export async function expectRejection(promise: Promise<unknown>, facts: Record<string, unknown>): Promise<Error> {
  const outcome = await promise.then((value) => ({ value }), (error: unknown) => ({ error }));
  if (!("error" in outcome)) throw new Error(`expected a rejection, got ${canonical(outcome.value)}`);
  const { error } = outcome;
  for (const [name, expected] of Object.entries(facts)) {
    const actual = (error as Record<string, unknown>)?.[name];
    if (actual !== expected) throw new Error(`${name}: expected ${expected}, got ${actual}, in ${String(error)}`);
  }
  return error as Error;
}

function canonical(value: unknown): string {
  const sorted = (_key: string, member: unknown): unknown =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : 1))
      : member;
  return JSON.stringify(value, sorted) ?? String(value);
}
