import type { LocalMessage } from "./local_message.ts";

/** What a handler of direct methods returns: the device's own status, and any JSON value. */
export interface LocalMethodResponse {
  /** The device's own status, an integer such as 200. */
  status: number;
  /** Any JSON value; left out, the caller gets `null`. */
  payload?: unknown;
}

/** Answers a direct method. The payload is a copy: the device may keep and change it. */
export type LocalMethodHandler = (
  payload: unknown,
  methodName: string,
) => LocalMethodResponse | Promise<LocalMethodResponse>;

/**
 * What a handler can return to do something else with its message than complete it: `"reject"` ends the message, which
 * the device does not want; `"abandon"` gives it back to the queue, to come again.
 */
export type LocalMessageSettlement = "reject" | "abandon";

/**
 * Takes a cloud-to-device message. The return of a {@linkcode LocalMessageSettlement} does what that says, any other
 * return completes the message, and an error abandons it.
 */
export type LocalMessageHandler = (message: LocalMessage) => unknown;

/** Takes a change of the desired properties: the patch as the service sent it, with the new `$version`. */
export type LocalDesiredPropertiesHandler = (patch: Record<string, unknown>) => unknown;

/** A twin as its device sees it: both sections with `$version`, neither tags nor metadata. */
export interface LocalDeviceTwin {
  /** The desired properties and `$version`. */
  desired: Record<string, unknown>;
  /** The reported properties and `$version`. */
  reported: Record<string, unknown>;
}
