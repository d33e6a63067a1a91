import { methodCost, type ThrottledOperation } from "../../timing/hub_tiers.ts";
import { isJsonObject } from "../json.ts";
import type { Throttle } from "../throttle.ts";

/** What operations count as, and how refusals call it. The first pattern that fits counts. */
const KINDS: readonly (readonly [RegExp, ThrottledOperation, string])[] = [
  [/^(?:get|test)Configuration/, "configurations", "ConfigurationRead"],
  [/Configuration/, "configurations", "ConfigurationWrite"],
  [/Job/, "jobs", "Job"],
  [/^queryIotHub$/, "twinQueries", "TwinQuery"],
  [/^get\w*Twin$/, "twinReads", "TwinRead"],
  [/^(?:replace|update)\w*Twin$/, "twinUpdates", "TwinUpdate"],
  [/^get(?:Device|Module)s?$/, "registry", "RegistryRead"],
  [/^(?:createOrUpdate|delete)(?:Device|Module)$|^regenerateDeviceKeys$/, "registry", "CRUD"],
  [/^receiveMessage$/, "c2dReceives", "C2DReceive"],
  [/^beginUpload$/, "uploads", "FileUpload"],
];

/** Waits until an operation may be carried out, unless it counts by what is in its body. */
export async function admitOperation(throttle: Throttle | undefined, operation: string): Promise<void> {
  if (throttle === undefined) return;
  const kind = KINDS.find(([pattern]) => pattern.test(operation));
  if (kind !== undefined) await throttle.admit(kind[1], kind[2]);
}

/** Waits until a bulk request may be carried out. */
export async function admitBulk(throttle: Throttle | undefined, body: unknown): Promise<void> {
  if (throttle === undefined || !Array.isArray(body)) return;
  const twins =
    body.filter((element) => isJsonObject(element) && /^updateTwin/i.test(String(element["importMode"]))).length;
  await throttle.admitBulk(body.length - twins, twins);
}

/** Waits until a direct method may be called, which counts by the size of its payload. */
export async function admitMethod(throttle: Throttle | undefined, payload: unknown): Promise<void> {
  if (throttle === undefined) return;
  await throttle.admit("methods", "DirectMethod", methodCost(payload));
}
