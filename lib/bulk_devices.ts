import type { ExportImportDevice } from "../gen/types.gen.ts";
import { checkId, checkType, wrongType } from "./identifiers.ts";
import { checkJson } from "./json_value.ts";

/** The hub refuses more in one request. */
const MAX_BULK_DEVICES = 100;

/** Throws unless `devices` is a list that one bulk request can carry. */
export function checkBulkDevices(devices: readonly ExportImportDevice[]): void {
  if (!Array.isArray(devices)) throw wrongType("devices", "an array", devices);
  if (devices.length === 0 || devices.length > MAX_BULK_DEVICES) {
    throw new RangeError(
      `Cannot use devices: one request takes 1 to ${MAX_BULK_DEVICES}, and this is ${devices.length}; split the list`,
    );
  }
  for (const [index, device] of devices.entries()) {
    const name = `devices[${index}]`;
    checkType(name, device as unknown, "object");
    checkId(`${name}.id`, device.id);
    if (device.moduleId !== undefined) checkId(`${name}.moduleId`, device.moduleId);
    if (device.tags !== undefined) checkJson(`${name}.tags`, device.tags);
    if (device.properties !== undefined) checkJson(`${name}.properties`, device.properties);
  }
}

/** Tells a result with failures, which the hub sends with status 400, from a refusal of the whole request. */
export function isBulkResult(status: number, data: unknown): boolean {
  return status === 400 && typeof data === "object" && data !== null && "isSuccessful" in data;
}
