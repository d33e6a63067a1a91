import type { JobResponse } from "../../gen/types.gen.ts";
import { checkChoice } from "../values/checks.ts";

/** The state of a job. */
export type JobStatus = NonNullable<JobResponse["status"]>;

/** Which scheduled jobs to list. Without a filter they are all. */
export interface JobFilter {
  /** Only jobs of this type. */
  jobType?: "scheduleDeviceMethod" | "scheduleUpdateTwin" | undefined;
  /** Only jobs in this state. */
  jobStatus?: JobStatus | undefined;
}

/** One page of scheduled jobs. */
export interface ScheduledJobsPage {
  /** The jobs. */
  items: JobResponse[];
  /** The token with which to ask for the next page; `undefined` on the last one. */
  continuationToken: string | undefined;
}

const STATUSES: readonly JobStatus[] = [
  "unknown",
  "enqueued",
  "running",
  "completed",
  "failed",
  "cancelled",
  "scheduled",
  "queued",
];

/** Throws unless a filter has known values only. */
export function checkJobFilter({ jobType, jobStatus }: JobFilter): void {
  if (jobType !== undefined) checkChoice("jobType", jobType, ["scheduleDeviceMethod", "scheduleUpdateTwin"]);
  if (jobStatus !== undefined) checkChoice("jobStatus", jobStatus, STATUSES);
}
