import { checkType, wrongType, wrongValue } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { isSymmetricKey, randomKey, SYMMETRIC_KEY_RULE } from "../keys.ts";

/** The keys of a shared access policy that do not change from one run to the next. */
export interface LocalPolicyKeys {
  /** The primary key: 16 to 64 bytes in standard base64. */
  primaryKey: string;
  /** The secondary key, likewise. Left out, it is random. */
  secondaryKey?: string | undefined;
}

/** What can be said of the keys of a policy: its primary key, or both. */
export type PolicyKeyOption = string | LocalPolicyKeys | undefined;

/** Both keys of a policy. */
export interface PolicyKeys {
  readonly primaryKey: string;
  readonly secondaryKey: string;
}

/**
 * Throws unless each option names the keys of a policy. The error does not show them.
 *
 * @throws {TypeError} For a policy that no hub has, or a wrong type.
 * @throws {RangeError} For what is no key.
 */
export function checkPolicyKeys(policyKeys: unknown, policyNames: readonly string[]): void {
  checkMembers("policyKeys", policyKeys, policyNames);
  for (const [policyName, keys] of Object.entries(policyKeys)) {
    const name = `policyKeys.${policyName}`;
    if (keys === undefined) continue;
    if (typeof keys === "string") checkKey(name, keys);
    else if (typeof keys !== "object" || keys === null) throw wrongType(name, "a key, or an object with keys", keys);
    else checkBoth(name, keys);
  }
}

function checkBoth(name: string, keys: object): void {
  checkMembers(name, keys, ["primaryKey", "secondaryKey"]);
  const { primaryKey, secondaryKey } = keys as Partial<LocalPolicyKeys>;
  checkKey(`${name}.primaryKey`, primaryKey);
  if (secondaryKey !== undefined) checkKey(`${name}.secondaryKey`, secondaryKey);
}

function checkKey(name: string, key: unknown): void {
  checkType(name, key, "string");
  if (!isSymmetricKey(key)) throw wrongValue(name, SYMMETRIC_KEY_RULE);
}

/** Returns the keys that an option says, and for those that it leaves out the ones that are kept, or else new ones. */
export function readPolicyKeys(option: PolicyKeyOption, kept: Partial<PolicyKeys> = {}): PolicyKeys {
  const { primaryKey, secondaryKey }: Partial<LocalPolicyKeys> = typeof option === "string"
    ? { primaryKey: option }
    : option ?? {};
  return {
    primaryKey: primaryKey ?? kept.primaryKey ?? randomKey(),
    secondaryKey: secondaryKey ?? kept.secondaryKey ?? randomKey(),
  };
}
