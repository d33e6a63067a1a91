import type { IoTHubError } from "../errors/errors.ts";
import type { OperationOptions } from "../timing/operation_options.ts";

/**
 * A write that was repeated may find what its own first attempt left: the id is taken, or the etag has moved on. These say
 * of what is there now whether it is what was written.
 *
 * @module
 */

/** A deletion that is repeated and finds nothing has done its work before. */
export function findDeleted({ statusCode }: IoTHubError): Promise<{ data: undefined } | undefined> {
  return Promise.resolve(statusCode === 404 ? { data: undefined } : undefined);
}

/** A conditional write that is repeated may find that its own first attempt has moved the etag on. */
export function findWritten<S, T>(
  sent: S,
  read: (options: OperationOptions) => Promise<T>,
  isOwn: (sent: S, found: T) => boolean,
): (error: IoTHubError, options: OperationOptions) => Promise<{ data: T } | undefined> {
  return async ({ statusCode }, options) => {
    if (statusCode !== 409 && statusCode !== 412) return undefined;
    const found = await read(options);
    return isOwn(sent, found) ? { data: found } : undefined;
  };
}
