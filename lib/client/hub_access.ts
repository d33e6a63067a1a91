import { checkClientOptions, type ClientOptions } from "./client_options.ts";
import { checkHostName, parseConnectionString, unusable } from "../auth/connection_string.ts";
import {
  credentialFromPolicy,
  credentialFromSignature,
  credentialFromTokenCredential,
  type HubCredential,
} from "../auth/credential.ts";
import { checkPolicyName, checkSasToken, keyBytes } from "../auth/sas_token.ts";
import { Spans } from "../sight/spans.ts";
import { Sight } from "../sight/sight.ts";
import { checkType, wrongType } from "../values/checks.ts";
import type { NamedKeyCredential, SASCredential, TokenCredential } from "../auth/token_credential.ts";

const DEFAULT_TOKEN_SCOPE = "https://iothubs.azure.net/.default";

/** The address of a hub, the credential that clients use there, and who is told what they do. */
export interface HubAccess {
  readonly hostName: string;
  readonly credential: HubCredential;
  /** The policy with its key, if that is what the client signs in with. */
  readonly policy?: NamedKeyCredential | undefined;
  /** Is told what clients do, if anybody wants to know. */
  readonly sight?: Sight | undefined;
}

/** Returns the access that a policy's connection string gives. */
export function accessFromConnectionString(connectionString: string, options: ClientOptions): HubAccess {
  checkClientOptions(options);
  const parsed = parseConnectionString(connectionString);
  const { hostName, deviceId, sharedAccessKeyName: name, sharedAccessKey: key, sharedAccessSignature: signature } =
    parsed;
  if (deviceId !== undefined) throw unusable("it is for a device");
  const access = signature === undefined
    ? accessOfPolicy(hostName, { name: name!, key: key! }, options)
    : { hostName, credential: credentialFromSignature(hostName, { signature }) };
  return inSight(access, options);
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
  return inSight(accessOf(source, hostName, options), options);
}

function inSight(access: HubAccess, options: ClientOptions): HubAccess {
  const { onEvent, tracer, propagateTrace: propagates = false, fetch } = options;
  const spans = tracer && new Spans(tracer, { propagates, usesOwnFetch: fetch === undefined });
  const sight = onEvent || spans ? new Sight(onEvent, spans) : undefined;
  access.credential.sight = sight;
  return { ...access, sight };
}

function accessOfPolicy(
  hostName: string,
  policy: NamedKeyCredential,
  { sasTokenTtlInSeconds }: ClientOptions,
): HubAccess {
  return { hostName, credential: credentialFromPolicy(hostName, policy, sasTokenTtlInSeconds), policy };
}

/** Returns the access that a source gives, which is known by its members, since it may come from any copy of any package. */
function accessOf(
  source: Partial<TokenCredential & NamedKeyCredential & SASCredential>,
  hostName: string,
  options: ClientOptions,
): HubAccess {
  const { getToken, signature, name, key } = source ?? {};
  if (typeof getToken === "function") {
    const { tokenScope = DEFAULT_TOKEN_SCOPE } = options;
    return { hostName, credential: credentialFromTokenCredential(source as TokenCredential, tokenScope) };
  }
  if (typeof signature === "string") {
    checkSasToken("the credential's signature", signature);
    return { hostName, credential: credentialFromSignature(hostName, source as SASCredential) };
  }
  if (typeof key !== "string" || typeof name !== "string") {
    throw wrongType("credential", "an object with a method getToken, a name and a key, or a signature", source);
  }
  checkPolicyName(name);
  keyBytes("the credential's key", key);
  return accessOfPolicy(hostName, source as NamedKeyCredential, options);
}
