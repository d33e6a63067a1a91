import type { CloudToDeviceMethod } from "../../gen/types.gen.ts";
import { checkText, checkType, checkWhole } from "../values/checks.ts";
import { checkJson } from "../values/json.ts";

/** How long the hub waits for the device when the request does not say. */
const DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS = 30;

/** What the way to the hub and back may add to the hub's own time-outs. */
const MARGIN_IN_MS = 15_000;

/**
 * The body of a method call, and how long the call must be allowed to take, so that the hub's answer, be it that the
 * device is late, is not missed. Throws unless the request is a legal one.
 */
export function methodCall(request: CloudToDeviceMethod): { body: CloudToDeviceMethod; leastTimeoutInMs: number } {
  checkType("request", request, "object");
  const { methodName, payload = "", responseTimeoutInSeconds, connectTimeoutInSeconds } = request;
  checkText("methodName", methodName, /./s, "a non-empty string");
  checkJson("payload", payload);
  checkWhole("responseTimeoutInSeconds", responseTimeoutInSeconds, 5, 300);
  checkWhole("connectTimeoutInSeconds", connectTimeoutInSeconds, 0, 300);
  const seconds = (responseTimeoutInSeconds ?? DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS) + (connectTimeoutInSeconds ?? 0);
  return {
    body: { methodName, payload, responseTimeoutInSeconds, connectTimeoutInSeconds },
    leastTimeoutInMs: seconds * 1000 + MARGIN_IN_MS,
  };
}
