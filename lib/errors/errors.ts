import type { HubErrorCode } from "./error_codes.ts";

/**
 * The codes that this module adds to those of the hub:
 *
 * - `"Timeout"`: there was no answer in the time allowed.
 * - `"NetworkError"`: the hub could not be reached, or the connection broke. The message says which.
 * - `"PermissionDenied"`: the runtime does not let the program do what the call needs. The message names the flag.
 * - `"InvalidResponse"`: the answer does not have the form that the API promises, for example because its JSON is broken.
 * - `"UnexpectedRedirect"`: the answer was a redirect. It is never followed, since it could send the credentials elsewhere.
 * - `"CredentialError"`: the credential did not return a token.
 * - `"MessageNotAccepted"`: the hub returned a message instead of accepting it (AMQP outcome `released` or `modified`).
 * - `"JobFailed"`: a job that was waited for has failed, or was cancelled. The message says which, and why.
 * - `"TooManyPendingMessages"`: too many messages are already waiting to be sent.
 * - `"Closed"`: the client was closed, or the one that it shares its connections with.
 * - `"Unauthorized"`, `"Conflict"`, `"HttpError"`: the hub answered with an error status, but without an error name.
 */
export type ClientErrorCode =
  | "Timeout"
  | "NetworkError"
  | "PermissionDenied"
  | "InvalidResponse"
  | "UnexpectedRedirect"
  | "CredentialError"
  | "MessageNotAccepted"
  | "JobFailed"
  | "TooManyPendingMessages"
  | "Closed"
  | "Unauthorized"
  | "Conflict"
  | "HttpError";

/**
 * Every code that an {@linkcode IoTHubError} is known to have, so that editors can complete it. A name that the hub adds
 * in the future arrives unchanged, so a `switch` always needs a `default` branch.
 */
export type IoTHubErrorCode = HubErrorCode | ClientErrorCode | (string & Record<never, never>);

/** The properties of an {@linkcode IoTHubError}, in addition to its message. */
export interface IoTHubErrorFacts {
  /** The hub's name for the error, or one of this module's codes. */
  code: IoTHubErrorCode;
  /** The method that failed, such as `"getTwin"`. */
  operation: string;
  /**
   * Whether the same call, unchanged, may succeed later and do no harm. So it is `false` where the hub may have carried out a
   * call that must not run twice: a create, a bulk request, a direct method, a message.
   */
  retryable: boolean;
  /** The HTTP status, if there was an answer. */
  statusCode?: number | undefined;
  /** The hub's six-digit error number, such as 404001. */
  errorNumber?: number | undefined;
  /** The hub's id of the failed request, to quote in a support case. */
  trackingId?: string | undefined;
  /** How long the hub asks clients to wait before they try again, in milliseconds, if it does. */
  retryAfterInMs?: number | undefined;
  /** The error that caused the failure, if another error did. */
  cause?: unknown;
}

/**
 * A failure of the hub, of the network, or of this client. A wrong argument is reported as a `TypeError` or `RangeError`
 * instead, and an aborted call rejects with the reason of its signal.
 *
 * @example Recognize a failure by its code
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
  /** The hub's name for the error, or one of this module's codes. */
  readonly code: IoTHubErrorCode;
  /** The method that failed, such as `"getTwin"`. */
  readonly operation: string;
  /**
   * Whether the same call, unchanged, may succeed later and do no harm. So it is `false` where the hub may have carried out a
   * call that must not run twice: a create, a bulk request, a direct method, a message.
   */
  readonly retryable: boolean;

  // These are declared only, and set if they are known. Otherwise a printed error would show them as undefined.
  /** The HTTP status, if there was an answer. */
  declare readonly statusCode?: number | undefined;
  /** The hub's six-digit error number, such as 404001. */
  declare readonly errorNumber?: number | undefined;
  /** The hub's id of the failed request, to quote in a support case. */
  declare readonly trackingId?: string | undefined;
  /** How long the hub asks clients to wait before they try again, in milliseconds, if it does. */
  declare readonly retryAfterInMs?: number | undefined;

  /**
   * Creates an error. Programs have no need to, but tests can use it to simulate a failure.
   *
   * @param message What happened.
   * @param facts What is known in addition.
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
