import { errorNumberOf } from "../errors/error_codes.ts";
import { checkMembers } from "../values/members.ts";

/** Optional details of a {@linkcode HubFault}. */
export interface HubFaultOptions {
  /** The hub's six-digit error number, where it is not the one that the table of error codes has for the code. */
  errorNumber?: number | undefined;
}

/**
 * An error that the hub reports to its caller: as an error envelope over HTTPS, as an error condition over AMQP.
 *
 * The message reaches the caller unchanged, so it must never contain a key, a signature or a token.
 *
 * @example Read the twin of a device that does not exist
 * ```ts
 * import { HubFault, LocalHub } from "@iothub/registry-manager/local";
 * import assert from "node:assert/strict";
 *
 * await using hub = new LocalHub();
 * assert.throws(() => hub.device("nobody").twin, (error) => error instanceof HubFault && error.code ===
 * "DeviceNotFound");
 * ```
 */
export class HubFault extends Error {
  /** The hub's name for the error, such as `"DeviceNotFound"`. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** The hub's six-digit number, such as 404001; `undefined` when the code has none. */
  readonly errorNumber: number | undefined;

  /**
   * Creates an error for the hub to report.
   *
   * @param code The hub's name for the error, such as `"DeviceNotFound"`.
   * @param status The HTTP status.
   * @param message What happened, for the caller to read. It must not contain a secret.
   * @param options The error number, when it is not the documented one.
   */
  constructor(code: string, status: number, message: string, options?: HubFaultOptions) {
    super(message);
    if (options !== undefined) checkMembers("options", options, ["errorNumber"]);
    this.name = "HubFault";
    this.code = code;
    this.status = status;
    this.errorNumber = options?.errorNumber ?? errorNumberOf(code);
  }
}

/** 400 `ArgumentInvalid`: an argument breaks one of the hub's rules. */
export function invalidArgument(message: string): HubFault {
  return new HubFault("ArgumentInvalid", 400, message);
}

/**
 * 404 `DeviceNotFound`: the device does not exist, or is disabled and the operation makes no difference. The text is the
 * bare id, as on the real hub.
 */
export function deviceNotFound(deviceId: string): HubFault {
  return new HubFault("DeviceNotFound", 404, deviceId);
}

/** 404 `ModuleNotFound`: the device exists, the module does not. */
export function moduleNotFound(deviceId: string, moduleId: string): HubFault {
  return new HubFault("ModuleNotFound", 404, `Device ${deviceId} has no module ${moduleId}`);
}

/** 412 `PreconditionFailed`: a required `If-Match` is missing, or its etag is not the current one. */
export function preconditionFailed(message: string): HubFault {
  return new HubFault("PreconditionFailed", 412, message);
}

/** 401: the caller has not proved who it is, or lacks the right to do this. */
export function unauthorized(code: "IotHubUnauthorizedAccess" | "IotHubUnauthorized", message: string): HubFault {
  return new HubFault(code, 401, message);
}

/** 501: the real hub has this operation, the local hub does not have it yet. */
export function notInThisVersion(operation: string): HubFault {
  return new HubFault("NotImplemented", 501, `${operation} is not in this version of the local hub`);
}
