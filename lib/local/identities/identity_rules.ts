import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { ID_RULE, isId } from "../../values/ids.ts";
import { quote, wrongType } from "../../values/checks.ts";
import type { DeviceStatus } from "../records/identity_records.ts";

const MAX_STATUS_REASON = 128;

/** The identity of a module that only the hub makes: `$edgeAgent` and `$edgeHub`. */
export function isSystemModule(moduleId: string): boolean {
  return moduleId === "$edgeAgent" || moduleId === "$edgeHub";
}

/** Refuses a device or module id that the hub cannot hold. */
export function requireLegalId(kind: "deviceId" | "moduleId", id: string): void {
  if (!isId(id)) throw wrongArgument(kind, id, ID_RULE);
}

/** A request body that has to be a JSON object. */
export function requireObject(what: string, body: unknown): JsonObject {
  if (isJsonObject(body)) return body;
  throw new HubFault("ArgumentNull", 400, wrongType("the body", `${what} as an object`, body).message);
}

/** Refuses a body whose id is not the one in the path. A body without the id is taken as it is. */
export function checkIdInBody(kind: "deviceId" | "moduleId", body: JsonObject, expected: string): void {
  const found = body[kind];
  if (found === undefined || found === null || found === expected) return;
  throw wrongArgument(kind, found, `${quote(expected)}, as in the path`);
}

/** `status` of an identity; left out, it is `"enabled"`. */
export function readStatus(value: unknown): DeviceStatus {
  if (value === undefined || value === null) return "enabled";
  const status = typeof value === "string" ? value.toLowerCase() : "";
  if (status === "enabled" || status === "disabled") return status;
  throw wrongArgument("status", value, '"enabled" or "disabled"');
}

/** `statusReason` of an identity; left out, it is `null`. */
export function readStatusReason(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" && value.length <= MAX_STATUS_REASON) return value;
  throw wrongArgument("statusReason", value, `a string of at most ${MAX_STATUS_REASON} characters`);
}

/** `capabilities.iotEdge` of an identity; left out, it is `false`. */
export function readIotEdge(capabilities: unknown): boolean {
  if (capabilities === undefined || capabilities === null) return false;
  if (!isJsonObject(capabilities)) throw wrongArgumentType("capabilities", capabilities, "an object");
  const iotEdge = capabilities["iotEdge"] ?? false;
  if (typeof iotEdge === "boolean") return iotEdge;
  throw wrongArgument("capabilities.iotEdge", iotEdge, "true or false");
}

/** A member that is a string where it is given; `null` and left out are the same. */
export function readOptionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrongArgument(name, value, "a string");
}
