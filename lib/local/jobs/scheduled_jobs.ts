import type { JobResponse } from "../../../gen/index.ts";
import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import { HubFault } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import type { Collection } from "../queries/collection.ts";
import { readContinuation, writeContinuation } from "../queries/continuation_token.ts";
import { readPageSize } from "../queries/pages.ts";
import { CreationOrder } from "../records/creation_order.ts";
import type { HubTier } from "../../timing/hub_tiers.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import { checkActiveJobs } from "./active_jobs.ts";
import { DEVICE_JOB_SHAPE, type DeviceJob } from "./device_job.ts";
import { failureReasonOf, JOB_HISTORY_IN_MS } from "./job_ends.ts";
import { KeptScheduledJobs } from "./kept_scheduled_jobs.ts";
import { jobResponse, newScheduledJob, type ScheduledJob, statusOf } from "./scheduled_job.ts";
import { readScheduledJobRequest } from "./scheduled_job_request.ts";
import { failDeviceJob, runScheduledJob, type ScheduledJobTools } from "./scheduled_job_run.ts";

/** What scheduled jobs need besides what they work with. */
export interface ScheduledJobParts extends Omit<ScheduledJobTools, "deviceJobs" | "kept"> {
  readonly alarm: HubAlarm;
  readonly tier: HubTier;
  readonly storage: HubStorage;
}

/** Which jobs are asked for; `undefined` for any. */
export interface ScheduledJobFilter {
  readonly type: JobResponse["type"] | undefined;
  readonly status: JobResponse["status"] | undefined;
}

/** Some of the jobs that are asked for. */
export interface ScheduledJobPage {
  readonly items: readonly JobResponse[];
  /** The token for the next page; `undefined` on the last page. */
  readonly continuation: string | undefined;
}

/** Updates twins and calls methods of many devices, each job at its time. */
export class ScheduledJobs implements Keeper {
  /** What became of each device of each job, for queries. */
  readonly deviceJobs: Collection<DeviceJob>;
  readonly #parts: ScheduledJobParts;
  readonly #tools: ScheduledJobTools;
  readonly #jobs = new Map<string, ScheduledJob>();
  readonly #order = new CreationOrder<ScheduledJob>();
  readonly #listId = crypto.randomUUID();
  /** What comes next for each job, by the hub's clock. */
  readonly #sleepers = new Map<ScheduledJob, Sleeper>();

  constructor(parts: ScheduledJobParts) {
    const deviceJobs = new CreationOrder<DeviceJob>();
    this.#parts = parts;
    const kept = new KeptScheduledJobs(parts.storage, {
      jobs: () => this.#order.after(0),
      deviceJobs: () => deviceJobs.after(0),
    });
    this.#tools = { ...parts, deviceJobs, kept };
    this.deviceJobs = {
      name: "devices.jobs",
      itemType: "DeviceJob",
      records: deviceJobs,
      shape: DEVICE_JOB_SHAPE,
      hasFixedMembers: true,
    };
  }

