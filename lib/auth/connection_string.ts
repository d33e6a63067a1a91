import { checkText, checkType, wrongValue } from "../values/checks.ts";
import { hideSecrets } from "../errors/redaction.ts";
import { checkPolicyName, keyBytes } from "./sas_token.ts";

/** The parts of a connection string, of a hub's policy or of a device or module. */
export interface ConnectionString {
  /** The hub's host name, such as `myhub.azure-devices.net`. */
  hostName: string;
  /** The name of the shared access policy. */
  sharedAccessKeyName?: string;
  /** The key, base64. Readable, but hidden from `console.log`, `inspect` and `JSON.stringify`. */
  sharedAccessKey?: string;
  /** A ready-made token instead of a key. Hidden like the key. */
  sharedAccessSignature?: string;
  /** The device that the string is for; absent in a hub's own. */
  deviceId?: string;
  /** The module that the string is for. */
  moduleId?: string;
  /** The gateway to connect through. */
  gatewayHostName?: string;
  /** Whether the device signs in with a certificate instead of a key. */
  x509?: boolean;
}

/** What stood in a text, before it is known to be what it should be. */
type UncheckedParts = Partial<Record<keyof ConnectionString, string | boolean>>;

/** The fields; the wire names differ in case alone, and other SDKs accept any case. */
const FIELDS: readonly (keyof ConnectionString)[] = [
  "hostName",
  "sharedAccessKeyName",
  "sharedAccessKey",
  "sharedAccessSignature",
  "deviceId",
  "moduleId",
  "gatewayHostName",
  "x509",
];

/**
 * Takes a connection string apart and checks each part.
 *
 * Names of parts are matched in any case; white space around the whole string and one trailing semicolon are ignored.
 *
 * @param connectionString The text from the portal or from {@linkcode deviceConnectionString}.
 * @returns The parts. The secrets among them can be read but do not show when the object is printed.
 * @throws {TypeError} When the text is no connection string: a part is missing, twice there, unknown or has no value.
 * @throws {RangeError} When a part's value is not legal, such as a key that is not base64.
 *
 * @example Which hub is it?
 * ```ts
 * import { parseConnectionString } from "@iothub/registry-manager";
 *
 * const { hostName } = parseConnectionString(
 *   "HostName=myhub.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
 * );
 * console.assert(hostName === "myhub.azure-devices.net");
 * ```
 */
export function parseConnectionString(connectionString: string): ConnectionString {
  checkType("the connection string", connectionString, "string");
  const parts: UncheckedParts = {};
  const pieces = connectionString.trim().replace(/;$/, "").split(";");
  for (const [index, piece] of pieces.entries()) {
    const [, name, value] = /^\s*(\w+)\s*=(.*)$/s.exec(piece) ?? [];
    const field = FIELDS.find((known) => known.toLowerCase() === name?.toLowerCase());
    // Says where a piece stands and not what it is: a mangled string may hold the key in any place.
    if (field === undefined) {
      throw unusable(`part ${index + 1} of ${pieces.length} has none of the names ${FIELDS.join(", ")}`);
    }
    if (parts[field] !== undefined) throw unusable(`${field} is there twice`);
    if (!value) throw unusable(`${field} has no value`);
    parts[field] = field === "x509" ? value.toLowerCase() === "true" : value;
  }
  checkParts(parts);
  return hideSecrets(parts, ["sharedAccessKey", "sharedAccessSignature"]);
}

function checkParts(parts: UncheckedParts): asserts parts is ConnectionString {
  const { hostName, sharedAccessKeyName, sharedAccessKey, sharedAccessSignature, deviceId, moduleId, x509 } = parts;
  if (hostName === undefined) throw unusable("HostName is missing");
  checkHostName(hostName);
  if (sharedAccessKeyName !== undefined) checkPolicyName(sharedAccessKeyName);
  if (sharedAccessKey !== undefined) keyBytes("SharedAccessKey", sharedAccessKey);
  if (sharedAccessSignature !== undefined) {
    checkText("SharedAccessSignature", sharedAccessSignature, /^SharedAccessSignature [\x21-\x7e]+$/, "a SAS token");
  }
  const { length } = [sharedAccessKey, sharedAccessSignature, x509].filter((proof) => proof !== undefined);
  if (length !== 1) {
    throw unusable(`it has ${length} of SharedAccessKey, SharedAccessSignature and x509, not one`);
  }
  if (sharedAccessKey !== undefined && (sharedAccessKeyName ?? deviceId) === undefined) {
    throw unusable("SharedAccessKeyName or DeviceId is missing");
  }
  if (moduleId !== undefined && deviceId === undefined) throw unusable("ModuleId needs a DeviceId");
}

/** Throws unless `hostName` is a host name alone: no scheme, port or path. */
export function checkHostName(hostName: unknown): asserts hostName is string {
  const rule = "of A-Za-z0-9_.- alone, such as myhub.azure-devices.net";
  checkText("the host name", hostName, /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/, rule);
  // Looks like an IPv4 address and is none, such as 1.2.3.456.
  if (!URL.canParse(`https://${hostName}`)) throw wrongValue("the host name", rule);
}

/** The error for a connection string that is not what is expected; `reason` must hold no piece of it. */
export function unusable(reason: string): TypeError {
  return new TypeError(
    `Cannot use the connection string: ${reason}; expected HostName=<host>;SharedAccessKeyName=<policy>;SharedAccessKey=<key>`,
  );
}
