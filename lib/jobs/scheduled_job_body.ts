import type { CloudToDeviceMethod, JobRequest, JobResponse } from "../../gen/types.gen.ts";
import { methodCall } from "../requests/method_request.ts";
import { checkTwinPatch, isReplacement, type TwinPatch } from "../requests/twin_patch.ts";
import { checkChoice, checkText, checkWhole, quote, wrongType, wrongValue } from "../values/checks.ts";
import { isMerged, isSame, parseJson } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** For which devices a job is, and when it runs. */
export interface JobSchedule {
  /**
   * Which devices take part: the condition of a query, without `WHERE`.
   * @default {"*"} which is every device
   */
  queryCondition?: string | undefined;
  /**
   * When the job begins, at most 168 hours ahead. By default it begins at once. A text without a time zone is a time of UTC, as
   * it is for hubs.
   */
  startTime?: Date | string | undefined;
  /** How long the job may run, in seconds. By default the hub decides. */
  maxExecutionTimeInSeconds?: number | undefined;
}

/** An update of many twins, and when it is to be made. */
export interface TwinUpdateSchedule extends JobSchedule {
  /**
   * The changes to write to each twin; `null` deletes. An `etag` in it counts: the job fails on each twin that has another one.
   * So take it out of a twin that was read, since that of one device is hardly that of all others.
   */
  twin: TwinPatch;
}

/** A direct method, and when it is to be called on many devices. */
export interface DeviceMethodSchedule extends JobSchedule {
  /** The method's name, its payload and its time-outs in seconds. */
  method: CloudToDeviceMethod;
}

/** A job in the form of the REST API. */
export interface ScheduledJobRequest extends JobSchedule {
  /** The job's id again, if it is there. */
  jobId?: string | undefined;
  /** The kind of job. */
  type: JobRequest["type"];
  /** The method to call, with the type `scheduleDeviceMethod`. */
  cloudToDeviceMethod?: CloudToDeviceMethod | undefined;
  /** The changes to write to each twin, with the type `scheduleUpdateTwin`. */
  updateTwin?: TwinPatch | undefined;
}

const SCHEDULE = ["queryCondition", "startTime", "maxExecutionTimeInSeconds"];

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/i;
const TIME_RULE = "a Date, or a time such as 2030-01-31T12:00:00Z";

/** Returns the body of a request for a job. Throws unless it is legal. */
export function jobBody(jobId: string, request: ScheduledJobRequest): JobRequest {
  checkMembers("jobRequest", request, ["jobId", "type", "cloudToDeviceMethod", "updateTwin", ...SCHEDULE]);
  if (request.jobId !== undefined && request.jobId !== jobId) {
    throw wrongValue(`jobRequest.jobId ${quote(String(request.jobId))}`, "the same as jobId, or left out");
  }
  const { type, updateTwin, cloudToDeviceMethod } = request;
  checkChoice("jobRequest.type", type, ["scheduleUpdateTwin", "scheduleDeviceMethod"]);
  const [body, unused] = type === "scheduleUpdateTwin"
    ? [twinUpdateBody(jobId, "jobRequest.updateTwin", updateTwin!, request), { cloudToDeviceMethod }]
    : [methodBody(jobId, "jobRequest.cloudToDeviceMethod", cloudToDeviceMethod!, request), { updateTwin }];
  // It would not be sent, and somebody would wait for it.
  for (const [name, value] of Object.entries(unused)) {
    if (value !== undefined && value !== null) throw wrongValue(`jobRequest.${name} in a job ${type}`, "left out");
  }
  return body;
}

/** Returns the body of a request for an update of twins. Throws unless it is legal. */
export function scheduledTwinUpdateBody(jobId: string, schedule: TwinUpdateSchedule): JobRequest {
  checkMembers("schedule", schedule, ["twin", ...SCHEDULE]);
  return twinUpdateBody(jobId, "schedule.twin", schedule.twin, schedule);
}

/** Returns the body of a request for calls of a direct method. Throws unless it is legal. */
export function scheduledDeviceMethodBody(jobId: string, schedule: DeviceMethodSchedule): JobRequest {
  checkMembers("schedule", schedule, ["method", ...SCHEDULE]);
  return methodBody(jobId, "schedule.method", schedule.method, schedule);
}

function twinUpdateBody(jobId: string, name: string, patch: TwinPatch, schedule: JobSchedule): JobRequest {
  checkTwinPatch(name, patch);
  // The hub refuses an update without an etag, and the star stands for any version.
  const { etag = "*" } = patch;
  const updateTwin = { ...patch, etag } as NonNullable<JobRequest["updateTwin"]>;
  return { jobId, type: "scheduleUpdateTwin", updateTwin, ...scheduleBody(schedule) };
}

function methodBody(jobId: string, name: string, method: CloudToDeviceMethod, schedule: JobSchedule): JobRequest {
  const { body } = methodCall(name, method);
  return { jobId, type: "scheduleDeviceMethod", cloudToDeviceMethod: body, ...scheduleBody(schedule) };
}

function scheduleBody(
  { queryCondition = "*", startTime, maxExecutionTimeInSeconds }: JobSchedule,
): Pick<JobRequest, "queryCondition" | "startTime" | "maxExecutionTimeInSeconds"> {
  checkText("queryCondition", queryCondition, /\S/, 'a condition; leave it out, or use "*", for all devices');
  checkWhole("maxExecutionTimeInSeconds", maxExecutionTimeInSeconds, 1);
  return { queryCondition, startTime: timeText(startTime), maxExecutionTimeInSeconds };
}

/** Returns a time as it is sent, or `undefined` for none. Without a time zone it would be another one here than at the hub. */
function timeText(time: unknown): string | undefined {
  if (time === undefined) return undefined;
  if (typeof time !== "string" && !(time instanceof Date)) throw wrongType("startTime", TIME_RULE, time);
  const [text = "", zone] = TIME.exec(String(time instanceof Date ? time.toJSON() : time)) ?? [];
  if (Number.isNaN(Date.parse(text))) throw wrongValue("startTime", TIME_RULE);
  return zone === undefined ? `${text}Z` : text;
}

/** Whether a job that was found is the one that was sent. */
export function isOwnJob(sent: JobRequest, found: JobResponse): boolean {
  return sent.type === found.type && sent.queryCondition === found.queryCondition &&
    (sent.startTime === undefined || Date.parse(sent.startTime) === Date.parse(found.startTime ?? "")) &&
    (sent.maxExecutionTimeInSeconds ?? found.maxExecutionTimeInSeconds) === found.maxExecutionTimeInSeconds &&
    isReplacement(sent.updateTwin ?? {}, found.updateTwin ?? {}) &&
    isSameMethod(sent.cloudToDeviceMethod, found.cloudToDeviceMethod);
}

function isSameMethod(sent: CloudToDeviceMethod | undefined, found: CloudToDeviceMethod | undefined): boolean {
  if (sent === undefined) return true;
  const { payload, ...rest } = sent;
  return isMerged(rest, found) && (isSame(payload, found?.payload) || isSame(payload, bytesAsJson(found?.payload)));
}

/** Reads a payload that hubs give back as the bytes of its JSON. */
function bytesAsJson(payload: unknown): unknown {
  const isBytes = Array.isArray(payload) && payload.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
  return isBytes ? parseJson(new TextDecoder().decode(Uint8Array.from(payload as number[]))) : undefined;
}
