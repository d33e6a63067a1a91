import { IoTHubError } from "../errors/errors.ts";
import { Deadline, throwIfAborted } from "../timing/deadline.ts";
import type { ThrottledOperation } from "../timing/hub_tiers.ts";
import { type OperationOptions, OWN_PATIENCE, type OwnPatience } from "../timing/operation_options.ts";
import { backOff, mayHaveRun } from "../timing/retry.ts";
import type { Lane, Passage } from "./lane.ts";
import type { Waits } from "./waits.ts";

/** How often a request is repeated after failures that may pass, each time after the repetitions of the manager itself. */
const MAX_REPETITIONS = 6;
const BACK_OFF = { maxRetries: MAX_REPETITIONS, retryDelayInMs: 1000, maxRetryDelayInMs: 30_000 };

/** After so many requests in a row that may not be repeated and have got no answer, the hub counts as out of reach. */
const MAX_UNANSWERED = 200;

/** The statuses after which no other request of the run would fare better. */
const FATAL_STATUSES: readonly (number | undefined)[] = [401, 403, 407, 511];
const FATAL_CODES: readonly string[] = ["Closed", "CredentialError", "PermissionDenied", "UnexpectedRedirect"];
/** The hub answers so while it cannot do what it could do later. */
const PASSING_STATUSES: readonly (number | undefined)[] = [408, 500, 502, 503, 504];
const DEVICE_ERRORS: readonly (number | undefined)[] = [504101, 503102];

/** How a request failed for good. */
export class CallFailure {
  /** What the manager's method rejected with. */
  readonly reason: unknown;
  /** Whether the hub may have carried it out. */
  readonly mayHaveRun: boolean;
  /** Whether it is the request that is at fault, or the hub that did not get on with it; others may then succeed. */
  readonly concernsRequest: boolean;

  constructor(reason: unknown, mayHaveRun: boolean, concernsRequest: boolean) {
    this.reason = reason;
    this.mayHaveRun = mayHaveRun;
    this.concernsRequest = concernsRequest;
  }
}

/** A request, as far as its pace and its repetitions are concerned. */
export interface PatientRequest<T> {
  readonly operation: ThrottledOperation;
  /** How many devices it is about, or how many single requests it counts as. */
  readonly devices: number;
  readonly isBulk?: boolean;
  /** Whether it may be repeated after it may have run. */
  readonly mayRepeat: boolean;
  /** Calls a method of the manager with these options. */
  readonly send: (options: OperationOptions) => Promise<T>;
}

/** How fast requests of each kind may go. */
export interface RequestPace {
  lane(operation: ThrottledOperation): Lane;
}

/** Makes the requests of a run: at the hub's pace, and again after failures that may pass. */
export class PatientCalls {
  readonly #paces: readonly RequestPace[];
  readonly #waits: Waits;
  readonly #signal: AbortSignal | undefined;
  readonly #options: OwnPatience;
  #unanswered = 0;

  /** `paces` are all kept to: that of the hub, and that of the run's own limits. */
  constructor(paces: readonly RequestPace[], waits: Waits, signal: AbortSignal | undefined) {
    this.#paces = paces;
    this.#waits = waits;
    this.#signal = signal;
    this.#options = { [OWN_PATIENCE]: (wait) => waits.during("retry", wait), abortSignal: signal };
  }

  /**
   * Makes a request until the hub has answered it. `wasUnsure` tells whether an earlier attempt may have been carried out.
   *
   * @throws {CallFailure} When it has failed for good.
   */
  async make<T>(request: PatientRequest<T>): Promise<{ value: T; wasUnsure: boolean }> {
    let wasUnsure = false;
    let repetitions = 0;
    for (let isRepeated = false;; isRepeated = true) {
      const leave = await this.#enter(request, isRepeated);
      try {
        const value = await request.send(this.#options);
        leave("answered");
        this.#unanswered = 0;
        return { value, wasUnsure };
      } catch (error) {
        if (isThrottled(error)) {
          leave("refused", error.retryAfterInMs);
          continue;
        }
        leave("left");
        throwIfAborted(this.#signal);
        const isUnsure = error instanceof IoTHubError && isPassing(error) && mayHaveRun(error);
        const mayRepeat = isWorthRepeating(error) && (request.mayRepeat || !isUnsure);
        wasUnsure ||= isUnsure;
        if (!mayRepeat || repetitions === MAX_REPETITIONS) {
          // One connection that breaks says little of the hub, if nobody may look whether it can be reached again.
          const isAlone = isUnsure && !request.mayRepeat && ++this.#unanswered < MAX_UNANSWERED;
          throw new CallFailure(error, wasUnsure, isAlone || !isFatal(error));
        }
        await this.#waits.during("retry", this.#sleep(backOff(BACK_OFF, repetitions++)));
      }
    }
  }

  async #enter(
    { operation, devices, isBulk = false }: PatientRequest<unknown>,
    isRepeated: boolean,
  ): Promise<(end: "answered" | "refused" | "left", waitInMs?: number) => void> {
    const passages: Passage[] = [];
    const lanes = this.#paces.map((pace) => pace.lane(operation));
    for (const lane of lanes) {
      const entering = lane.enter(devices, { isBulk, isRepeated, signal: this.#signal });
      passages.push(await this.#waits.during("throttle", entering));
    }
    return (end, waitInMs) =>
      lanes.forEach((lane, index) => {
        if (end === "answered") lane.answered(passages[index]!);
        // Only the hub's own pace is the hub's word.
        else if (end === "refused" && index === 0) lane.refused(passages[index]!, waitInMs);
        else lane.left();
      });
  }

  async #sleep(timeInMs: number): Promise<void> {
    const deadline = new Deadline(Infinity, this.#signal);
    try {
      await deadline.sleep(timeInMs);
    } finally {
      deadline.release();
    }
  }
}

/** Whether the hub has refused a request because there were too many, over HTTP or AMQP. */
function isThrottled(error: unknown): error is IoTHubError {
  return error instanceof IoTHubError && (error.statusCode === 429 || error.code === "ThrottlingException");
}

/** Whether it is the device that has not answered in time, after it may have got a direct method, or is gone. */
export function isOfDevice(errorNumber: number | undefined): boolean {
  return DEVICE_ERRORS.includes(errorNumber);
}

/** Whether the hub has not got on with a request, and may do so later. */
function isPassing({ code, statusCode, errorNumber }: IoTHubError): boolean {
  if (isOfDevice(errorNumber)) return false;
  return PASSING_STATUSES.includes(statusCode) ||
    (statusCode === undefined && (code === "NetworkError" || code === "Timeout")) || code === "InvalidResponse";
}

/** Whether a request that failed may succeed later. A hub that cannot be reached for a known reason stays out of reach. */
function isWorthRepeating(error: unknown): boolean {
  return error instanceof IoTHubError && isPassing(error) && (error.retryable || mayHaveRun(error));
}

/** Whether all other requests of the run would fail as well. */
function isFatal(error: unknown): boolean {
  // A bad argument is that of one entry.
  if (error instanceof TypeError || error instanceof RangeError) return false;
  if (!(error instanceof IoTHubError)) return true;
  const { code, statusCode } = error;
  // The quota of one device, such as that of its messages.
  if (code.startsWith("Device")) return false;
  return FATAL_CODES.includes(code) || FATAL_STATUSES.includes(statusCode) ||
    (statusCode === undefined && (code === "NetworkError" || code === "Timeout"));
}
