import type { LocalMessage } from "./local_message.ts";

/** The answer of a {@linkcode LocalMethodHandler}. */
export interface LocalMethodResponse {
  /** The status that the caller gets: an integer that the device chooses, such as 200. */
  status: number;
  /**
   * Any JSON value.
   * @default {null}
   */
  payload?: unknown;
}

/** Answers a direct method. The payload is a copy, which the handler may keep and change. */
export type LocalMethodHandler = (
  payload: unknown,
  methodName: string,
) => LocalMethodResponse | Promise<LocalMethodResponse>;

/**
 * How a {@linkcode LocalMessageHandler} ends a message other than by completing it: `"reject"` refuses it for good, and
 * `"abandon"` returns it to the queue, to be delivered again.
 */
export type LocalMessageSettlement = "reject" | "abandon";

/**
 * Handles a cloud-to-device message. A {@linkcode LocalMessageSettlement} as the result is carried out, any other
 * result completes the message, and an error abandons it.
 */
export type LocalMessageHandler = (message: LocalMessage) => unknown;

/** Is called with a change of desired properties: the patch as the service sent it, with the new `$version`. */
export type LocalDesiredPropertiesHandler = (patch: Record<string, unknown>) => unknown;

/** A twin as its device sees it: both sections with their `$version`, without tags and metadata. */
export interface LocalDeviceTwin {
  /** The desired properties and their `$version`. */
  desired: Record<string, unknown>;
  /** The reported properties and their `$version`. */
  reported: Record<string, unknown>;
}
