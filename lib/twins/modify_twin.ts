import type { Twin } from "../../gen/types.gen.ts";
import { Deadlines } from "../timing/deadline.ts";
import { failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { checkType, checkWhole } from "../values/checks.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { isEtag } from "../transport/if_match.ts";
import type { TwinPatch } from "./twin_patch.ts";

/** Returns the changes to write to a twin that was just read, or `undefined` to leave the twin unchanged. */
export type TwinChange = (twin: Twin) => TwinPatch | undefined | Promise<TwinPatch | undefined>;

/** The usual options, and how often to try. */
export interface ModifyTwinOptions extends OperationOptions {
  /**
   * How often to read and write at most, if others change the twin in the meantime.
   * @default {10}
   */
  maxAttempts?: number;
}

const DEFAULT_MAX_ATTEMPTS = 10;

/** The longest pause after the first attempt, in milliseconds. It grows by as much with each attempt. */
const PAUSE_IN_MS = 20;

/** Reads a twin, and writes the changes to it, until nobody else has changed it between the two. */
export async function modifyTwin(
  operation: "modifyTwin" | "modifyModuleTwin",
  change: TwinChange,
  options: ModifyTwinOptions,
  read: (options: OperationOptions) => Promise<Twin>,
  write: (patch: TwinPatch, options: OperationOptions & { etag?: string }) => Promise<Twin>,
): Promise<Twin> {
  checkOptions(options, [["maxAttempts"]]);
  checkType("change", change, "function");
  const { abortSignal, timeoutInMs, maxAttempts = DEFAULT_MAX_ATTEMPTS } = options;
  checkWhole("maxAttempts", maxAttempts, 1);
  const deadlines = new Deadlines();
  const deadline = deadlines.start(timeoutInMs ?? Infinity, abortSignal);
  function remaining(): OperationOptions {
    // At least 1 ms is left, since the error of the call itself tells best that the time is up.
    return { abortSignal, timeoutInMs: timeoutInMs && Math.max(1, deadline.due - performance.now()) };
  }
  try {
    for (let attempt = 1;; attempt++) {
      const twin = await read(remaining());
      // This is the caller's code, which may take long and may ignore the signal.
      const patch = await deadline.race(Promise.resolve(change(twin)));
      if (patch === undefined) return twin;
      if (!isEtag(twin.etag)) {
        // Without it the write would match any version, and undo what others have written.
        const reason = "the hub sent the twin without a usable etag, so nothing was written";
        throw failure({ operation }, "InvalidResponse", reason);
      }
      try {
        return await write(patch, { ...remaining(), etag: twin.etag });
      } catch (error) {
        const wasChanged = error instanceof IoTHubError && error.statusCode === 412;
        if (!wasChanged || attempt >= maxAttempts) throw error;
        // Others that were refused try again too. A random pause keeps them from doing so at the same moment.
        await deadline.sleep(Math.random() * PAUSE_IN_MS * attempt);
      }
    }
  } catch (error) {
    if (!deadline.hasExpired || error instanceof IoTHubError) throw error;
    throw failure({ operation }, "Timeout", `it took longer than ${timeoutInMs} ms`, { retryable: true });
  } finally {
    deadlines.stop(deadline);
  }
}
