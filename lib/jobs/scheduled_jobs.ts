import type { JobRequest, JobResponse } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { type PagedAsyncIterableIterator, pagedIterator } from "../requests/paged_iterator.ts";
import { nextToken, pagingHeaders, type QueryResult, queryResult } from "../requests/query_page.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { API_VERSION } from "../transport/hub_transport.ts";
import * as facts from "../transport/operations.ts";
import { findWritten } from "../transport/repeated_write.ts";
import { isObject } from "../values/json.ts";
import { type JobDevice, jobDevicesQuery } from "./job_device.ts";
import { checkJobFilter, type JobFilter, type ScheduledJobsPage } from "./job_filter.ts";
import { findCancelled } from "./repeated_cancel.ts";
import {
  type DeviceMethodSchedule,
  isOwnJob,
  jobBody,
  scheduledDeviceMethodBody,
  type ScheduledJobRequest,
  scheduledTwinUpdateBody,
  type TwinUpdateSchedule,
} from "./scheduled_job_body.ts";

/** Scheduled jobs, which update the twins of many devices, or call a direct method on them, at a given time. */
export class ScheduledJobs extends HubClient {
  /**
   * Schedules a job in the form of the REST API. For an update of twins {@linkcode ScheduledJobs.scheduleTwinUpdate} is
   * simpler, and for a direct method {@linkcode ScheduledJobs.scheduleDeviceMethod}.
   *
   * @param jobId The job's id, which is new.
   * @param jobRequest The job: its `type`, its `updateTwin` or `cloudToDeviceMethod`, which devices take part
   * (`queryCondition`; all by default), when it begins (`startTime`; at once by default) and how long it may run.
   * @param options Options for this call.
   * @returns The job as the hub has accepted it.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `JobAlreadyExists` (409) when the hub already has a job with this id.
   * @throws {IoTHubError} `ThrottlingMaxActiveJobCountExceeded` (429) when the hub has as many active jobs as its tier allows.
   *
   * @example Update twins in an hour
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const job = await jobs.createScheduledJob("interval-berlin", {
   *   type: "scheduleUpdateTwin",
   *   updateTwin: { properties: { desired: { interval: 60 } } },
   *   queryCondition: "tags.site = 'berlin'",
   *   startTime: new Date(Date.now() + 3_600_000),
   *   maxExecutionTimeInSeconds: 600,
   * });
   * console.assert(job.jobId === "interval-berlin");
   * ```
   *
   * REST operation: `PUT /jobs/v2/{id}`.
   */
  createScheduledJob(
    jobId: string,
    jobRequest: ScheduledJobRequest,
    options: OperationOptions = {},
  ): Promise<JobResponse> {
    return putJob(this, facts.createScheduledJob, jobId, options, () => jobBody(jobId, jobRequest));
  }

  /**
   * Schedules an update of the twins of all devices that meet a condition. A condition with a fault is accepted, and the job
   * then fails.
   *
   * @param jobId The job's id, which is new.
   * @param schedule The changes (`twin`), which devices take part (`queryCondition`; all by default), when the job begins
   * (`startTime`; at once by default) and how long it may run (`maxExecutionTimeInSeconds`).
   * @param options Options for this call.
   * @returns The job as the hub has accepted it.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `JobAlreadyExists` (409) when the hub already has a job with this id.
   * @throws {IoTHubError} `ThrottlingMaxActiveJobCountExceeded` (429) when the hub has as many active jobs as its tier allows.
   *
   * @example Tag all devices, and wait until it is done
   * ```ts
   * import { IoTHubJobManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.createDeviceWithSas("thermostat-2");
   * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } } });
   * await jobs.waitForJob("tag-all", { pollIntervalInMs: 10 });
   * console.assert((await registry.getTwin("thermostat-2")).tags?.["site"] === "berlin");
   * ```
   *
   * REST operation: `PUT /jobs/v2/{id}`.
   */
  scheduleTwinUpdate(
    jobId: string,
    schedule: TwinUpdateSchedule,
    options: OperationOptions = {},
  ): Promise<JobResponse> {
    return putJob(this, facts.scheduleTwinUpdate, jobId, options, () => scheduledTwinUpdateBody(jobId, schedule));
  }

