import type { JsonObject, JsonValue } from "../json.ts";

/** The answer of a device to a direct method. */
export interface MethodAnswer {
  status: number;
  payload: JsonValue;
}

/** By what a device is connected. */
export type ProtocolFamily = "amqp" | "mqtt" | "inProcess";

/**
 * Why a connection is no longer active: its identity has been disabled or deleted, or another connection has taken its
 * place. One that detaches itself is told the latter, too.
 */
export type EndReason = "identityGone" | "replaced";

/** What a device proves with who it is: a key of its own, one of a policy, or a certificate. */
export type SignInMethod = "identityKey" | "policyKey" | "certificate";

/** The connection of a device, over whatever protocol. */
export interface DeviceConnection {
  readonly family: ProtocolFamily;
  /** The model that the device announces with the connection; left out, that which it has announced before stays. */
  readonly modelId?: string | undefined;
  /** What the device has signed in with; left out for a key of its own. */
  readonly signedInWith?: SignInMethod | undefined;
  /** Whether the device accepts direct methods. */
  readonly takesMethods: boolean;
  /**
   * Calls a direct method on the device.
   *
   * @param signal Aborted when nobody waits for the answer any more.
   */
  invokeMethod(methodName: string, payload: JsonValue, signal: AbortSignal): Promise<MethodAnswer>;
  /**
   * Tells the device that the service has changed desired properties: the patch as sent, with the new `$version`. A device
   * that has not asked to be told of changes is not, and the result is `false`.
   */
  desiredChanged(patch: JsonObject): boolean | void;
  /** Tells the device that a message is waiting in its queue. */
  messageQueued(): void;
  /** Tells the connection that it is now active. */
  activated(): void;
  /** Tells the connection that it is no longer active. */
  deactivated(reason: EndReason): void;
  /** Tells the connection that its identity has new credentials, so that those it has signed in with may be void. */
  credentialsChanged(): void;
}

/**
 * Whether one connection takes the place of another of the same identity: each family has one. A device in process
 * stands for one of any family.
 */
export function replaces(newer: DeviceConnection, older: DeviceConnection): boolean {
  return newer.family === older.family || newer.family === "inProcess" || older.family === "inProcess";
}
