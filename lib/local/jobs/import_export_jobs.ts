import type { JobProperties } from "../../../gen/index.ts";
import type { BackgroundWork } from "../background_work.ts";
import type { BlobStorage } from "../blobs/blob_storage.ts";
import type { FaultListeners } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { hubTime, readClock } from "../hub_time.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import { failureReasonOf, JOB_HISTORY_IN_MS } from "./job_ends.ts";
import { exportIdentities, type ExportSources } from "./export_identities.ts";
import { importIdentities, type ImportTargets } from "./import_identities.ts";
import { type JobDescription, type JobRequest, readJobRequest } from "./job_request.ts";

type Status = "enqueued" | "running" | "completed" | "failed" | "cancelled";

/** A job, and how far it has come. */
interface Job {
  readonly id: string;
  readonly request: JobRequest;
  readonly startTime: number;
  readonly stop: AbortController;
  status: Status;
  /** In per cent. */
  progress: number;
  endTime: number | undefined;
  failureReason: string | null;
}

/** What is kept of a job: the names of its containers, and how far it has come. */
interface JobRow extends Omit<Job, "request" | "stop"> {
  readonly description: JobDescription;
  readonly input: string | undefined;
  readonly output: string;
}

/** What jobs work with. */
export interface JobParts extends ExportSources, ImportTargets {
  readonly now: () => number;
  readonly blobs: BlobStorage;
  readonly storage: HubStorage;
  readonly background: BackgroundWork;
  readonly faults: FaultListeners;
}

/** Copies identities to blobs and from blobs, one job at a time. */
export class ImportExportJobs implements Keeper {
  readonly #parts: JobParts;
  readonly #table: Table<Job>;
  readonly #jobs = new Map<string, Job>();
  #active: Job | undefined;

  constructor(parts: JobParts) {
    this.#parts = parts;
    this.#table = parts.storage.table({
      name: "importExportJobs",
      keyOf: ({ id }) => id,
      valueOf: ({ stop: _stop, request: { description, input, output }, ...row }): JobRow => ({
        ...row,
        description,
        input: input?.name,
        output: output.name,
      }),
      items: () => this.#jobs.values(),
    });
  }

  /**
   * Starts a job.
   *
   * @param body The body of the call.
   * @returns The job, before it begins.
   * @throws {HubFault} `JobQuotaExceeded` (403), `BlobContainerValidationError` or `ArgumentInvalid` (400).
   */
  async create(body: unknown): Promise<JobProperties> {
    const request = await readJobRequest(body, this.#parts.blobs);
    if (this.#active !== undefined) {
      throw new HubFault("JobQuotaExceeded", 403, `Job ${this.#active.id} is not done, and the hub runs one at a time`);
    }
    const job: Job = {
      id: crypto.randomUUID(),
      request,
      startTime: this.#parts.now(),
      stop: new AbortController(),
      status: "enqueued",
      progress: 0,
      endTime: undefined,
      failureReason: null,
    };
    this.#forgetOld(job.startTime);
    this.#jobs.set(job.id, job);
    this.#table.put(job);
    this.#start(job);
    return propertiesOf(job);
  }

  /** Returns all jobs, the oldest first. */
  all(): JobProperties[] {
    return [...this.#jobs.values()].map(propertiesOf);
  }

  /**
   * Returns a job.
   *
   * @throws {HubFault} `JobNotFound` (404).
   */
  get(id: string): JobProperties {
    return propertiesOf(this.#require(id));
  }

  /**
   * Stops a job. What an import has written stays, and its log is not written.
   *
   * @throws {HubFault} `JobNotFound` (404), or `OperationNotAllowedInCurrentState` (405) when it has ended.
   */
  cancel(id: string): void {
    const job = this.#require(id);
    if (job.endTime !== undefined) {
      throw new HubFault(
        "OperationNotAllowedInCurrentState",
        405,
        `Job ${id} is ${job.status} and cannot be cancelled`,
      );
    }
    this.#end(job, "cancelled");
    this.#table.put(job);
  }

  /** Stops the job that is at work. When it is kept, it is kept as it is. */
  close(): void {
    if (this.#active !== undefined) this.#end(this.#active, "cancelled");
  }

  clear(): void {
    this.close();
    this.#jobs.clear();
  }

  /** An export that was at work begins again, and an import has failed, as some of its lines may have been carried out. */
  load(): void {
    const { now, blobs } = this.#parts;
    for (const { key, value } of this.#table.read()) {
      const { description, input, output, ...row } = value as JobRow;
      const containers = {
        input: input === undefined ? undefined : blobs.requireContainer(input),
        output: blobs.requireContainer(output),
      };
      const job: Job = { ...row, request: { description, ...containers }, stop: new AbortController() };
      this.#jobs.set(key, job);
      if (job.status === "running" && description.type === "import") {
        job.failureReason =
          "The hub was stopped while the job ran. What was imported until then is there: import the rest";
        job.status = "failed";
        job.endTime = now();
        this.#table.put(job);
      } else if (job.endTime === undefined) this.#start(job);
    }
  }

  #start(job: Job): void {
    this.#active = job;
    this.#parts.background.start(() => this.#run(job));
  }

  async #run(job: Job): Promise<void> {
    const { request, stop: { signal } } = job;
    try {
      await this.#parts.background.nextTurn();
      signal.throwIfAborted();
      job.status = "running";
      this.#table.put(job);
      const work = request.description.type === "export" ? exportIdentities : importIdentities;
      await work(this.#parts, request, (progress) => void (job.progress = Math.floor(progress * 99)), signal);
      this.#end(job, "completed");
      this.#table.put(job);
    } catch (error) {
      if (signal.aborted) return;
      job.failureReason = failureReasonOf(error, this.#parts.faults);
      this.#end(job, "failed");
      this.#table.put(job);
    }
  }

  #end(job: Job, status: Status): void {
    job.status = status;
    if (status === "completed") job.progress = 100;
    job.endTime = readClock(this.#parts.now);
    this.#active = undefined;
    job.stop.abort();
  }

  #forgetOld(now: number): void {
    for (const job of this.#jobs.values()) {
      if (job.endTime === undefined || job.endTime + JOB_HISTORY_IN_MS >= now) continue;
      this.#jobs.delete(job.id);
      this.#table.delete(job);
    }
  }

  #require(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new HubFault("JobNotFound", 404, `The hub has no import or export job ${id}`);
    return job;
  }
}

/** The addresses of the containers are secret, and are never shown. */
function propertiesOf({ id, request, startTime, status, progress, endTime, failureReason }: Job): JobProperties {
  return {
    jobId: id,
    startTimeUtc: hubTime(startTime),
    ...(endTime !== undefined && { endTimeUtc: hubTime(endTime) }),
    ...request.description,
    status,
    progress,
    inputBlobContainerUri: "",
    outputBlobContainerUri: "",
    failureReason,
  };
}