  /**
   * Schedules a call of a direct method on all devices that meet a condition. A device that is not connected counts as failed,
   * and the job goes on. A condition with a fault is accepted, and the job then fails.
   *
   * @param jobId The job's id, which is new.
   * @param schedule The `method`, which devices take part (`queryCondition`; all by default), when the job begins
   * (`startTime`; at once by default) and how long it may run (`maxExecutionTimeInSeconds`).
   * @param options Options for this call.
   * @returns The job as the hub has accepted it.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `JobAlreadyExists` (409) when the hub already has a job with this id.
   * @throws {IoTHubError} `ThrottlingMaxActiveJobCountExceeded` (429) when the hub has as many active jobs as its tier allows.
   *
   * @example Reboot the devices of a site
   * ```ts
   * import { IoTHubJobManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin" } });
   * hub.device("thermostat-1").onMethod("reboot", () => ({ status: 200 }));
   * await jobs.scheduleDeviceMethod("reboot-berlin", {
   *   method: { methodName: "reboot", responseTimeoutInSeconds: 30 },
   *   queryCondition: "tags.site = 'berlin'",
   * });
   * const job = await jobs.waitForJob("reboot-berlin", { pollIntervalInMs: 10 });
   * console.assert(job.status === "completed");
   * ```
   *
   * REST operation: `PUT /jobs/v2/{id}`.
   */
  scheduleDeviceMethod(
    jobId: string,
    schedule: DeviceMethodSchedule,
    options: OperationOptions = {},
  ): Promise<JobResponse> {
    return putJob(this, facts.scheduleDeviceMethod, jobId, options, () => scheduledDeviceMethodBody(jobId, schedule));
  }

  /**
   * Reads a job, with its state and its statistics. A job that the hub does not know is no error: the hub returns one with the
   * type and status `"unknown"`, and so does this method.
   *
   * @param jobId The job's id.
   * @param options Options for this call.
   * @returns The job.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   *
   * @example Ask for a job that nobody has scheduled
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { status } = await jobs.getScheduledJob("nothing");
   * console.assert(status === "unknown");
   * ```
   *
   * REST operation: `GET /jobs/v2/{id}`.
   */
  getScheduledJob(jobId: string, options: OperationOptions = {}): Promise<JobResponse> {
    return callHub(
      this,
      facts.getScheduledJob,
      { jobId },
      options,
      (call) => operations.getScheduledJob({ ...call(), path: { id: jobId } }),
    );
  }

  /**
   * Cancels a job that has not begun yet. For some time the hub may still show it as `"scheduled"`.
   *
   * @param jobId The job's id.
   * @param options Options for this call.
   * @returns The job.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   * @throws {IoTHubError} `JobNotFound` (404) when there is no such job.
   * @throws {IoTHubError} `OperationNotAllowedInCurrentState` (405) when the job is running or has ended.
   *
   * @example Change one's mind
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const startTime = new Date(Date.now() + 3_600_000);
   * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } }, startTime });
   * const { status } = await jobs.cancelScheduledJob("tag-all");
   * console.assert(status === "cancelled");
   * ```
   *
   * REST operation: `POST /jobs/v2/{id}/cancel`.
   */
  cancelScheduledJob(jobId: string, options: OperationOptions = {}): Promise<JobResponse> {
    return callHub(this, facts.cancelScheduledJob, { jobId }, options, (call) => {
      const findEarlierWrite = findCancelled((readOptions) => this.getScheduledJob(jobId, readOptions));
      return operations.cancelScheduledJob({ ...call({ findEarlierWrite }), path: { id: jobId } });
    });
  }

  /**
   * Lists scheduled jobs and returns one page of them. To read all pages, {@linkcode ScheduledJobs.scheduledJobs} is simpler.
   *
   * @param options Which jobs (`jobType`, `jobStatus`; all by default), which page (`continuationToken`; the first by
   * default), how many jobs it may have (`maxItemCount`; the hub returns at most 100), and options for this call.
   * @returns The jobs, and the token of the next page.
   * @throws {TypeError} When an option has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   *
   * @example Read one page of the jobs that wait
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const startTime = new Date(Date.now() + 3_600_000);
   * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } }, startTime });
   * const { items } = await jobs.queryScheduledJobs({ jobType: "scheduleUpdateTwin", maxItemCount: 10 });
   * console.assert(items[0]?.jobId === "tag-all");
   * ```
   *
   * REST operation: `GET /jobs/v2/query`.
   */
  queryScheduledJobs(
    options: OperationOptions & JobFilter & {
      continuationToken?: string | undefined;
      maxItemCount?: number | undefined;
    } = {},
  ): Promise<ScheduledJobsPage> {
    return callHub(this, facts.queryScheduledJobs, {}, options, async (call) => {
      checkJobFilter(options);
      const { jobType, jobStatus, continuationToken, maxItemCount } = options;
      const { data, response } = await operations.queryScheduledJobs({
        ...call({ accepts: isPage }),
        query: { jobType, jobStatus, ...API_VERSION },
        headers: pagingHeaders(continuationToken, maxItemCount),
      });
      // Hubs answer with an array and headers, and the vendor's description of the API says that they answer with an object.
      const page = Array.isArray(data) ? { items: data } : data as unknown as Partial<ScheduledJobsPage>;
      const token = response.headers.get("x-ms-continuation") || page.continuationToken;
      return {
        data: {
          items: page.items as JobResponse[],
          continuationToken: nextToken(facts.queryScheduledJobs.name, token),
        },
      };
    });
  }

