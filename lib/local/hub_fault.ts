import { errorNumberOf } from "../errors/error_codes.ts";

/** What a {@linkcode HubFault} can say beyond its name, status and text. */
export interface HubFaultOptions {
  /** Wins over the number that the table of error codes has for the name. */
  errorNumber?: number;
}

/**
 * A failure that the hub reports to a caller: over HTTPS it becomes an error envelope, over AMQP a condition.
 *
 * The text goes to the caller as it is, so it must never hold a key, a signature or a token.
 */
export class HubFault extends Error {
  /** The hub's error name, such as `"DeviceNotFound"`. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** The hub's six-digit number, such as 404001; `undefined` for a name that has none. */
  readonly errorNumber: number | undefined;

  /** Makes a failure. The number is looked up where the options have none. */
  constructor(code: string, status: number, message: string, options?: HubFaultOptions) {
    super(message);
    this.name = "HubFault";
    this.code = code;
    this.status = status;
    this.errorNumber = options?.errorNumber ?? errorNumberOf(code);
  }
}

/** An argument that breaks one of the hub's rules: 400 `ArgumentInvalid`. */
export function invalidArgument(message: string): HubFault {
  return new HubFault("ArgumentInvalid", 400, message);
}

/** 404 `DeviceNotFound`: the identity does not exist, or is disabled where that makes no difference. */
export function deviceNotFound(deviceId: string): HubFault {
  return new HubFault("DeviceNotFound", 404, `Device ${deviceId} is not registered`);
}

/** 404 `ModuleNotFound`: the device exists, the module does not. */
export function moduleNotFound(deviceId: string, moduleId: string): HubFault {
  return new HubFault("ModuleNotFound", 404, `Device ${deviceId} has no module ${moduleId}`);
}

/** 412 `PreconditionFailed`: `If-Match` is missing where it must be, or names another etag. */
export function preconditionFailed(message: string): HubFault {
  return new HubFault("PreconditionFailed", 412, message);
}

/** 401: the caller has not proved who it is, or may not do what it asks for. */
export function unauthorized(code: "IotHubUnauthorizedAccess" | "IotHubUnauthorized", message: string): HubFault {
  return new HubFault(code, 401, message);
}

/** 501: a true operation of the hub that the local hub does not have yet. */
export function notInThisVersion(what: string): HubFault {
  return new HubFault("NotImplemented", 501, `${what} is not in this version of the local hub`);
}
