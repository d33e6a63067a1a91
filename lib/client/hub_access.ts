import { checkClientOptions, type ClientOptions } from "./client_options.ts";
import { checkHostName, parseConnectionString, unusable } from "../auth/connection_string.ts";
import {
  credentialFromConnectionString,
  credentialFromTokenCredential,
  type HubCredential,
} from "../auth/credential.ts";
import { checkType, wrongType } from "../values/checks.ts";
import type { TokenCredential } from "../auth/token_credential.ts";

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
  if (parsed.deviceId !== undefined) throw unusable("it is for a device");
  return {
    hostName: parsed.hostName,
    credential: credentialFromConnectionString(parsed, options.sasTokenTtlInSeconds),
  };
}

/** Returns the access that a token credential gives. The credential is not asked for a token before the first call. */
export function accessFromTokenCredential(url: string, source: TokenCredential, options: ClientOptions): HubAccess {
  checkClientOptions(options);
  checkType("url", url, "string");
  if (typeof source?.getToken !== "function") throw wrongType("credential", "an object with a method getToken", source);
  const hostName = url.replace(/^https:\/\/|\/$/gi, "");
  checkHostName(hostName);
  return { hostName, credential: credentialFromTokenCredential(source, options.tokenScope ?? DEFAULT_TOKEN_SCOPE) };
}
