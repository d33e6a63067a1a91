import * as OPERATIONS from "../../lib/transport/operations.ts";
import {
  answer,
  BAD_CERTIFICATE,
  broken,
  BROKEN_BODY,
  type FaultStep,
  hubError,
  lost,
  nestedError,
  NOT_CONNECTED,
  page,
  RESET,
  silence,
} from "./faults.ts";

/**
 * What comes of each failure, for each class of operations. Written down, not computed: the tests hold the module to it, and
 * the table in lib/transport/README.md is made of it.
 *
 * @module
 */

/** The name of a method that has a row in the table of operations. */
export type OperationName = keyof typeof OPERATIONS;

/** What matters of an operation when it fails. */
export type OperationClass = "read" | "write" | "once";

/** The class of an operation that goes over HTTP: what may not run twice, what only reads, and the rest. */
export function classOf(operation: OperationName): OperationClass {
  if (!OPERATIONS[operation].mayRunTwice) return "once";
  return READS.has(operation) ? "read" : "write";
}

const READS: ReadonlySet<OperationName> = new Set([
  "getServiceStatistics",
  "getDeviceRegistryStatistics",
  "getDevice",
  "getDevices",
  "getModule",
  "getModules",
  "getTwin",
  "getModuleTwin",
  "queryIotHub",
  "getConfiguration",
  "getConfigurations",
  "testConfigurationQueries",
  "getScheduledJob",
  "queryScheduledJobs",
  "jobDevices",
  "getImportExportJobs",
  "getImportExportJob",
  "getDigitalTwin",
]);

/** What the module does about a failure. */
export type Handling =
  /** Up to `maxRetries` times more; then the error. */
  | "repeated"
  /** Once more, with a new token. */
  | "repeated once, with a new token"
  /** One request, and the error. */
  | "error at once"
  /** One request, for which the call waits all its time. */
  | "error after `timeoutInMs`"
  /** No request. */
  | "error, nothing is sent";

/** What an error says of a fault, beside its code. */
export interface ErrorFields {
  code: string;
  retryable: boolean;
  statusCode?: number;
  errorNumber?: number;
}

/** One fault as the seam of `fetch` shows it. */
export interface Fault {
  name: string;
  /** What the first request meets. */
  step: FaultStep;
  /** Whether the second request meets the same; a good answer unless so. */
  always?: true;
  /** What the call rejects with where it does; `"reason"` is that of the caller's signal. */
  error: ErrorFields | "reason";
  /** Operations for which it is no fault. */
  fineFor?: RegExp;
  /** What is special about the call. */
  call?: { attemptTimeoutInMs?: number; abort?: "before" | "during back-off"; credential?: "fails" };
}

/** Faults that are handled alike. */
export interface FaultGroup {
  /** In the words of lib/transport/README.md. */
  what: string;
  handling: Readonly<Record<OperationClass, Handling>>;
  /** What that table says of the error; the codes unless given. */
  errorText?: string;
  /** Whether the hub may have carried out the request. A call that must not run twice is not `retryable` then. */
  mayHaveRun?: true;
  faults: readonly Fault[];
}

/** How often a call is repeated in the test, and by default. */
export const MAX_RETRIES = 4;
/** How long an attempt may take in the test where that matters. */
const ATTEMPT_TIMEOUT_IN_MS = 300;
/** How long a call may take in the test where it waits all its time; no attempt ends sooner. */
export const SHORT_TIMEOUT_IN_MS = 200;
/** The wait that a hub asks for in the test; it is skipped there, but must be asked for. */
export const ASKED_WAIT_IN_MS = 7000;
/** A wait during which the test aborts. */
export const ABORTED_WAIT_IN_MS = 20_000;

const REPEATED = { read: "repeated", write: "repeated", once: "repeated" } as const;
const REPEATED_IF_HARMLESS = { read: "repeated", write: "repeated", once: "error at once" } as const;
const AT_ONCE = { read: "error at once", write: "error at once", once: "error at once" } as const;

function refused(status: number, code: string, errorNumber: number, step: FaultStep = hubError(status, code)): Fault {
  return { name: `${status}`, step, error: { code, retryable: false, statusCode: status, errorNumber } };
}

/** The same fault, once and always. */
function onceAndAlways(name: string, step: FaultStep, error: ErrorFields): Fault[] {
  return [{ name: `${name} once`, step, error }, { name: `${name} always`, step, error, always: true }];
}

function network(errors: Readonly<Record<string, Error>>, toStep: (error: Error) => FaultStep): Fault[] {
  const fields: ErrorFields = { code: "NetworkError", retryable: true };
  return Object.entries(errors).flatMap(([name, error]) => onceAndAlways(name, toStep(error), fields));
}

