import type { Twin } from "../../gen/types.gen.ts";
import { Deadlines } from "../timing/deadline.ts";
import { failure } from "../errors/failures.ts";
import { IoTHubError } from "../errors/errors.ts";
import { checkType, checkWhole } from "../values/checks.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import type { TwinPatch } from "./twin_patch.ts";

/** Says what to write into a twin that was just read; `undefined` leaves it as it is. */
export type TwinChange = (twin: Twin) => TwinPatch | undefined | Promise<TwinPatch | undefined>;

/** How often a modification is tried, beside the usual options. */
export interface ModifyTwinOptions extends OperationOptions {
  /**
   * How often to read, change and write at most, when others write in between.
   * @default {10}
   */
  maxAttempts?: number;
}

const DEFAULT_MAX_ATTEMPTS = 10;

/** Longest pause after the first attempt; it grows by as much with each. */
const PAUSE_IN_MS = 20;

/** Reads, changes and writes until nobody came in between. */
export async function modifyTwin(
  operation: "modifyTwin" | "modifyModuleTwin",
  change: TwinChange,
  options: ModifyTwinOptions,
  read: (options: OperationOptions) => Promise<Twin>,
  write: (patch: TwinPatch, options: OperationOptions & { etag?: string }) => Promise<Twin>,
): Promise<Twin> {
  checkOptions(options);
  checkType("change", change, "function");
  const { abortSignal, timeoutInMs, maxAttempts = DEFAULT_MAX_ATTEMPTS } = options;
  checkWhole("maxAttempts", maxAttempts, 1);
  const deadlines = new Deadlines();
  const deadline = deadlines.start(timeoutInMs ?? Infinity, abortSignal);
  function remaining(): OperationOptions {
    // At least a moment: the call itself says best that its time is up.
    return { abortSignal, timeoutInMs: timeoutInMs && Math.max(1, deadline.due - performance.now()) };
  }
  try {
    for (let attempt = 1;; attempt++) {
      const twin = await read(remaining());
      // The caller's own code, which may take its time and know nothing of the signal.
      const patch = await deadline.race(Promise.resolve(change(twin)));
      if (patch === undefined) return twin;
      try {
        return await write(patch, { ...remaining(), etag: twin.etag });
      } catch (error) {
        const wasChanged = error instanceof IoTHubError && error.statusCode === 412;
        if (!wasChanged || attempt >= maxAttempts) throw error;
        // Those who came in between come back too: not all at the same moment.
        await deadline.sleep(Math.random() * PAUSE_IN_MS * attempt);
      }
    }
  } catch (error) {
    if (!deadline.hasExpired || error instanceof IoTHubError) throw error;
    throw failure({ operation }, "Timeout", `not done within ${timeoutInMs} ms`, { retryable: true });
  } finally {
    deadlines.stop(deadline);
  }
}
