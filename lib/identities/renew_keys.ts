import type { Device, Module } from "../../gen/types.gen.ts";
import { type FailedCall, failure } from "../errors/failures.ts";
import { checkOptions } from "../timing/operation_options.ts";
import type { ModifyOptions } from "../transport/modify.ts";
import { encodeBase64 } from "../values/base64.ts";
import { checkChoice } from "../values/checks.ts";
import type { SymmetricKeys } from "./authentication.ts";

/** The usual options, how often to try, and which keys to renew. */
export interface RenewKeysOptions extends ModifyOptions {
  /**
   * Which of the two keys to replace with a new one. `"swap"` makes no key, but lets the two change places.
   * @default {"both"}
   */
  keys?: "primary" | "secondary" | "both" | "swap" | undefined;
}

/** As long as the keys that the hub makes. */
const KEY_LENGTH_IN_BYTES = 32;

/** Renews the keys of an identity. `modify` reads it, and writes what its argument makes of it. */
export async function renewKeys<T extends Device | Module>(
  call: FailedCall,
  options: RenewKeysOptions,
  modify: (change: (identity: T) => SymmetricKeys, options: ModifyOptions) => Promise<T>,
): Promise<T> {
  checkOptions(options, [["keys", "maxAttempts"]]);
  const { keys = "both", ...others } = options;
  checkChoice("keys", keys, ["primary", "secondary", "both", "swap"]);
  return await modify((identity) => renewedKeys(call, identity, keys), others);
}

/** Returns the keys of an identity once some are replaced or have changed places. Throws if it has none. */
export function renewedKeys(
  call: FailedCall,
  { authentication }: Device | Module,
  keys: NonNullable<RenewKeysOptions["keys"]>,
): SymmetricKeys {
  const { primaryKey, secondaryKey } = authentication?.symmetricKey ?? {};
  if (!primaryKey || !secondaryKey) {
    const reason = `it has no keys, since its way to sign in is ${authentication?.type}; nothing was written`;
    throw failure(call, "OperationNotAllowedInCurrentState", reason);
  }
  if (keys === "swap") return { primaryKey: secondaryKey, secondaryKey: primaryKey };
  return {
    primaryKey: keys === "secondary" ? primaryKey : newKey(),
    secondaryKey: keys === "primary" ? secondaryKey : newKey(),
  };
}

function newKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(KEY_LENGTH_IN_BYTES)));
}
