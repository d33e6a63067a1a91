import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { checkIdInBody, requireObject } from "../identities/identity_rules.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { type IfMatch, readIfMatch } from "../records/if_match.ts";
import { type MethodCall, readMethodCall } from "../presence/direct_method_broker.ts";
import { checkTwinPatch } from "../twins/twin_writes.ts";
import { readChoice } from "./choices.ts";

const HOUR_IN_MS = 3_600_000;
const MAX_HOURS_AHEAD = 168;
const DEFAULT_MAX_EXECUTION_TIME = 3_600;
const TYPES = ["scheduleUpdateTwin", "scheduleDeviceMethod"] as const;
const JOB_ID = /^[A-Za-z0-9\-'_]{1,64}$/;
/** Without a time zone, a time is one of UTC. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** What a job does with each of its devices. */
export type DeviceWork =
  | { readonly kind: "twin"; readonly patch: JsonObject; readonly ifMatch: IfMatch }
  | { readonly kind: "method"; readonly call: MethodCall };

/** A scheduled job as it is asked for. */
export interface ScheduledJobRequest {
  readonly jobId: string;
  readonly type: typeof TYPES[number];
  /** As it was sent. It is parsed only when the job begins. */
  readonly queryCondition: string | undefined;
  /** As they were sent, for answers. */
  readonly cloudToDeviceMethod: JsonObject | undefined;
  readonly updateTwin: JsonObject | undefined;
  readonly work: DeviceWork;
  readonly startTime: number;
  readonly maxExecutionTimeInSeconds: number;
}

/**
 * Reads what is asked of a scheduled job.
 *
 * @param jobId The id in the path.
 * @param body The body of the call.
 * @param now When the job begins unless the body says otherwise.
 * @throws {HubFault} `ArgumentInvalid` or `ArgumentNull` (400), or `MessageTooLarge` (413).
 */
export function readScheduledJobRequest(jobId: string, body: unknown, now: number): ScheduledJobRequest {
  const job = requireObject("a job", body);
  if (!JOB_ID.test(jobId)) throw wrongArgument("jobId", jobId, "1 to 64 characters of A-Za-z0-9-_'");
  checkIdInBody("jobId", job, jobId);
  const type = readChoice("type", job["type"], TYPES);
  const [work, content] = type === "scheduleUpdateTwin" ? readTwinUpdate(job) : readMethod(job);
  return {
    jobId,
    type,
    queryCondition: readCondition(job),
    cloudToDeviceMethod: work.kind === "method" ? content : undefined,
    updateTwin: work.kind === "twin" ? content : undefined,
    work,
    startTime: readStartTime(job, now),
    maxExecutionTimeInSeconds: readMaxExecutionTime(job),
  };
}

function readTwinUpdate({ updateTwin }: JsonObject): [DeviceWork, JsonObject] {
  if (!isJsonObject(updateTwin)) throw wrongArgumentType("updateTwin", updateTwin, "a twin as an object");
  checkTwinPatch(updateTwin);
  const { etag } = updateTwin;
  const ifMatch = typeof etag === "string" ? readIfMatch(etag) : undefined;
  if (ifMatch === undefined) throw wrongArgument("updateTwin.etag", etag, 'an etag, or "*" for twins as they are');
  return [{ kind: "twin", patch: updateTwin, ifMatch }, updateTwin];
}

function readMethod({ cloudToDeviceMethod }: JsonObject): [DeviceWork, JsonObject] {
  if (!isJsonObject(cloudToDeviceMethod)) {
    throw wrongArgumentType("cloudToDeviceMethod", cloudToDeviceMethod, "a direct method call as an object");
  }
  return [{ kind: "method", call: readMethodCall(cloudToDeviceMethod) }, cloudToDeviceMethod];
}

function readCondition({ queryCondition }: JsonObject): string | undefined {
  if (queryCondition === undefined || queryCondition === null) return undefined;
  if (typeof queryCondition === "string") return queryCondition;
  throw wrongArgumentType("queryCondition", queryCondition, "a string");
}

function readStartTime({ startTime }: JsonObject, now: number): number {
  if (startTime === undefined || startTime === null) return now;
  const [text, zone] = (typeof startTime === "string" ? TIME.exec(startTime) : undefined) ?? [];
  const time = text === undefined ? NaN : Date.parse(zone === undefined ? `${text}Z` : text);
  if (Number.isNaN(time)) throw wrongArgument("startTime", startTime, "a time such as 2026-01-31T12:00:00Z");
  if (time <= now + MAX_HOURS_AHEAD * HOUR_IN_MS) return time;
  throw wrongArgument("startTime", startTime, `at most ${MAX_HOURS_AHEAD} hours ahead`);
}

function readMaxExecutionTime({ maxExecutionTimeInSeconds: seconds }: JsonObject): number {
  if (seconds === undefined || seconds === null) return DEFAULT_MAX_EXECUTION_TIME;
  if (typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds > 0) return seconds;
  throw wrongArgument("maxExecutionTimeInSeconds", seconds, "a whole number from 1 on");
}
