import { checkClientOptions, type ClientOptions } from "./client_options.ts";
import { checkHostName, parseConnectionString, unusable } from "../auth/connection_string.ts";
import {
  credentialFromPolicy,
  credentialFromSignature,
  credentialFromTokenCredential,
  type HubCredential,
} from "../auth/credential.ts";
import { checkPolicyName, checkSasToken, keyBytes } from "../auth/sas_token.ts";
import { checkType, wrongType } from "../values/checks.ts";
import type { NamedKeyCredential, SASCredential, TokenCredential } from "../auth/token_credential.ts";

const DEFAULT_TOKEN_SCOPE = "https://iothubs.azure.net/.default";

/** The address of a hub, and the credential that clients use there. */
export interface HubAccess {
  readonly hostName: string;
  readonly credential: HubCredential;
}

/** Returns the access that a policy's connection string gives. */
export function accessFromConnectionString(connectionString: string, options: ClientOptions): HubAccess {
  checkClientOptions(options);
  const parsed = parseConnectionString(connectionString);
  const { hostName, deviceId, sharedAccessKeyName: name, sharedAccessKey: key, sharedAccessSignature: signature } =
    parsed;
  if (deviceId !== undefined) throw unusable("it is for a device");
  return {
    hostName,
    credential: signature !== undefined
      ? credentialFromSignature(hostName, { signature })
      : credentialFromPolicy(hostName, { name: name!, key: key! }, options.sasTokenTtlInSeconds),
  };
}

/** Returns the access that a credential gives. It is not asked for a token before the first call. */
export function accessFromTokenCredential(
  url: string,
  source: TokenCredential | NamedKeyCredential | SASCredential,
  options: ClientOptions,
): HubAccess {
  checkClientOptions(options);
  checkType("url", url, "string");
  const hostName = url.replace(/^https:\/\/|\/$/gi, "");
  checkHostName(hostName);
  return { hostName, credential: credentialOf(source, hostName, options) };
}

/** Returns the credential of a source, which is known by its members, since it may come from any copy of any package. */
function credentialOf(
  source: Partial<TokenCredential & NamedKeyCredential & SASCredential>,
  hostName: string,
  { sasTokenTtlInSeconds, tokenScope = DEFAULT_TOKEN_SCOPE }: ClientOptions,
): HubCredential {
  const { getToken, signature, name, key } = source ?? {};
  if (typeof getToken === "function") return credentialFromTokenCredential(source as TokenCredential, tokenScope);
  if (typeof signature === "string") {
    checkSasToken("the credential's signature", signature);
    return credentialFromSignature(hostName, source as SASCredential);
  }
  if (typeof key !== "string" || typeof name !== "string") {
    throw wrongType("credential", "an object with a method getToken, a name and a key, or a signature", source);
  }
  checkPolicyName(name);
  keyBytes("the credential's key", key);
  return credentialFromPolicy(hostName, source as NamedKeyCredential, sasTokenTtlInSeconds);
}
