import type { IoTHubError } from "../errors/errors.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/**
 * A write that is repeated may be refused because of its own first attempt: the id is taken, or the etag has changed. The
 * functions here tell whether what the hub has now is what was written.
 *
 * @module
 */

/** Recognizes the earlier attempt of a deletion: when the repetition finds nothing, that attempt has succeeded. */
export function findDeleted({ statusCode }: IoTHubError): Promise<{ data: undefined } | undefined> {
  return Promise.resolve(statusCode === 404 ? { data: undefined } : undefined);
}

/** Recognizes the earlier attempt of a create or update: it has succeeded if what `read` finds now `isOwn`. */
export function findWritten<S, T>(
  sent: S,
  read: (options: OperationOptions) => Promise<T>,
  isOwn: (sent: S, found: T) => boolean,
): (error: IoTHubError, options: OperationOptions) => Promise<{ data: T } | undefined> {
  return async ({ statusCode }, options) => {
    if (statusCode !== 409 && statusCode !== 412) return undefined;
    const found = await read(options);
    // What was sent is JSON, in which a Date for example is a string.
    return isOwn(JSON.parse(JSON.stringify(sent)) as S, found) ? { data: found } : undefined;
  };
}
