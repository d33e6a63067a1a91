import type { ExportImportDevice } from "../../gen/types.gen.ts";
import { checkLength, checkType, wrongType } from "../values/checks.ts";
import { checkId } from "../values/ids.ts";
import { checkJson, isObject } from "../values/json.ts";

/** The hub refuses more entries in one request. */
const MAX_BULK_DEVICES = 100;

/** Throws unless `devices` is an array that one bulk request can contain. */
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

/** Whether an answer with status 400 is a result with failures, and not a refusal of the whole request. */
export function isBulkResult(status: number, data: unknown): boolean {
  return status === 400 && isObject(data) && "isSuccessful" in data;
}