  /**
   * Lists scheduled jobs one after the other, from all pages. Nothing is sent before the first job is asked for. While one
   * page is being read, the next is already requested. The hub remembers jobs for 30 days.
   *
   * @param options Which jobs (`jobType`, `jobStatus`; all by default), how many a page may have (`maxItemCount`; the hub
   * returns at most 100), and options for each call.
   * @returns The jobs for `for await`, or the pages with `.byPage({ continuationToken, maxPageSize })`.
   * @throws {TypeError} When an option has the wrong type. It is thrown when the first job is read; nothing is sent.
   * @throws {RangeError} When an option's value is not legal. It is thrown when the first job is read; nothing is sent.
   *
   * @example Cancel all jobs that wait
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const startTime = new Date(Date.now() + 3_600_000);
   * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } }, startTime });
   * for await (const { jobId, status } of jobs.scheduledJobs()) {
   *   if (status === "queued" || status === "scheduled") await jobs.cancelScheduledJob(jobId!);
   * }
   * console.assert((await jobs.getScheduledJob("tag-all")).status === "cancelled");
   * ```
   *
   * REST operation: `GET /jobs/v2/query`.
   */
  scheduledJobs(
    options: OperationOptions & JobFilter & { maxItemCount?: number | undefined } = {},
  ): PagedAsyncIterableIterator<JobResponse, ScheduledJobsPage> {
    return pagedIterator<JobResponse, ScheduledJobsPage>(
      facts.queryScheduledJobs.name,
      (continuationToken, maxPageSize) => {
        checkOptions(options, [["jobType", "jobStatus", "maxItemCount"]]);
        const maxItemCount = maxPageSize ?? options.maxItemCount;
        return this.queryScheduledJobs({ ...options, continuationToken, maxItemCount });
      },
      options?.abortSignal,
    );
  }

  /**
   * Lists what became of a job on each of its devices, from all pages. Nothing is sent before the first device is asked for.
   * While one page is being read, the next is already requested.
   *
   * @param jobId The job's id. An unknown job has no devices.
   * @param options How many devices a page may have (`maxItemCount`; the hub returns at most 100), and options for each call.
   * @returns The devices for `for await`, or the pages with `.byPage({ continuationToken, maxPageSize })`.
   * @throws {TypeError} When an argument has the wrong type. It is thrown when the first device is read; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal. It is thrown when the first device is read; nothing is sent.
   *
   * @example List the devices that were not connected
   * ```ts
   * import { IoTHubJobManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await jobs.scheduleDeviceMethod("reboot-all", { method: { methodName: "reboot" } });
   * await jobs.waitForJob("reboot-all", { pollIntervalInMs: 10 });
   * for await (const { deviceId, status, error } of jobs.jobDevices("reboot-all")) {
   *   console.assert(deviceId === "thermostat-1" && status === "failed" && error !== undefined);
   * }
   * ```
   *
   * REST operation: `POST /devices/query`, with `FROM devices.jobs`.
   */
  jobDevices(
    jobId: string,
    options: OperationOptions & { maxItemCount?: number | undefined } = {},
  ): PagedAsyncIterableIterator<JobDevice, QueryResult<JobDevice>> {
    return pagedIterator<JobDevice, QueryResult<JobDevice>>(
      facts.jobDevices.name,
      (continuationToken, maxPageSize) =>
        callHub(this, facts.jobDevices, { jobId }, options, async (call) => {
          const headers = pagingHeaders(continuationToken, maxPageSize ?? options.maxItemCount);
          const body = { query: jobDevicesQuery(jobId) };
          const { data, response } = await operations.queryIotHub({ ...call(), body, headers });
          return { data: queryResult<JobDevice>(facts.jobDevices.name, data, response.headers) };
        }),
      options?.abortSignal,
    );
  }
}

/** A job cannot be updated, as other things can be that exist already. */
const JOB_ADVICE = { JobAlreadyExists: "choose another id" };

/** Creates a job. All methods that create one go through this function. */
function putJob(
  jobs: ScheduledJobs,
  operation: facts.OperationFacts,
  jobId: string,
  options: OperationOptions,
  bodyOf: () => JobRequest,
): Promise<JobResponse> {
  return callHub(jobs, operation, { jobId }, options, (call) => {
    const body = bodyOf();
    const findEarlierWrite = findWritten(body, (readOptions) => jobs.getScheduledJob(jobId, readOptions), isOwnJob);
    return operations.createScheduledJob({
      ...call({ findEarlierWrite, advice: JOB_ADVICE }),
      path: { id: jobId },
      body,
    });
  });
}

/** Whether an answer is a page of jobs in the form of an object. */
function isPage(status: number, data: unknown): boolean {
  return status === 200 && isObject(data) && Array.isArray(data["items"]);
}
