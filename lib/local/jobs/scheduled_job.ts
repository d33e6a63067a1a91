import type { DeviceJobStatistics, JobResponse } from "../../../gen/index.ts";
import { utcTime } from "../hub_time.ts";
import type { DeviceJob } from "./device_job.ts";
import type { ScheduledJobRequest } from "./scheduled_job_request.ts";

/** A scheduled job, and how far it has come. */
export interface ScheduledJob {
  readonly request: ScheduledJobRequest;
  readonly sequence: number;
  readonly createdTime: number;
  readonly stop: AbortController;
  /** One for each device that matches, from the time on when the job begins. */
  readonly deviceJobs: DeviceJob[];
  /** After which device the others are still to be found; `undefined` when all are. */
  lastDevice: number | undefined;
  /** When it has begun. */
  beginTime: number | undefined;
  readonly statistics: { -readonly [Count in keyof DeviceJobStatistics]-?: number };
  status: "queued" | "running" | "completed" | "failed" | "cancelled";
  endTime: number | undefined;
  failureReason: string | undefined;
}

/** Creates a job that has not begun. */
export function newScheduledJob(request: ScheduledJobRequest, sequence: number, createdTime: number): ScheduledJob {
  return {
    request,
    sequence,
    createdTime,
    stop: new AbortController(),
    deviceJobs: [],
    lastDevice: 0,
    beginTime: undefined,
    statistics: { deviceCount: 0, failedCount: 0, succeededCount: 0, runningCount: 0, pendingCount: 0 },
    status: "queued",
    endTime: undefined,
    failureReason: undefined,
  };
}

/** The status of a job as it is read: while its time has not come, it is scheduled. */
export function statusOf({ status, request }: ScheduledJob, now: number): NonNullable<JobResponse["status"]> {
  return status === "queued" && request.startTime > now ? "scheduled" : status;
}

/** Returns a job as it is answered. */
export function jobResponse(job: ScheduledJob, status: JobResponse["status"]): JobResponse {
  const { request: { jobId, type, ...request }, endTime, failureReason } = job;
  const { queryCondition, cloudToDeviceMethod, updateTwin } = request;
  return {
    jobId,
    ...(queryCondition !== undefined && { queryCondition }),
    createdTime: utcTime(job.createdTime),
    startTime: utcTime(request.startTime),
    ...(endTime !== undefined && { endTime: utcTime(endTime) }),
    maxExecutionTimeInSeconds: request.maxExecutionTimeInSeconds,
    type,
    ...(cloudToDeviceMethod !== undefined && {
      cloudToDeviceMethod: cloudToDeviceMethod as NonNullable<JobResponse["cloudToDeviceMethod"]>,
    }),
    ...(updateTwin !== undefined && { updateTwin }),
    status,
    ...(failureReason !== undefined && { failureReason, statusMessage: failureReason }),
    deviceJobStatistics: { ...job.statistics },
  };
}
