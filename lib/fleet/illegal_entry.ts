import type { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";

/** Returns what becomes of an entry that is not legal, of which nothing was sent. Throws what is not about an entry. */
export function illegalEntry(operation: string, error: unknown): { status: "failed"; error: IoTHubError } {
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
  return { status: "failed", error: failure({ operation }, "ArgumentInvalid", error.message, { cause: error }) };
}
