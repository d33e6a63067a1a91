import { IoTHubError, type IoTHubErrorCode, type IoTHubErrorFacts } from "./errors.ts";

/** The call that an error's text is about: a method, and what it was called for. */
export interface FailedCall {
  /** The method's name, such as `"getTwin"`. */
  readonly operation: string;
  readonly deviceId?: string;
  readonly moduleId?: string;
  readonly configurationId?: string;
  readonly jobId?: string;
}

/** What the ids of a call are those of. */
const SUBJECTS = ["device", "module", "configuration", "job"] as const;

/** Returns what a call was for: its ids alone. */
export function idsOf(call: FailedCall): Omit<FailedCall, "operation"> {
  return Object.fromEntries(
    SUBJECTS.map((what) => [`${what}Id`, call[`${what}Id`]]).filter(([, id]) => id !== undefined),
  );
}

/** Why a call fails whose client is closed, over HTTP and AMQP alike. */
export const CLIENT_CLOSED = "the client is closed; create a new one";

/** Returns the error for a call that failed. `reason` ends the sentence that starts with "Cannot complete". */
export function failure(
  call: FailedCall,
  code: IoTHubErrorCode,
  reason: string,
  facts: Partial<IoTHubErrorFacts> = {},
): IoTHubError {
  const { operation } = call;
  let subject = "";
  for (const what of SUBJECTS) {
    const id = call[`${what}Id`];
    if (id !== undefined) subject += `${subject ? "," : " of"} ${what} "${id}"`;
  }
  const message = `Cannot complete ${operation}${subject}: ${reason}`;
  return new IoTHubError(message, { code, operation, retryable: false, ...facts });
}

/** Returns the error for a call on a client that is closed. */
export function closed(subject: FailedCall): IoTHubError {
  return failure(subject, "Closed", CLIENT_CLOSED);
}
