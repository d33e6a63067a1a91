import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { ID_RULE, isId } from "../../values/ids.ts";
import { quote, wrongType } from "../../values/checks.ts";
import type { DeviceStatus } from "../records/identity_records.ts";

/** Readers of the hub's answers end a text at a semicolon. */
const RULE_IN_ANSWERS = `${ID_RULE.replace(";", "")} or a semicolon`;

const MAX_STATUS_REASON = 128;

/** Whether a module is one that only the hub creates: `$edgeAgent` or `$edgeHub`. */
export function isSystemModule(moduleId: string): boolean {
  return moduleId === "$edgeAgent" || moduleId === "$edgeHub";
}

/**
 * Checks the id of a new device or module.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is not legal.
 */
export function requireLegalId(kind: "deviceId" | "moduleId", id: string): void {
  if (!isId(id)) throw wrongArgument(kind, id, RULE_IN_ANSWERS);
}

/**
 * Returns a request body that has to be an object.
 *
 * @throws {HubFault} `ArgumentNull` (400) when it is not.
 */
export function requireObject(what: string, body: unknown): JsonObject {
  if (isJsonObject(body)) return body;
  throw new HubFault("ArgumentNull", 400, wrongType("the body", `${what} as an object`, body).message);
}

/**
 * Checks that an id in the body, if there is one, is the id in the path.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is not.
 */
export function checkIdInBody(
  kind: "deviceId" | "moduleId" | "jobId" | "id",
  body: JsonObject,
  expected: string,
): void {
  const found = body[kind];
  if (found === undefined || found === null || found === expected) return;
  throw wrongArgument(kind, found, `${quote(expected)}, as in the path`);
}

/** Reads the status of a device, which is `"enabled"` when left out. */
export function readStatus(value: unknown): DeviceStatus {
  if (value === undefined || value === null) return "enabled";
  const status = typeof value === "string" ? value.toLowerCase() : "";
  if (status === "enabled" || status === "disabled") return status;
  throw wrongArgument("status", value, '"enabled" or "disabled"');
}

/** Reads the reason for the status of a device, which is `null` when left out. */
export function readStatusReason(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" && value.length <= MAX_STATUS_REASON) return value;
  throw wrongArgument("statusReason", value, `a string of at most ${MAX_STATUS_REASON} characters`);
}

/** Reads whether a device is an edge device, which it is not when this is left out. */
export function readIotEdge(capabilities: unknown): boolean {
  if (capabilities === undefined || capabilities === null) return false;
  if (!isJsonObject(capabilities)) throw wrongArgumentType("capabilities", capabilities, "an object");
  const iotEdge = capabilities["iotEdge"] ?? false;
  if (typeof iotEdge === "boolean") return iotEdge;
  throw wrongArgument("capabilities.iotEdge", iotEdge, "true or false");
}

/** Reads a member that may be left out or `null`, and is a string otherwise. */
export function readOptionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrongArgument(name, value, "a string");
}