  /**
   * Creates a job, which begins when its time comes.
   *
   * @returns The job, which is queued even when its time is far off.
   * @throws {HubFault} `JobAlreadyExists` (409), `ThrottlingMaxActiveJobCountExceeded` (429),
   * `OperationNotAvailableInCurrentTier` (403), or 400 or 413 when the request breaks a rule.
   */
  create(jobId: string, body: unknown): JobResponse {
    const now = this.#parts.now();
    const request = readScheduledJobRequest(jobId, body, now);
    if (this.#jobs.has(jobId)) throw new HubFault("JobAlreadyExists", 409, `A job with ID '${jobId}' already exists.`);
    const active = [...this.#jobs.values()].filter(({ endTime }) => endTime === undefined);
    checkActiveJobs(this.#parts.tier, active.length);
    const job = newScheduledJob(request, this.#order.nextSequence(), now);
    this.#add(job);
    this.#tools.kept.putJob(job);
    this.#schedule(job, now);
    return jobResponse(job, job.status);
  }

  /** Returns a job. One that is unknown is answered as such. */
  get(jobId: string): JobResponse {
    const job = this.#jobs.get(jobId);
    return job === undefined ? { type: "unknown", status: "unknown" } : this.#read(job);
  }

  /**
   * Keeps a job from beginning.
   *
   * @throws {HubFault} `JobNotFound` (404), or `OperationNotAllowedInCurrentState` (405) when it has begun.
   */
  cancel(jobId: string): JobResponse {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new HubFault("JobNotFound", 404, `The hub has no scheduled job ${jobId}`);
    if (job.status !== "queued") {
      const message = `Job ${jobId} is ${job.status} and cannot be cancelled`;
      throw new HubFault("OperationNotAllowedInCurrentState", 405, message);
    }
    this.#end(job, "cancelled");
    return this.#read(job);
  }

  /**
   * Returns a page of jobs, the oldest first.
   *
   * @param pageSize The header `x-ms-max-item-count`.
   * @param token The header `x-ms-continuation`.
   * @throws {HubFault} `ArgumentInvalid` (400) when the page size or the token is not valid.
   */
  page(filter: ScheduledJobFilter, pageSize: string | null, token: string | null): ScheduledJobPage {
    const size = readPageSize(pageSize);
    const asked = JSON.stringify(filter);
    const { after, taken } = token === null || token === ""
      ? { after: 0, taken: 0 }
      : readContinuation(this.#listId, asked, token);
    const items: JobResponse[] = [];
    let last = Number(after);
    for (const job of this.#order.after(last)) {
      const item = this.#read(job);
      if (![undefined, item.type].includes(filter.type) || ![undefined, item.status].includes(filter.status)) continue;
      if (items.length >= size) {
        return { items, continuation: writeContinuation(this.#listId, asked, { after: last, taken: taken + size }) };
      }
      items.push(item);
      last = job.sequence;
    }
    return { items, continuation: undefined };
  }

  /** Stops the jobs that run. When they are kept, they go on when the hub is made again. */
  close(): void {
    for (const job of this.#jobs.values()) {
      this.#tools.kept.freeze(job);
      job.stop.abort(hubStopped("The local hub was closed while the job ran"));
    }
  }

  clear(): void {
    this.close();
    for (const sleeper of this.#sleepers.values()) this.#parts.alarm.forget(sleeper);
    this.#sleepers.clear();
    this.#jobs.clear();
    this.#order.clear();
    this.#tools.deviceJobs.clear();
  }

  /** Jobs that ran go on, save that a device which was called is not called again, as it may have done what it should. */
  load(): void {
    const jobs = this.#tools.kept.read();
    const deviceJobs = jobs.flatMap((job) => job.deviceJobs);
    for (const deviceJob of deviceJobs.sort((one, other) => one.sequence - other.sequence)) {
      this.#tools.deviceJobs.nextSequence(deviceJob.sequence);
      this.#tools.deviceJobs.add(deviceJob);
    }
    for (const job of jobs) {
      this.#order.nextSequence(job.sequence);
      this.#add(job);
      for (const deviceJob of job.deviceJobs) {
        if (deviceJob.status !== "running") continue;
        const fault = hubStopped("The local hub was stopped while the device was called, which may have done its work");
        failDeviceJob(job, deviceJob, fault, this.#tools);
      }
      if (job.endTime === undefined) this.#schedule(job, this.#parts.now());
      else this.#forgetLater(job, job.endTime);
    }
  }

  #add(job: ScheduledJob): void {
    this.#jobs.set(job.request.jobId, job);
    this.#order.add(job);
  }

  #schedule(job: ScheduledJob, now: number): void {
    const begin = (): void => this.#parts.background.start(() => this.#run(job));
    if (job.request.startTime <= now) begin();
    else this.#wakeAt(job, job.request.startTime, begin);
  }

  async #run(job: ScheduledJob): Promise<void> {
    await this.#parts.background.nextTurn();
    if (job.endTime !== undefined || !this.#isThere(job)) return;
    const { stop, request: { maxExecutionTimeInSeconds: seconds } } = job;
    try {
      job.status = "running";
      job.beginTime ??= this.#parts.now();
      this.#tools.kept.putJob(job);
      this.#wakeAt(job, job.beginTime + seconds * 1000, () => stop.abort(outOfTime(seconds)));
      await runScheduledJob(job, this.#tools);
      stop.signal.throwIfAborted();
      this.#end(job, "completed");
    } catch (error) {
      job.failureReason = failureReasonOf(error, this.#parts.faults);
      this.#end(job, "failed");
    }
  }

  #end(job: ScheduledJob, status: "completed" | "failed" | "cancelled"): void {
    job.status = status;
    job.endTime = readClock(this.#parts.now);
    if (!this.#isThere(job)) return;
    this.#tools.kept.putJob(job);
    this.#forgetLater(job, job.endTime);
  }

  /** Whether the hub has not been put where it has another job in its place, or none. */
  #isThere(job: ScheduledJob): boolean {
    return this.#jobs.get(job.request.jobId) === job;
  }

  #forgetLater(job: ScheduledJob, endTime: number): void {
    this.#wakeAt(job, endTime + JOB_HISTORY_IN_MS, () => this.#forget(job));
  }

  #forget(job: ScheduledJob): void {
    this.#jobs.delete(job.request.jobId);
    this.#order.remove(job);
    this.#sleepers.delete(job);
    for (const deviceJob of job.deviceJobs) this.#tools.deviceJobs.remove(deviceJob);
    this.#tools.kept.delete(job);
  }

  /** Sets what comes next for a job, in place of what was to come next before. */
  #wakeAt(job: ScheduledJob, time: number, wake: () => void): void {
    const before = this.#sleepers.get(job);
    if (before !== undefined) this.#parts.alarm.forget(before);
    const sleeper = { wake };
    this.#sleepers.set(job, sleeper);
    this.#parts.alarm.set(sleeper, time);
  }

  #read(job: ScheduledJob): JobResponse {
    return jobResponse(job, statusOf(job, this.#parts.now()));
  }
}

function hubStopped(message: string): HubFault {
  return new HubFault("ServiceUnavailable", 503, message);
}

function outOfTime(seconds: number): HubFault {
  return new HubFault(
    "GenericTimeout",
    500,
    `The job was stopped, as it had run for ${seconds} s, its maxExecutionTimeInSeconds`,
  );
}
