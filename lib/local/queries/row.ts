import { emptyJsonObject } from "../json.ts";

/** Puts a row together from its columns. A column without a value is left out. */
export function rowOf(names: readonly string[], valueOf: (at: number) => unknown): Record<string, unknown> {
  const row: Record<string, unknown> = emptyJsonObject();
  for (const [at, name] of names.entries()) {
    const value = valueOf(at);
    if (value !== undefined) row[name] = value;
  }
  return row;
}
