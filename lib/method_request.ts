import type { CloudToDeviceMethod } from "../gen/types.gen.ts";
import { checkNumber, checkType } from "./identifiers.ts";
import { checkJson } from "./json_value.ts";

/** How long the hub waits for the device when the request does not say. */
const DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS = 30;

/** What the way to the hub and back may add to the hub's own time-outs. */
const MARGIN_IN_MS = 15_000;

/** The body of a method call; throws unless the request is a legal one. */
export function methodBody(request: CloudToDeviceMethod): CloudToDeviceMethod {
  checkType("request", request, "object");
  const { methodName, payload = "", responseTimeoutInSeconds, connectTimeoutInSeconds } = request;
  checkType("methodName", methodName, "string");
  if (methodName === "") throw new RangeError("Cannot use methodName: it must not be empty");
  checkJson("payload", payload);
  checkSeconds("responseTimeoutInSeconds", responseTimeoutInSeconds, 5);
  checkSeconds("connectTimeoutInSeconds", connectTimeoutInSeconds, 0);
  return { methodName, payload, responseTimeoutInSeconds, connectTimeoutInSeconds };
}

/** How long a call must be allowed to take, so that the hub's answer, be it that the device is late, is not missed. */
export function methodTimeoutInMs(request: CloudToDeviceMethod): number {
  const response = request.responseTimeoutInSeconds ?? DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS;
  return (response + (request.connectTimeoutInSeconds ?? 0)) * 1000 + MARGIN_IN_MS;
}

function checkSeconds(name: string, seconds: unknown, least: number): void {
  if (seconds === undefined) return;
  checkNumber(
    name,
    seconds,
    (time) => Number.isInteger(time) && time >= least && time <= 300,
    `a whole number from ${least} to 300`,
  );
}
