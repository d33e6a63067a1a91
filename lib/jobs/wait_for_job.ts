import type { JobProperties, JobResponse } from "../../gen/types.gen.ts";
import { IoTHubError } from "../errors/errors.ts";
import { closed, type FailedCall, failure } from "../errors/failures.ts";
import { redactText, shorten } from "../errors/redaction.ts";
import type { Deadline } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { type HubClient, viewOf } from "../transport/hub_client.ts";
import { severalCalls } from "../transport/several_calls.ts";
import type { HubPart } from "../transport/shared_hub.ts";
import { checkType, checkWhole } from "../values/checks.ts";
import { checkJobId } from "../values/ids.ts";
import type { ImportExportJobs } from "./import_export_jobs.ts";
import type { ScheduledJobs } from "./scheduled_jobs.ts";

/** A job of either kind: one that was scheduled, or an import or export. */
export type AnyJob = JobResponse | JobProperties;

/** The options of `waitForJob`. */
export interface WaitForJobOptions extends OperationOptions {
  /**
   * How long to wait in total, in milliseconds. By default there is no limit: each read of the job has the client's time-out.
   */
  timeoutInMs?: number | undefined;
  /**
   * How long to wait before the job is read again, in milliseconds. The wait grows by half each time, up to ten times this.
   * @default {2000}
   */
  pollIntervalInMs?: number | undefined;
  /** Called with the job each time that it has been read, also the last time. If it throws, the waiting ends. */
  onProgress?: ((job: AnyJob) => void) | undefined;
}

/** What can read jobs of both kinds. */
export type JobReader =
  & HubClient
  & Pick<ScheduledJobs, "getScheduledJob">
  & Pick<ImportExportJobs, "getImportExportJob">;

type Read = (options: OperationOptions) => Promise<AnyJob>;

const DEFAULT_POLL_INTERVAL_IN_MS = 2_000;
const A_DAY_IN_MS = 86_400_000;

/** How much longer each wait is than the one before, and how much longer the longest is than the first. */
const GROWTH = 1.5;
const MOST_GROWTH = 10;

/** Reads a job until it has ended. */
export async function waitForJob(jobs: JobReader, jobId: string, options: WaitForJobOptions): Promise<AnyJob> {
  checkJobId("jobId", jobId);
  checkOptions(options, [["pollIntervalInMs", "onProgress"]]);
  const { pollIntervalInMs = DEFAULT_POLL_INTERVAL_IN_MS, onProgress } = options;
  checkWhole("pollIntervalInMs", pollIntervalInMs, 1, A_DAY_IN_MS);
  if (onProgress !== undefined) checkType("onProgress", onProgress, "function");
  const call = { operation: "waitForJob", jobId };
  return await severalCalls(call, options, (deadline, remaining) =>
    endedWithClient(jobs, call, deadline, async () => {
      let [job, read] = await findJob(jobs, call, remaining);
      for (let wait = pollIntervalInMs;; wait = Math.min(wait * GROWTH, pollIntervalInMs * MOST_GROWTH)) {
        if (job.status === "unknown") throw unknownJob(call);
        await deadline.race(Promise.resolve(onProgress?.(job)));
        if (job.status === "completed") return job;
        if (job.status === "failed" || job.status === "cancelled") throw jobFailed(call, job);
        await deadline.sleep(wait);
        job = await read(remaining());
      }
    }));
}

/** Finds out of which kind a job is. Returns it, with the function that reads it again. */
async function findJob(
  jobs: JobReader,
  call: FailedCall & { jobId: string },
  remaining: () => OperationOptions,
): Promise<[AnyJob, Read]> {
  const readScheduled: Read = (options) => jobs.getScheduledJob(call.jobId, options);
  const readImportExport: Read = (options) => jobs.getImportExportJob(call.jobId, options);
  let refusal: unknown;
  try {
    const job = await readScheduled(remaining());
    if (job.status !== "unknown") return [job, readScheduled];
  } catch (error) {
    // Not every policy may read both kinds, and hubs of the basic tier have no scheduled jobs.
    if (!isRefused(error)) throw error;
    refusal = error;
  }
  try {
    return [await readImportExport(remaining()), readImportExport];
  } catch (error) {
    if (!isMissing(error) && !isRefused(error)) throw error;
    throw refusal ?? unknownJob(call, error);
  }
}

/** Runs a step that ends with the error `Closed` as soon as the client is closed, be it in the middle of a wait. */
async function endedWithClient<T>(
  client: HubClient,
  call: FailedCall,
  deadline: Deadline,
  step: () => Promise<T>,
): Promise<T> {
  const view = viewOf(client);
  const part: HubPart = {
    endCalls: (caller) => void (caller === view && deadline.end(closed(call))),
    close: () => deadline.end(closed(call)),
  };
  view.hub.parts.add(part);
  try {
    return await step();
  } finally {
    view.hub.parts.delete(part);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof IoTHubError && error.statusCode === 404;
}

function isRefused(error: unknown): boolean {
  return error instanceof IoTHubError && (error.statusCode === 401 || error.statusCode === 403);
}

function unknownJob(call: FailedCall, cause?: unknown): IoTHubError {
  const reason = isRefused(cause)
    ? "the hub knows no such scheduled job, and refuses to tell of imports and exports"
    : "the hub knows no such job";
  return failure(call, "JobNotFound", reason, { cause });
}

function jobFailed(call: FailedCall, { status, ...job }: AnyJob): IoTHubError {
  const { failureReason, statusMessage } = job as { failureReason?: unknown; statusMessage?: unknown };
  const texts = [failureReason, statusMessage].filter((text) => typeof text === "string" && text !== "");
  const reasons = [...new Set(texts)].join("; ");
  const why = reasons === "" ? "" : ` (${shorten(redactText(reasons))})`;
  return failure(call, "JobFailed", `the job ${status === "failed" ? "has failed" : "was cancelled"}${why}`);
}
