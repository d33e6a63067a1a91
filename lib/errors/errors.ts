import type { HubErrorCode } from "./error_codes.ts";

/**
 * The codes of what goes wrong on this side of the wire, or on the way:
 *
 * - `"Timeout"`: no answer within the time allowed.
 * - `"NetworkError"`: the hub could not be reached, or the connection broke.
 * - `"InvalidResponse"`: the answer was not what the API promises (broken JSON, for example).
 * - `"UnexpectedRedirect"`: a redirect, which is never followed: it would carry the credentials elsewhere.
 * - `"CredentialError"`: the credential gave no token.
 * - `"MessageNotAccepted"`: a message was released or modified instead of accepted.
 * - `"TooManyPendingMessages"`: so many messages wait to be sent that no more were taken.
 * - `"Closed"`: the manager was closed.
 * - `"Unauthorized"`, `"Conflict"`, `"HttpError"`: the hub answered so, by status alone and without a name.
 */
export type ClientErrorCode =
  | "Timeout"
  | "NetworkError"
  | "InvalidResponse"
  | "UnexpectedRedirect"
  | "CredentialError"
  | "MessageNotAccepted"
  | "TooManyPendingMessages"
  | "Closed"
  | "Unauthorized"
  | "Conflict"
  | "HttpError";

/**
 * Every code an {@linkcode IoTHubError} is known to carry, for a `switch` with completion. A name the hub invents
 * tomorrow arrives as it is, so that a `default` branch is always needed.
 */
export type IoTHubErrorCode = HubErrorCode | ClientErrorCode | (string & Record<never, never>);

/** What an {@linkcode IoTHubError} knows beside its message. */
export interface IoTHubErrorFacts {
  /** The hub's name of the error, or one of this module's own. */
  code: IoTHubErrorCode;
  /** The method that failed, such as `"getTwin"`. */
  operation: string;
  /** Whether the same call may succeed later without any change. */
  retryable: boolean;
  /** The HTTP status, where there was an answer. */
  statusCode?: number;
  /** The hub's six-digit number, such as 404001. */
  errorNumber?: number;
  /** The hub's id of the failed request, for a support case. */
  trackingId?: string;
  /** How long the hub wants to be left alone, in milliseconds, where it said so. */
  retryAfterInMs?: number;
  /** What caused the failure, where it was another error. */
  cause?: unknown;
}

/**
 * A failure that the hub or the network reported. Wrong arguments are `TypeError` or `RangeError` instead, and an
 * aborted call rejects with its signal's reason.
 *
 * @example Tell failures apart
 * ```ts
 * import { IoTHubError, IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 * try {
 *   await registry.getDevice("nobody");
 * } catch (error) {
 *   if (!(error instanceof IoTHubError)) throw error;
 *   console.assert(error.code === "DeviceNotFound" && error.errorNumber === 404001 && !error.retryable);
 * }
 * ```
 */
export class IoTHubError extends Error implements IoTHubErrorFacts {
  /** Always `"IoTHubError"`. */
  override readonly name: string = "IoTHubError";
  /** The hub's name of the error, or one of this module's own. */
  readonly code: IoTHubErrorCode;
  /** The method that failed, such as `"getTwin"`. */
  readonly operation: string;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;

  // Only declared, and set where they are known: an error that is printed shows none that are undefined.
  /** The HTTP status, where there was an answer. */
  declare readonly statusCode?: number;
  /** The hub's six-digit number, such as 404001. */
  declare readonly errorNumber?: number;
  /** The hub's id of the failed request, for a support case. */
  declare readonly trackingId?: string;
  /** How long the hub wants to be left alone, in milliseconds, where it said so. */
  declare readonly retryAfterInMs?: number;

  /**
   * Creates an error. Only this module does so; the constructor is open for tests that stand in for it.
   *
   * @param message What happened.
   * @param facts What is known beside the message.
   */
  constructor(message: string, facts: IoTHubErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.operation = facts.operation;
    this.retryable = facts.retryable;
    if (facts.statusCode !== undefined) this.statusCode = facts.statusCode;
    if (facts.errorNumber !== undefined) this.errorNumber = facts.errorNumber;
    if (facts.trackingId !== undefined) this.trackingId = facts.trackingId;
    if (facts.retryAfterInMs !== undefined) this.retryAfterInMs = facts.retryAfterInMs;
  }
}
