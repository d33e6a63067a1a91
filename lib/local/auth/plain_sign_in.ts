import { unauthorized } from "../hub_fault.ts";
import { type Principal, requireRight } from "./authorization.ts";
import { DEVICE_RIGHTS } from "./device_sas_verifier.ts";
import { deviceResourcePath } from "./resource_path.ts";
import { badToken, parseSas } from "./sas_fields.ts";

/** `policy@sas.root.hub` or `device[/module]@sas.hub`. Ids may contain an at sign. */
const USER = /^(.+)@sas\.(root\.)?[^@]+$/i;

/**
 * Verifies a user's name with a token in place of a password. A device may have a token of its own, or one of a policy,
 * and is let in to its own links alone.
 *
 * @param verify Verifies a token.
 * @throws {HubFault} `IotHubUnauthorized` or `IotHubUnauthorizedAccess` (401) when the token is not valid, or not the
 * user's.
 */
export async function verifyPlainSignIn(
  user: string,
  token: string,
  verify: (token: string) => Promise<Principal>,
): Promise<Principal> {
  const [, name, root] = USER.exec(user) ?? [];
  if (name === undefined) {
    throw unauthorized("IotHubUnauthorized", "The user must be <policy>@sas.root.<hub> or <device>@sas.<hub>");
  }
  const principal = await verify(token);
  if (root !== undefined) {
    if (principal.kind !== "sas" || parseSas(token).skn !== name) {
      throw badToken("the token is not of the user's policy");
    }
    return principal;
  }
  const [deviceId = "", moduleId, ...rest] = name.split("/");
  if (rest.length > 0) throw unauthorized("IotHubUnauthorized", "The user must be <device>/<module>@sas.<hub>");
  const path = deviceResourcePath({ deviceId, moduleId });
  requireRight(principal, "DeviceConnect", path);
  return { ...principal, rights: DEVICE_RIGHTS, pathPrefix: path };
}
