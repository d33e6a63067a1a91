import type { ExportImportDevice } from "../gen/types.gen.ts";
import { checkId, describeType } from "./identifiers.ts";
import { checkJson } from "./json_value.ts";

/** The hub refuses more in one request. */
const MAX_BULK_DEVICES = 100;

/** Throws unless `devices` is a list that one bulk request can carry. */
export function checkBulkDevices(devices: readonly ExportImportDevice[]): void {
  if (!Array.isArray(devices)) {
    throw new TypeError(`Cannot use devices: it must be an array, got ${describeType(devices)}`);
  }
  if (devices.length === 0 || devices.length > MAX_BULK_DEVICES) {
    throw new RangeError(
      `Cannot use devices: one request takes 1 to ${MAX_BULK_DEVICES}, and this is ${devices.length}; split the list`,
    );
  }
  for (const [index, device] of devices.entries()) {
    if (typeof device !== "object" || device === null) {
      throw new TypeError(`Cannot use devices[${index}]: it must be an object, got ${describeType(device)}`);
    }
    checkId(`devices[${index}].id`, device.id);
    if (device.moduleId !== undefined) checkId(`devices[${index}].moduleId`, device.moduleId);
    if (device.tags !== undefined) checkJson(`devices[${index}].tags`, device.tags);
    if (device.properties !== undefined) checkJson(`devices[${index}].properties`, device.properties);
  }
}

/** Tells a result with failures, which the hub sends with status 400, from a refusal of the whole request. */
export function isBulkResult(status: number, data: unknown): boolean {
  return status === 400 && typeof data === "object" && data !== null && "isSuccessful" in data;
}
