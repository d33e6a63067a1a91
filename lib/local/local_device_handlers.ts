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

/** Takes a cloud-to-device message: a return completes it, an error gives it back to the queue. */
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
