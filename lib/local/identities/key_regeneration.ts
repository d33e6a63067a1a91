import { quote } from "../../values/checks.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { randomKey } from "../keys.ts";
import { type IdentityTarget, requireIdentity } from "../records/find_identity.ts";
import { identityKey } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { requireObject } from "./identity_rules.ts";

const MAX_IDENTITIES = 100;
const KEYS = ["primaryKey", "secondaryKey"] as const;

type PolicyKey = typeof KEYS[number];

/** The keys of an identity, one of which is new. */
export interface RegeneratedKeys {
  readonly id: string;
  readonly moduleId?: string;
  readonly primaryKey: string;
  readonly secondaryKey: string;
}

/** Why an identity has its old keys still. */
export interface KeyRegenerationError {
  readonly id: string;
  readonly moduleId?: string;
  readonly errorCode: string;
  readonly errorStatus: string;
}

/** What came of a call. */
export interface KeyRegenerationResult {
  readonly policyKey: PolicyKey;
  readonly rotatedKeys: readonly RegeneratedKeys[];
  readonly errors: readonly KeyRegenerationError[];
}

/**
 * Gives up to a hundred devices and modules a new key each, in place of one of their two. The other key, and all else,
 * stays as it is.
 *
 * @param store The identities.
 * @param body The body of the call.
 * @returns The keys of those that have a new one, and an error for each other.
 * @throws {HubFault} `InvalidPolicyKey`, `ArgumentInvalid` or `DeviceDefinedMultipleTimes` (400) when the call as a whole
 * cannot be carried out.
 */
export function regenerateKeys(store: IdentityStore, body: unknown): KeyRegenerationResult {
  const request = requireObject("a regeneration of keys", body);
  const policyKey = readPolicyKey(request);
  const rotatedKeys: RegeneratedKeys[] = [];
  const errors: KeyRegenerationError[] = [];
  for (const { deviceId, moduleId } of readTargets(request)) {
    const named = { id: deviceId, ...(moduleId !== undefined && { moduleId }) };
    try {
      rotatedKeys.push({ ...named, ...regenerateKey(store, { deviceId, moduleId }, policyKey) });
    } catch (error) {
      if (!(error instanceof HubFault)) throw error;
      errors.push({ ...named, errorCode: error.code, errorStatus: error.message });
    }
  }
  return { policyKey, rotatedKeys, errors };
}

function regenerateKey(
  store: IdentityStore,
  target: IdentityTarget,
  policyKey: PolicyKey,
): Pick<RegeneratedKeys, PolicyKey> {
  const record = requireIdentity(store, target, { includeDisabled: true, missingModule: "ModuleNotFound" });
  const { authentication } = record;
  const { primaryKey, secondaryKey } = authentication.symmetricKey;
  if (primaryKey === null || secondaryKey === null) {
    throw invalidArgument(
      `${
        identityKey(target.deviceId, target.moduleId)
      } has no symmetric keys: its authentication is of the type ${authentication.type}`,
    );
  }
  const symmetricKey = { primaryKey, secondaryKey, [policyKey]: randomKey() };
  store.update(record, { authentication: { ...authentication, symmetricKey }, etagCounter: record.etagCounter + 1 });
  return symmetricKey;
}

function readPolicyKey({ policyKey }: JsonObject): PolicyKey {
  const wanted = typeof policyKey === "string" ? policyKey.toLowerCase() : undefined;
  const key = KEYS.find((candidate) => candidate.toLowerCase() === wanted);
  if (key !== undefined) return key;
  const { message } = wrongArgument("policyKey", policyKey, KEYS.map(quote).join(" or "));
  throw new HubFault("InvalidPolicyKey", 400, message);
}

function readTargets({ devices }: JsonObject): IdentityTarget[] {
  if (!Array.isArray(devices)) throw wrongArgumentType("devices", devices, "an array");
  if (devices.length > MAX_IDENTITIES) {
    throw invalidArgument(
      `The call names ${devices.length} identities and may name ${MAX_IDENTITIES} at most: split it into several calls`,
    );
  }
  const seen = new Set<string>();
  return devices.map((device, index) => {
    if (!isJsonObject(device)) throw wrongArgumentType(`element ${index}`, device, "an object");
    const { id } = device;
    if (typeof id !== "string") throw wrongArgument(`id of element ${index}`, id, "a string");
    const moduleId = device["moduleId"] ?? "";
    if (typeof moduleId !== "string") throw wrongArgument(`moduleId of element ${index}`, moduleId, "a string");
    const key = identityKey(id, moduleId || undefined);
    if (seen.has(key)) throw new HubFault("DeviceDefinedMultipleTimes", 400, `The call names ${key} more than once`);
    seen.add(key);
    return { deviceId: id, moduleId: moduleId || undefined };
  });
}
