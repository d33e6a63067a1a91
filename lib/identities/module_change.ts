import type { Module, ModuleRequest } from "../../gen/types.gen.ts";
import { checkMembers } from "../values/members.ts";
import {
  AUTHENTICATION_CHANGE,
  type AuthenticationChange,
  changed,
  changedAuthentication,
} from "./authentication_change.ts";
import { moduleBody } from "./module_fields.ts";

/** What is to change of a module identity. What is left out, or `undefined`, stays as it is. */
export interface ModuleChange extends AuthenticationChange {
  /** Who manages the module; `null` means nobody. */
  managedBy?: string | null | undefined;
}

/** Returns the identity to write for a change of the one that was read. Throws unless the change is legal. */
export function changedModule(deviceId: string, moduleId: string, module: Module, change: ModuleChange): ModuleRequest {
  checkMembers("the change", change, ["managedBy", ...AUTHENTICATION_CHANGE]);
  const managedBy = changed(change.managedBy, module.managedBy);
  return moduleBody(deviceId, moduleId, changedAuthentication(change, module.authentication), { managedBy });
}
