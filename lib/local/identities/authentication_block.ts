import { fromBase64, randomKey } from "../keys.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Authentication, AuthenticationType } from "../records/identity_records.ts";

const MIN_KEY_BYTES = 16;
const MAX_KEY_BYTES = 64;
/** SHA-1 or SHA-256 in hexadecimal. */
const THUMBPRINT = /^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/;

/** The block of a module that only the hub makes. */
export const NO_AUTHENTICATION: Authentication = withoutKeys("none");

/**
 * Reads the authentication block of an identity that is created or replaced. A block left out is a fresh default one:
 * keys are made, also on an update, and the old ones stop working.
 */
export function readAuthentication(block: unknown, owner: "device" | "module"): Authentication {
  if (block === undefined || block === null) return withKeys(randomKey(), randomKey());
  if (!isJsonObject(block)) throw invalidArgument("authentication must be an object");
  const keys = pair(block, "symmetricKey", "primaryKey", "secondaryKey");
  const thumbprints = pair(block, "x509Thumbprint", "primaryThumbprint", "secondaryThumbprint");
  if (keys.some(isGiven) && thumbprints.some(isGiven)) {
    throw invalidArgument("authentication must have symmetric keys or thumbprints, not both");
  }
  const type = readType(block["type"], thumbprints.some(isGiven), owner);
  if (type === "sas") return readKeys(keys);
  if (type === "selfSigned") return readThumbprints(thumbprints);
  return withoutKeys(type);
}

function readType(value: unknown, hasThumbprint: boolean, owner: "device" | "module"): AuthenticationType {
  if (value === undefined || value === null) return hasThumbprint ? "selfSigned" : "sas";
  switch (typeof value === "string" ? value.toLowerCase() : undefined) {
    case "sas":
      return "sas";
    case "selfsigned":
      return "selfSigned";
    case "certificateauthority":
      return "certificateAuthority";
    case "none":
      if (owner === "module") return "sas";
      throw invalidArgument('DeviceAuthenticationTypeIsMissing: authentication.type "none" is not for devices');
    default:
      throw invalidArgument(
        `authentication.type must be "sas", "selfSigned" or "certificateAuthority", not ${JSON.stringify(value)}`,
      );
  }
}

function readKeys([primary, secondary]: [string, string]): Authentication {
  if (primary === "" && secondary === "") return withKeys(randomKey(), randomKey());
  if (primary === "" || secondary === "") {
    throw invalidArgument("A device must have either no key or both the primary and the secondary key");
  }
  checkKey("primaryKey", primary);
  checkKey("secondaryKey", secondary);
  return withKeys(primary, secondary);
}

function checkKey(name: string, key: string): void {
  const length = fromBase64(key)?.length;
  if (length === undefined) throw invalidArgument(`Invalid device key: ${name} is not standard base64`);
  if (length < MIN_KEY_BYTES || length > MAX_KEY_BYTES) {
    throw invalidArgument(
      `Invalid device key length: ${name} has ${length} bytes, it must have ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES}`,
    );
  }
}

function readThumbprints([primary, secondary]: [string, string]): Authentication {
  for (const thumbprint of [primary, secondary]) {
    if (thumbprint === "" || THUMBPRINT.test(thumbprint)) continue;
    throw new HubFault(
      "ArgumentInvalid",
      400,
      "StringIsNotThumbprint: a thumbprint must be 40 or 64 hexadecimal digits without separators",
    );
  }
  return {
    symmetricKey: { primaryKey: null, secondaryKey: null },
    x509Thumbprint: { primaryThumbprint: primary || null, secondaryThumbprint: secondary || null },
    type: "selfSigned",
  };
}

/** Two string members of a member of the block, `""` where left out or `null`. */
function pair(block: JsonObject, name: string, first: string, second: string): [string, string] {
  const holder = block[name] ?? {};
  if (!isJsonObject(holder)) throw invalidArgument(`authentication.${name} must be an object`);
  const values = [holder[first] ?? "", holder[second] ?? ""];
  const [a, b] = values;
  if (typeof a === "string" && typeof b === "string") return [a, b];
  throw invalidArgument(`authentication.${name} must hold strings`);
}

function isGiven(text: string): boolean {
  return text !== "";
}

function withKeys(primaryKey: string, secondaryKey: string): Authentication {
  return {
    symmetricKey: { primaryKey, secondaryKey },
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    type: "sas",
  };
}

function withoutKeys(type: AuthenticationType): Authentication {
  return {
    symmetricKey: { primaryKey: null, secondaryKey: null },
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    type,
  };
}
