import type { AuthenticationRequest, ModuleRequest } from "../../gen/types.gen.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { checkType } from "../values/checks.ts";

/** The fields of a module identity, apart from how it signs in. An update resets a field that is left out. */
export interface ModuleFields extends OperationOptions {
  /** Who manages the module. It is `"iotEdge"` for modules of a deployment; `null` is the same as nobody. */
  managedBy?: string | null | undefined;
}

/** Returns the body of a request that creates or updates a module identity. */
export function moduleBody(
  deviceId: string,
  moduleId: string,
  authentication: AuthenticationRequest,
  { managedBy }: ModuleFields,
): ModuleRequest {
  if (managedBy !== undefined && managedBy !== null) checkType("managedBy", managedBy, "string");
  return { moduleId, managedBy, deviceId, authentication };
}