const UNAUTHORIZED: ErrorFields = {
  code: "IotHubUnauthorizedAccess",
  retryable: false,
  statusCode: 401,
  errorNumber: 401002,
};
const THROTTLED: ErrorFields = {
  code: "ThrottlingException",
  retryable: true,
  statusCode: 429,
  errorNumber: 429001,
};
const BACKLOG: ErrorFields = {
  code: "ThrottlingBacklogTimeout",
  retryable: true,
  statusCode: 429,
  errorNumber: 429003,
};
const TIMED_OUT: ErrorFields = { code: "Timeout", retryable: true };
const UNUSABLE: ErrorFields = { code: "InvalidResponse", retryable: false, statusCode: 200 };

function wait(seconds: number): string {
  return `The request has been throttled. Wait ${seconds} seconds and try again. Operation type: CRUD`;
}

function inHours(hours: number): string {
  return new Date(Date.now() + hours * 3_600_000).toUTCString();
}

/** The table. */
export const FAULT_TABLE: readonly FaultGroup[] = [
  {
    what: "the hub refuses the request: 400, 403, 404, 409, 412, 413, 501, …",
    handling: AT_ONCE,
    errorText: "the hub's own",
    faults: [
      refused(400, "ArgumentInvalid", 400004),
      refused(403, "IotHubQuotaExceeded", 403002),
      refused(404, "DeviceNotFound", 404001, nestedError(404001)),
      refused(409, "DeviceAlreadyExists", 409001),
      refused(412, "PreconditionFailed", 412001, nestedError(412001)),
      refused(413, "TooManyDevices", 413002),
      { name: "501", step: answer(501), error: { code: "HttpError", retryable: false, statusCode: 501 } },
    ],
  },
  {
    what: "the hub refuses the token: 401",
    handling: {
      read: "repeated once, with a new token",
      write: "repeated once, with a new token",
      once: "repeated once, with a new token",
    },
    errorText: "the hub's own",
    faults: [
      ...onceAndAlways("401", hubError(401, "IotHubUnauthorizedAccess"), UNAUTHORIZED),
      {
        name: "401 by a clock that is ahead, once",
        step: hubError(401, "IotHubUnauthorizedAccess", "Expired.", { Date: inHours(-2) }),
        error: UNAUTHORIZED,
      },
      {
        name: "401 by a clock that is behind, once",
        step: hubError(401, "IotHubUnauthorizedAccess", "Expired.", { Date: inHours(2) }),
        error: UNAUTHORIZED,
      },
    ],
  },
  {
    what: "too many calls: 429",
    handling: REPEATED,
    faults: [
      ...onceAndAlways("429 without a hint", hubError(429, "ThrottlingException", "Too many."), THROTTLED),
      {
        name: "429 with Retry-After once",
        step: hubError(429, "ThrottlingException", "Too many.", { "Retry-After": `${ASKED_WAIT_IN_MS / 1000}` }),
        error: THROTTLED,
      },
      {
        name: "429 with a wait in its text once",
        step: hubError(429, "ThrottlingBacklogTimeout", wait(ASKED_WAIT_IN_MS / 1000)),
        error: BACKLOG,
      },
    ],
  },
  {
    what: "too many calls, and the wait that the hub asks for is longer than the call's time",
    handling: AT_ONCE,
    faults: [
      {
        name: "429 with a wait that is too long",
        step: hubError(429, "ThrottlingBacklogTimeout", wait(120)),
        error: BACKLOG,
      },
    ],
  },
  {
    what: "the hub cannot take the request now: 503",
    handling: REPEATED,
    faults: onceAndAlways("503", hubError(503, "ServiceUnavailable"), {
      code: "ServiceUnavailable",
      retryable: true,
      statusCode: 503,
      errorNumber: 503001,
    }),
  },
  {
    what: "the hub or a proxy fails on the way: 500, 502, 504, 503 with 503102",
    handling: REPEATED_IF_HARMLESS,
    mayHaveRun: true,
    faults: [
      ...onceAndAlways("500", hubError(500, "ServerError"), {
        code: "ServerError",
        retryable: true,
        statusCode: 500,
        errorNumber: 500001,
      }),
      ...onceAndAlways("502 with a page", page(502), {
        code: "GenericBadGateway",
        retryable: true,
        statusCode: 502,
      }),
      ...onceAndAlways("503102", nestedError(503102), {
        code: "DeviceUnavailable",
        retryable: true,
        statusCode: 503,
        errorNumber: 503102,
      }),
      ...onceAndAlways("504 of a proxy", page(504), { code: "GatewayTimeout", retryable: true, statusCode: 504 }),
    ],
  },
  {
    what: "the device did not answer in time: 504 with 504101",
    handling: AT_ONCE,
    mayHaveRun: true,
    faults: [
      {
        name: "504101",
        step: nestedError(504101),
        error: { code: "GatewayTimeout", retryable: false, statusCode: 504, errorNumber: 504101 },
      },
    ],
  },
  {
    what: "no connection: refused, unknown host, cut during the TLS handshake",
    handling: REPEATED,
    faults: network(NOT_CONNECTED, lost),
  },
  {
    what: "the connection breaks once the request is sent, also in the middle of the answer",
    handling: REPEATED_IF_HARMLESS,
    mayHaveRun: true,
    faults: [...network(RESET, lost), ...network(BROKEN_BODY, broken)],
  },
  {
    what: "no answer within `attemptTimeoutInMs`",
    handling: { read: "repeated", write: "repeated", once: "error after `timeoutInMs`" },
    mayHaveRun: true,
    faults: onceAndAlways("no answer", silence(), TIMED_OUT).map((fault) => ({
      ...fault,
      call: { attemptTimeoutInMs: ATTEMPT_TIMEOUT_IN_MS },
    })),
  },
  {
    what: "no answer within `timeoutInMs`, all attempts together",
    handling: {
      read: "error after `timeoutInMs`",
      write: "error after `timeoutInMs`",
      once: "error after `timeoutInMs`",
    },
    mayHaveRun: true,
    faults: [{
      name: "no answer within the call's time",
      step: silence(),
      always: true,
      error: TIMED_OUT,
    }],
  },
  {
    what: "an answer that no hub gives: half JSON, a page, nothing",
    handling: AT_ONCE,
    faults: [
      { name: "half JSON", step: answer(200, '[{"deviceId":"d'), error: UNUSABLE },
      { name: "a page with 200", step: page(200), error: UNUSABLE },
      // A deletion has nothing to say.
      {
        name: "an empty 200",
        step: answer(200),
        error: UNUSABLE,
        fineFor: /^(delete|apply|cancelImport|updateDigitalTwin)/,
      },
    ],
  },
  {
    what: "a redirect, which is never followed",
    handling: AT_ONCE,
    faults: [301, 302, 307, 308].map((statusCode) => ({
      name: `${statusCode}`,
      step: answer(statusCode, undefined, { Location: "https://elsewhere.example/" }),
      error: { code: "UnexpectedRedirect", retryable: false, statusCode },
    })),
  },
  {
    what: "a certificate that is not to be trusted",
    handling: AT_ONCE,
    faults: Object.entries(BAD_CERTIFICATE).map(([name, error]) => ({
      name,
      step: lost(error),
      error: { code: "NetworkError", retryable: false },
    })),
  },
  {
    what: "the credential gives no token",
    handling: {
      read: "error, nothing is sent",
      write: "error, nothing is sent",
      once: "error, nothing is sent",
    },
    faults: [{
      name: "the credential fails",
      step: answer(200, {}),
      error: { code: "CredentialError", retryable: false },
      call: { credential: "fails" },
    }],
  },
  {
    what: "`abortSignal` fires before the call",
    handling: {
      read: "error, nothing is sent",
      write: "error, nothing is sent",
      once: "error, nothing is sent",
    },
    errorText: "the signal's reason",
    faults: [{ name: "aborted before", step: answer(200, {}), error: "reason", call: { abort: "before" } }],
  },
  {
    what: "`abortSignal` fires later, also between two attempts",
    handling: AT_ONCE,
    errorText: "the signal's reason",
    faults: [{
      name: "aborted during back-off",
      step: hubError(429, "ThrottlingBacklogTimeout", wait(ABORTED_WAIT_IN_MS / 1000)),
      error: "reason",
      call: { abort: "during back-off" },
    }],
  },
];

/** What a call must end with. */
export interface Outcome {
  /** How many requests are made. */
  requests: number;
  /** Left out: the call succeeds. */
  error?: ErrorFields | "reason";
}

/** What the table says of a call. */
export function expectedOutcome({ handling, mayHaveRun }: FaultGroup, fault: Fault, operation: OperationName): Outcome {
  const operationClass = classOf(operation);
  const mustNotRunAgain = mayHaveRun && operationClass === "once";
  const error = mustNotRunAgain && fault.error !== "reason" ? { ...fault.error, retryable: false } : fault.error;
  if (fault.fineFor?.test(operation)) return { requests: 1 };
  switch (handling[operationClass]) {
    case "repeated":
      return fault.always ? { requests: 1 + MAX_RETRIES, error } : { requests: 2 };
    case "repeated once, with a new token":
      return fault.always ? { requests: 2, error } : { requests: 2 };
    case "error at once":
    case "error after `timeoutInMs`":
      return { requests: 1, error };
    case "error, nothing is sent":
      return { requests: 0, error };
  }
}
