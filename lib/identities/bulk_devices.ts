import type { ExportImportDevice } from "../../gen/types.gen.ts";
import { checkLength, checkType, wrongType } from "../values/checks.ts";
import { checkId } from "../values/ids.ts";
import { checkJson, isObject } from "../values/json.ts";

/** The hub refuses more in one request. */
const MAX_BULK_DEVICES = 100;

/** Throws unless `devices` is a list that one bulk request can carry. */
export function checkBulkDevices(devices: readonly ExportImportDevice[]): void {
  if (!Array.isArray(devices)) throw wrongType("devices", "an array", devices);
  checkLength("devices", devices, 1, MAX_BULK_DEVICES, "entries");
  for (const [index, device] of devices.entries()) {
    const name = `devices[${index}]`;
    checkType(name, device as unknown, "object");
    checkId(`${name}.id`, device.id);
    if (device.moduleId !== undefined) checkId(`${name}.moduleId`, device.moduleId);
  }
  checkJson("devices", devices);
}

/** Tells a result with failures, which the hub sends with status 400, from a refusal of the whole request. */
export function isBulkResult(status: number, data: unknown): boolean {
  return status === 400 && isObject(data) && "isSuccessful" in data;
}
