import { type FailedCall, failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { checkType, checkWhole } from "../values/checks.ts";
import { isEtag } from "./if_match.ts";
import { severalCalls } from "./several_calls.ts";

/** The usual options, and how often to try. */
export interface ModifyOptions extends OperationOptions {
  /**
   * How often to read and write at most, if others change the same in the meantime.
   * @default {10}
   */
  maxAttempts?: number | undefined;
}

/** The options of a write that only succeeds if nobody else has written. */
type ConditionalOptions = OperationOptions & { etag?: string | undefined };

const DEFAULT_MAX_ATTEMPTS = 10;

/** The longest pause after the first attempt, in milliseconds. It grows by as much with each attempt. */
const PAUSE_IN_MS = 20;

/**
 * Reads a twin or an identity, and writes the changes to it, until nobody else has changed it between the two.
 *
 * @param call The call, for the text of an error.
 * @param change Returns the changes to write to what was just read, or `undefined` to leave it unchanged.
 */
export async function modify<T extends { etag?: string | undefined }, Change>(
  call: FailedCall,
  change: (found: T) => Change | undefined | Promise<Change | undefined>,
  options: ModifyOptions,
  read: (options: OperationOptions) => Promise<T>,
  write: (change: Change, options: ConditionalOptions, found: T) => Promise<T>,
): Promise<T> {
  checkOptions(options, [["maxAttempts"]]);
  checkType("change", change, "function");
  const { maxAttempts = DEFAULT_MAX_ATTEMPTS } = options;
  checkWhole("maxAttempts", maxAttempts, 1);
  return await severalCalls(call, options, async (deadline, remaining) => {
    for (let attempt = 1;; attempt++) {
      const found = await read(remaining());
      // This is the caller's code, which may take long and may ignore the signal.
      const changes = await deadline.race(Promise.resolve(change(found)));
      if (changes === undefined) return found;
      if (!isEtag(found.etag)) {
        // Without it the write would match any version, and undo what others have written.
        const reason = "the hub's answer came without a usable etag, so nothing was written";
        throw failure(call, "InvalidResponse", reason);
      }
      try {
        return await write(changes, { ...remaining(), etag: found.etag }, found);
      } catch (error) {
        const wasChanged = error instanceof IoTHubError && error.statusCode === 412;
        if (!wasChanged || attempt >= maxAttempts) throw error;
        // Others that were refused try again too. A random pause keeps them from doing so at the same moment.
        await deadline.sleep(Math.random() * PAUSE_IN_MS * attempt);
      }
    }
  });
}
