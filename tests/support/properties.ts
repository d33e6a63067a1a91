import fc from "fast-check";
import { SEED } from "./seed.ts";
import { sized } from "./test_size.ts";

/**
 * Holds a property against `runs` inputs, in `deno task prove` against many more; a failure tells the smallest input
 * found, with the seed and the way to it.
 */
export async function holds<T>(property: fc.IRawProperty<T>, runs: number): Promise<void> {
  await fc.assert(property, { seed: SEED, numRuns: sized(runs, 50 * runs) });
}

/** Any 16-bit units in a row, surrogates without a partner among them. */
export const ANY_UNITS: fc.Arbitrary<string> = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});

/** One character of any script; fast-check's own units of this kind cost a second to set up. */
export const ANY_CHARACTER: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(..."aZ0 -_éßñЖ語あ\u0301\u200d\u202e\ufeff", "😀", "👨‍👩‍👧", "e\u0301"),
  fc.integer({ min: 0x20, max: 0xd7ff }).map((point) => String.fromCodePoint(point)),
  fc.integer({ min: 0xe000, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
);

/** Texts of all kinds, those that are special to URLs, headers and JSON more often than by chance. */
export const ANY_TEXT: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: ANY_CHARACTER }),
  ANY_UNITS,
  fc.string({ unit: fc.constantFrom(..."\r\n\t\0\x7f\x80~\"'\\/.%?#&=;:,+ *<>{}[]é\u2028") }),
  fc.string({ unit: fc.constantFrom(..."./\\%2eE5cfF") }),
  fc.constantFrom("", ".", "..", "%2e", "%2E%2e", "../..", "a/../b", "__proto__", "constructor", '"', '""', "*", "W/*"),
);

/** The own process's words for what a call did: its result, or what it rejected with. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Waits for a call, and never throws. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** Whether an argument was refused the way a wrong argument is: with exactly one of these two classes. */
export function isRefusal(outcome: Outcome): boolean {
  if (!("error" in outcome) || !(outcome.error instanceof Error)) return false;
  const { constructor, message } = outcome.error;
  return (constructor === TypeError || constructor === RangeError) && message.startsWith("Cannot ");
}

/** What a JSON text makes of a value: no undefined members, no negative zero. */
export function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
