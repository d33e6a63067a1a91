import { HubClient } from "../transport/hub_client.ts";
import { sum } from "../transport/sum.ts";
import { ImportExportJobs } from "./import_export_jobs.ts";
import { ScheduledJobs } from "./scheduled_jobs.ts";
import { type AnyJob, waitForJob, type WaitForJobOptions } from "./wait_for_job.ts";

/**
 * The methods of both kinds of jobs.
 * @internal
 */
export interface JobNouns extends ScheduledJobs, ImportExportJobs {}

/**
 * A class with these methods, and with the factories of every client.
 * @internal
 */
export const JobNouns: (new (view: never) => JobNouns) & Omit<typeof HubClient, "prototype"> = /* @__PURE__ */ sum(
  HubClient,
  ScheduledJobs,
  ImportExportJobs,
) as (new (view: never) => JobNouns) & typeof HubClient;

/**
 * Manages the jobs of an IoT hub: scheduled jobs, which update the twins of many devices or call a direct method on them, and
 * imports and exports of identities.
 *
 * It is created by one of the three factories of {@linkcode HubClient}, opens no connection before its first call, and
 * shares nothing with other clients unless it was created by `fromManager`. Close it when it is no longer needed.
 *
 * @example Tag every device
 * ```ts
 * import { IoTHubJobManager } from "@iothub/registry-manager/http";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } } });
 * const job = await jobs.waitForJob("tag-all", { pollIntervalInMs: 10 });
 * console.assert(job.status === "completed");
 * ```
 */
export class IoTHubJobManager extends JobNouns {
  /**
   * Waits until a job of either kind has ended. It reads the job again and again, at first every two seconds and then less
   * often. A job that has ended is `"completed"` even if it failed on some devices: see its `deviceJobStatistics`.
   *
   * @param jobId The job's id.
   * @param options How often to look (`pollIntervalInMs`), a function that is told of progress (`onProgress`), and how long to
   * wait in total (`timeoutInMs`; without limit by default).
   * @returns The job, once it is completed.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `JobFailed` when the job has failed or was cancelled. The message says why.
   * @throws {IoTHubError} `JobNotFound` when the hub knows no such job.
   * @throws {IoTHubError} `Timeout` when the job has not ended in time. It goes on.
   *
   * @example Follow an update to its end
   * ```ts
   * import { IoTHubJobManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await jobs.scheduleTwinUpdate("tag-all", { twin: { tags: { site: "berlin" } } });
   * const job = await jobs.waitForJob("tag-all", {
   *   pollIntervalInMs: 10, // leave it out for a hub in the cloud
   *   onProgress: ({ status }) => console.log(status),
   * });
   * console.assert(job.status === "completed");
   * ```
   *
   * REST operations: `GET /jobs/v2/{id}` and `GET /jobs/{id}`.
   */
  waitForJob(jobId: string, options: WaitForJobOptions = {}): Promise<AnyJob> {
    return waitForJob(this, jobId, options);
  }
}

/** The methods of the manager are those of its nouns. */
export interface IoTHubJobManager extends ScheduledJobs, ImportExportJobs {}
