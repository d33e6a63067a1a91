import type { AuthenticationMechanism, Device, Module, Twin } from "../gen/types.gen.ts";
import type { IoTHubError } from "./errors.ts";
import type { OperationOptions } from "./operation_options.ts";
import type { TwinPatch } from "./twin_patch.ts";

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
export function findWritten<T>(
  read: (options: OperationOptions) => Promise<T>,
  isOwn: (found: T) => boolean,
): (error: IoTHubError, options: OperationOptions) => Promise<{ data: T } | undefined> {
  return async ({ statusCode }, options) => {
    if (statusCode !== 409 && statusCode !== 412) return undefined;
    const found = await read(options);
    return isOwn(found) ? { data: found } : undefined;
  };
}

/** Whether an identity is the one that was sent. Keys that the hub made itself prove nothing. */
export function isOwnIdentity(sent: Device | Module, found: Device | Module): boolean {
  return isOwnAuthentication(sent.authentication, found.authentication) &&
    isMerged(withoutAuthentication(sent), withoutAuthentication(found));
}

function isOwnAuthentication(sent: AuthenticationMechanism = {}, found: AuthenticationMechanism = {}): boolean {
  if (sent.type === "sas" && !sent.symmetricKey?.primaryKey) return false;
  return isMerged(sent, found);
}

function withoutAuthentication(identity: Device | Module): Record<string, unknown> {
  const { authentication: _authentication, parentScopes: _parentScopes, ...rest } = identity as Device;
  return rest;
}

/** Whether a twin has all that a merge patch set, and nothing that it deleted. */
export function hasPatch(patch: TwinPatch, found: Twin): boolean {
  return isMerged(patch.tags ?? {}, found.tags ?? {}) &&
    isMerged(patch.properties?.desired ?? {}, found.properties?.desired ?? {});
}

/** Whether a twin is what a replacement made of it. */
export function isReplacement(replacement: TwinPatch, found: Twin): boolean {
  return isSame(replacement.tags ?? {}, found.tags ?? {}) &&
    isSame(withoutOwned(replacement.properties?.desired ?? {}), withoutOwned(found.properties?.desired ?? {}));
}

/** Whether all that was sent is there; null stands for what is gone, and what is undefined was not sent. */
function isMerged(patch: unknown, found: unknown): boolean {
  if (!isObject(patch)) return isSame(patch, found);
  if (!isObject(found)) return false;
  return Object.entries(withoutOwned(patch)).every(([key, value]) =>
    value === undefined || (value === null ? !Object.hasOwn(found, key) : isMerged(value, found[key]))
  );
}

/** JSON equality, whatever the order of members. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((member, index) => isSame(member, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = definedKeys(one);
  return keys.length === definedKeys(other).length && keys.every((key) => isSame(one[key], other[key]));
}

function definedKeys(object: Record<string, unknown>): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}

/** The hub writes these itself and ignores what is sent. */
function withoutOwned(section: Record<string, unknown>): Record<string, unknown> {
  const { $metadata: _metadata, $version: _version, ...rest } = section;
  return rest;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
