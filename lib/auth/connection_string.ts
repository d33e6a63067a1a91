import { checkText, checkType, wrongValue } from "../values/checks.ts";
import { hideSecrets } from "../errors/redaction.ts";
import { checkPolicyName, checkSasToken, keyBytes } from "./sas_token.ts";

/** The parts of a connection string, which belongs to a hub's policy, a device or a module. */
export interface ConnectionString {
  /** The hub's host name, such as `myhub.azure-devices.net`, or a local hub's with its port, such as `localhost:8443`. */
  hostName: string;
  /** The name of the shared access policy. */
  sharedAccessKeyName?: string | undefined;
  /** The key, base64. Readable, but hidden from `console.log`, `inspect` and `JSON.stringify`. */
  sharedAccessKey?: string | undefined;
  /** A ready-made token in place of a key. Hidden in the same way. */
  sharedAccessSignature?: string | undefined;
  /** The device that the string belongs to. A hub's connection string has none. */
  deviceId?: string | undefined;
  /** The module that the string belongs to. */
  moduleId?: string | undefined;
  /** The gateway to connect through. */
  gatewayHostName?: string | undefined;
  /** Whether the device signs in with a certificate instead of a key. */
  x509?: boolean | undefined;
}

/** The parts of a connection string before they are checked. */
type UncheckedParts = { [Part in keyof ConnectionString]?: string | boolean | undefined };

/** The names of the parts. In the text they may be in any case, as in other SDKs. */
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
 * Parses a connection string and checks each of its parts.
 *
 * The names of the parts are not case-sensitive. White space around the whole string and one trailing semicolon are
 * ignored.
 *
 * @param connectionString The text from the portal or from {@linkcode deviceConnectionString}.
 * @returns The parts. The secrets among them can be read, but are hidden when the object is printed.
 * @throws {TypeError} When the text is not a connection string: a part is missing, duplicated, unknown or empty.
 * @throws {RangeError} When a part's value is not legal, such as a key that is not base64.
 *
 * @example Find out which hub a connection string is for
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
    // The error tells the position of the part, not its text, since a mangled string may have the key in any place.
    if (field === undefined) {
      throw unusable(`part ${index + 1} of ${pieces.length} is not one of ${FIELDS.join(", ")}`);
    }
    if (parts[field] !== undefined) throw unusable(`${field} appears twice`);
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
  if (sharedAccessSignature !== undefined) checkSasToken("SharedAccessSignature", sharedAccessSignature);
  const { length } = [sharedAccessKey, sharedAccessSignature, x509].filter((proof) => proof !== undefined);
  if (length !== 1) {
    throw unusable(`it has ${length} of SharedAccessKey, SharedAccessSignature and x509 instead of one`);
  }
  if (sharedAccessKey !== undefined && (sharedAccessKeyName ?? deviceId) === undefined) {
    throw unusable("SharedAccessKeyName or DeviceId is missing");
  }
  if (moduleId !== undefined && deviceId === undefined) throw unusable("ModuleId needs a DeviceId");
}

/** Throws unless `hostName` is a host name, with or without a port, and without a scheme or path. */
export function checkHostName(hostName: unknown): asserts hostName is string {
  const rule = "made up of A-Za-z0-9_.-, such as myhub.azure-devices.net";
  checkText("the host name", hostName, /^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?(?::\d+)?$/, rule);
  // This refuses a name that looks like an IPv4 address but is not one, such as 1.2.3.456.
  if (!URL.canParse(`https://${hostName}`)) throw wrongValue("the host name", rule);
}

/** Returns the error for a connection string that cannot be used. `reason` must not contain any part of the string. */
export function unusable(reason: string): TypeError {
  return new TypeError(
    `Cannot use the connection string: ${reason}; expected HostName=<host>;SharedAccessKeyName=<policy>;SharedAccessKey=<key>`,
  );
}
