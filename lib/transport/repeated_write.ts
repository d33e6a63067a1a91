import type { Device, Module, Twin } from "../../gen/types.gen.ts";
import type { IoTHubError } from "../errors/errors.ts";
import { isObject } from "../values/json.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import type { TwinPatch } from "../twins/twin_patch.ts";

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

/** Whether an identity is the one that was sent. Keys that the hub made itself prove nothing. */
export function isOwnIdentity(sent: Device | Module, found: Device | Module): boolean {
  const keys = sent.authentication?.symmetricKey;
  if (keys && !keys.primaryKey) return false;
  // The parents are left to the hub, which works them out from the scopes.
  return isMerged({ ...sent, parentScopes: undefined }, found);
}

/** Whether a twin has all that a merge patch set, and nothing that it deleted. */
export function hasPatch(patch: TwinPatch, found: Twin): boolean {
  return isMerged(writable(patch), writable(found));
}

/** Whether a twin is what a replacement made of it. */
export function isReplacement(replacement: TwinPatch, found: Twin): boolean {
  return isSame(writable(replacement), writable(found));
}

function writable({ tags, properties }: TwinPatch | Twin): Record<string, unknown> {
  return { tags: tags ?? {}, desired: properties?.desired ?? {} };
}

/** JSON equality, whatever the order of members. */
function isSame(one: unknown, other: unknown): boolean {
  return isMerged(one, other) && isMerged(other, one);
}

/** Whether all that was sent is there; null stands for what is gone, and what is undefined was not sent. */
function isMerged(sent: unknown, found: unknown): boolean {
  if (Array.isArray(sent) && Array.isArray(found)) {
    return sent.length === found.length && sent.every((member, index) => isSame(member, found[index]));
  }
  if (!isObject(sent) || !isObject(found)) return sent === found;
  return Object.entries(sent).every(([key, value]) =>
    // The hub writes these itself and ignores what is sent.
    value === undefined || key === "$metadata" || key === "$version" ||
    isMerged(value, Object.hasOwn(found, key) ? found[key] : null)
  );
}
