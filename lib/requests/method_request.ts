import type { CloudToDeviceMethod } from "../../gen/types.gen.ts";
import { checkText, checkWhole } from "../values/checks.ts";
import { checkJson } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** How long the hub waits for a device by default. */
const DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS = 30;

/** What the way to the hub and back may add to the hub's time-outs. */
const MARGIN_IN_MS = 15_000;

/** What the caller can do about the errors of direct methods, and of commands, which are methods to the device. */
export const METHOD_ADVICE = {
  DeviceNotOnline:
    "the device is not connected or does not handle methods; connectTimeoutInSeconds makes the hub wait for it",
};

/** How long the hub waits for a device, in seconds. */
export interface MethodTimeouts {
  /** How long for its answer, from 5 to 300; by default the hub waits 30. */
  responseTimeoutInSeconds?: number | undefined;
  /** How long for a device to connect that is not connected, from 0 to 300; by default the hub does not wait. */
  connectTimeoutInSeconds?: number | undefined;
}

/** Returns the body of a method call, and the time that the call needs at least. Throws unless the request is legal. */
export function methodCall(
  name: string,
  request: CloudToDeviceMethod,
): { body: CloudToDeviceMethod; leastTimeoutInMs: number } {
  checkMembers(name, request, [
    "methodName",
    "payload",
    "responseTimeoutInSeconds",
    "connectTimeoutInSeconds",
  ]);
  const { methodName, payload = "", responseTimeoutInSeconds, connectTimeoutInSeconds } = request;
  checkText("methodName", methodName, /./s, "a non-empty string");
  checkJson("payload", payload);
  return {
    leastTimeoutInMs: leastTimeout(request),
    body: { methodName, payload, responseTimeoutInSeconds, connectTimeoutInSeconds },
  };
}

/**
 * Returns the time that a call with these time-outs needs at least. With less, it could end before the hub answers that the
 * device did not respond in time. Throws unless they are legal.
 */
export function leastTimeout({ responseTimeoutInSeconds, connectTimeoutInSeconds }: MethodTimeouts): number {
  checkWhole("responseTimeoutInSeconds", responseTimeoutInSeconds, 5, 300);
  checkWhole("connectTimeoutInSeconds", connectTimeoutInSeconds, 0, 300);
  const seconds = (responseTimeoutInSeconds ?? DEFAULT_RESPONSE_TIMEOUT_IN_SECONDS) + (connectTimeoutInSeconds ?? 0);
  return seconds * 1000 + MARGIN_IN_MS;
}
