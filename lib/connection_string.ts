import { decodeBase64 } from "./base64.ts";
import { checkType } from "./identifiers.ts";
import { hideSecrets } from "./redaction.ts";
import { checkPolicyName } from "./sas_token.ts";

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
  const parsed: Partial<Record<keyof ConnectionString, string>> = {};
  const pieces = connectionString.trim().replace(/;$/, "").split(";");
  for (const [index, piece] of pieces.entries()) {
    // Messages say where a piece stands and not what it is: a mangled string may hold the key in any place.
    const where = `part ${index + 1} of ${pieces.length}`;
    const equals = piece.indexOf("=");
    if (equals < 0) throw malformed(`${where} is not of the form Name=Value`);
    const name = piece.slice(0, equals).trim().toLowerCase();
    const field = FIELDS.find((known) => known.toLowerCase() === name);
    if (field === undefined) throw malformed(`${where} has a name that is none of ${FIELDS.join(", ")} (in any case)`);
    if (parsed[field] !== undefined) throw malformed(`${field} is there twice`);
    const value = piece.slice(equals + 1);
    if (value === "") throw malformed(`${field} has no value`);
    parsed[field] = value;
  }
  checkParts(parsed);
  const { x509, ...rest } = parsed;
  const result = { ...rest, ...(x509 === undefined ? {} : { x509: x509.toLowerCase() === "true" }) };
  return hideSecrets(result as ConnectionString, ["sharedAccessKey", "sharedAccessSignature"]);
}

function checkParts(parts: Partial<Record<keyof ConnectionString, string>>): void {
  if (parts.hostName === undefined) throw malformed("HostName is missing");
  checkHostName(parts.hostName);
  if (parts.sharedAccessKeyName !== undefined) checkPolicyName(parts.sharedAccessKeyName);
  if (parts.sharedAccessKey !== undefined && !decodeBase64(parts.sharedAccessKey)?.length) {
    throw new RangeError("Cannot read the connection string: SharedAccessKey is not base64");
  }
  const signature = parts.sharedAccessSignature;
  if (signature !== undefined && !/^SharedAccessSignature [\x21-\x7e]+$/.test(signature)) {
    throw new RangeError("Cannot read the connection string: SharedAccessSignature does not start with that word");
  }
  const proofs = [parts.sharedAccessKey, signature, parts.x509].filter((part) => part !== undefined);
  if (proofs.length === 0) throw malformed("SharedAccessKey is missing");
  if (proofs.length > 1) throw malformed("it holds more than one of SharedAccessKey, SharedAccessSignature and x509");
  if (parts.sharedAccessKey !== undefined && (parts.sharedAccessKeyName ?? parts.deviceId) === undefined) {
    throw malformed("SharedAccessKeyName is missing (or DeviceId, in a device's own)");
  }
  if (parts.moduleId !== undefined && parts.deviceId === undefined) throw malformed("ModuleId needs a DeviceId");
}

/** Throws unless `hostName` is a host name alone: no scheme, port or path. */
export function checkHostName(hostName: string): void {
  // The second test finds what looks like an IPv4 address and is none, such as 1.2.3.456.
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(hostName) || !URL.canParse(`https://${hostName}`)) {
    throw new RangeError(
      "Cannot use the host name: letters, digits and - _ . are allowed, without scheme, port or path, " +
        "such as myhub.azure-devices.net",
    );
  }
}

function malformed(reason: string): TypeError {
  return new TypeError(
    `Cannot read the connection string: ${reason}; expected ` +
      "HostName=<host>;SharedAccessKeyName=<policy>;SharedAccessKey=<key>",
  );
}
