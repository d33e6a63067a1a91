import type { HubStorage } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { DeviceJob } from "./device_job.ts";
import { newScheduledJob, type ScheduledJob } from "./scheduled_job.ts";

/** What is kept of a job: all but what its devices tell, and what is only there while it runs. */
type JobRow = Omit<ScheduledJob, "stop" | "deviceJobs" | "statistics">;

/** Keeps scheduled jobs, and what became of each of their devices. */
export class KeptScheduledJobs {
  readonly storage: HubStorage;
  readonly #jobs: Table<ScheduledJob>;
  readonly #deviceJobs: Table<DeviceJob>;
  readonly #frozen = new WeakSet<ScheduledJob>();

  constructor(
    storage: HubStorage,
    items: { readonly jobs: () => Iterable<ScheduledJob>; readonly deviceJobs: () => Iterable<DeviceJob> },
  ) {
    this.storage = storage;
    this.#jobs = storage.table({
      name: "scheduledJobs",
      keyOf: ({ request }) => request.jobId,
      valueOf: ({ stop: _stop, deviceJobs: _deviceJobs, statistics: _statistics, ...row }): JobRow => row,
      items: items.jobs,
    });
    this.#deviceJobs = storage.table({
      name: "deviceJobs",
      keyOf: ({ sequence }) => String(sequence),
      valueOf: (deviceJob) => deviceJob,
      items: items.deviceJobs,
    });
  }

  /** Keeps a job as it is now. */
  putJob(job: ScheduledJob): void {
    if (!this.#frozen.has(job)) this.#jobs.put(job);
  }

  /** Keeps what becomes of a device of a job as it is now. */
  putDeviceJob(job: ScheduledJob, deviceJob: DeviceJob): void {
    if (!this.#frozen.has(job)) this.#deviceJobs.put(deviceJob);
  }

  /** Keeps a job and what became of its devices no longer. */
  delete(job: ScheduledJob): void {
    this.storage.together(() => {
      this.#jobs.delete(job);
      for (const deviceJob of job.deviceJobs) this.#deviceJobs.delete(deviceJob);
    });
  }

  /** Keeps a job as it is now, whatever becomes of it in this hub. */
  freeze(job: ScheduledJob): void {
    this.#frozen.add(job);
  }

  /** Reads the jobs with what became of their devices. */
  read(): ScheduledJob[] {
    const jobs = new Map<string, ScheduledJob>();
    for (const { key, value } of this.#jobs.read()) {
      const row = value as JobRow;
      const job = newScheduledJob(row.request, row.sequence, row.createdTime);
      jobs.set(key, Object.assign(job, row, { lastDevice: row.lastDevice }));
    }
    for (const { value } of this.#deviceJobs.read()) {
      const deviceJob = value as DeviceJob;
      const { deviceJobs, statistics } = jobs.get(deviceJob.jobId)!;
      deviceJobs.push(deviceJob);
      statistics.deviceCount++;
      statistics[COUNTS[deviceJob.status]]++;
    }
    return [...jobs.values()];
  }
}

const COUNTS = {
  pending: "pendingCount",
  running: "runningCount",
  completed: "succeededCount",
  failed: "failedCount",
} as const;
