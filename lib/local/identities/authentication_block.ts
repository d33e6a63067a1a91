import { fromBase64, isKeyLength, KEY_LENGTH_RULE, randomKey } from "../keys.ts";
import { cannotUse } from "../../values/checks.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Authentication, AuthenticationType } from "../records/identity_records.ts";

const TYPES_RULE = '"sas" or "selfSigned" or "certificateAuthority"';
/** A SHA-1 or SHA-256 hash in hexadecimal. */
const THUMBPRINT = /^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/;

/** The authentication block of a system module. */
export const NO_AUTHENTICATION: Authentication = withoutKeys("none");

/**
 * Reads the authentication block of an identity that is created or replaced. Without a block the identity gets new
 * keys, on an update too, and its old keys stop working.
 */
export function readAuthentication(block: unknown, owner: "device" | "module"): Authentication {
  if (block === undefined || block === null) return withKeys(randomKey(), randomKey());
  if (!isJsonObject(block)) throw wrongArgumentType("authentication", block, "an object");
  const keys = pair(block, "symmetricKey", "primaryKey", "secondaryKey");
  const thumbprints = pair(block, "x509Thumbprint", "primaryThumbprint", "secondaryThumbprint");
  if (keys.some(isGiven) && thumbprints.some(isGiven)) {
    throw invalidArgument(
      "Cannot use symmetric keys and thumbprints together: authentication must have one or the other",
    );
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
      throw invalidArgument(
        `DeviceAuthenticationTypeIsMissing: ${cannotUse('authentication.type "none" for a device', TYPES_RULE)}`,
      );
    default:
      throw wrongArgument("authentication.type", value, TYPES_RULE);
  }
}

function readKeys([primary, secondary]: [string, string]): Authentication {
  if (primary === "" && secondary === "") return withKeys(randomKey(), randomKey());
  if (primary === "" || secondary === "") {
    throw invalidArgument(
      "Cannot use one symmetric key alone: a device has either no key or a primary and a secondary key",
    );
  }
  checkKey("primaryKey", primary);
  checkKey("secondaryKey", secondary);
  return withKeys(primary, secondary);
}

function checkKey(name: string, key: string): void {
  const length = fromBase64(key)?.length;
  if (length === undefined) throw invalidArgument(`Invalid device key: ${cannotUse(name, "standard base64")}`);
  if (isKeyLength(length)) return;
  throw invalidArgument(`Invalid device key length: ${cannotUse(`${name} of ${length} bytes`, KEY_LENGTH_RULE)}`);
}

function readThumbprints([primary, secondary]: [string, string]): Authentication {
  for (const thumbprint of [primary, secondary]) {
    if (thumbprint === "" || THUMBPRINT.test(thumbprint)) continue;
    throw new HubFault(
      "ArgumentInvalid",
      400,
      `StringIsNotThumbprint: ${cannotUse("a thumbprint", "40 or 64 hexadecimal digits without separators")}`,
    );
  }
  return {
    symmetricKey: { primaryKey: null, secondaryKey: null },
    x509Thumbprint: { primaryThumbprint: primary || null, secondaryThumbprint: secondary || null },
    type: "selfSigned",
  };
}

/** Reads two texts from a member of the block; one that is left out or `null` becomes `""`. */
function pair(block: JsonObject, name: string, first: string, second: string): [string, string] {
  const holder = block[name] ?? {};
  if (!isJsonObject(holder)) throw wrongArgumentType(`authentication.${name}`, holder, "an object");
  const text = (member: string): string => {
    const value = holder[member] ?? "";
    if (typeof value === "string") return value;
    throw wrongArgumentType(`authentication.${name}.${member}`, value, "a string");
  };
  return [text(first), text(second)];
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
