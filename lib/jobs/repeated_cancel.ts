import type { IoTHubError } from "../errors/errors.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/** Recognizes the earlier attempt of a cancellation: it has succeeded if the job that `read` finds now is cancelled. */
export function findCancelled<T extends { status?: string | undefined }>(
  read: (options: OperationOptions) => Promise<T>,
): (error: IoTHubError, options: OperationOptions) => Promise<{ data: T } | undefined> {
  return async ({ statusCode }, options) => {
    // A job that has ended cannot be cancelled, or is not there any more.
    if (statusCode !== 404 && statusCode !== 405) return undefined;
    const data = await read(options);
    return data.status === "cancelled" ? { data } : undefined;
  };
}
