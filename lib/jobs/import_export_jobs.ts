import type { ImportExportJobRequest, JobProperties } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import { importExportJobBody } from "./import_export_job_body.ts";
import { findCancelled } from "./repeated_cancel.ts";

/** Jobs that export all identities of a hub to a blob container, or import many from one. */
export class ImportExportJobs extends HubClient {
  /**
   * Starts an import or an export of identities. A hub runs one such job at a time.
   *
   * The hub reaches the container by a SAS token in its URL, or by an identity of its own (`storageAuthenticationType:
   * "identityBased"`, and with `identity` by one that was assigned to it by a user). URLs with a token are secrets: no error
   * shows the token, and the hub does not return the URLs.
   *
   * @param jobProperties The job: its `type` (`"export"` or `"import"`), the container with the file to import
   * (`inputBlobContainerUri`), the container for the export or for the errors of the import (`outputBlobContainerUri`), and
   * what else it should have. Members that only the hub writes are left out of the request.
   * @param options Options for this call.
   * @returns The job, with the id that the hub has given it.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `JobQuotaExceeded` (403) when such a job is already under way.
   * @throws {IoTHubError} `BlobContainerValidationError` (400) when the hub cannot use a container.
   *
   * @example Export all devices
   * ```ts
   * import { IoTHubJobManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const container = hub.blobContainer("backup"); // in the cloud: the URL of a container, with its SAS token
   * const { jobId } = await jobs.createImportExportJob({
   *   type: "export",
   *   outputBlobContainerUri: container.url,
   *   excludeKeysInExport: false,
   * });
   * await jobs.waitForJob(jobId, { pollIntervalInMs: 10 });
   * const lines = new TextDecoder().decode(container.read("devices.txt"));
   * console.assert(lines.includes("thermostat-1"));
   * ```
   *
   * REST operation: `POST /jobs/create`.
   */
  createImportExportJob(
    jobProperties: ImportExportJobRequest | JobProperties,
    options: OperationOptions = {},
  ): Promise<JobProperties> {
    return callHub(this, facts.createImportExportJob, {}, options, (call) => {
      const body = importExportJobBody(jobProperties);
      return operations.createImportExportJob({ ...call(), body });
    });
  }

  /**
   * Lists the imports and exports that the hub remembers. There is one page only.
   *
   * @param options Options for this call.
   * @returns The jobs.
   * @throws {TypeError} When an option has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   * @throws {IoTHubError} `IotHubUnauthorizedAccess` (401) when the policy lacks the right `RegistryWrite`.
   *
   * @example See what has been exported
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { url } = hub.blobContainer("backup");
   * await jobs.createImportExportJob({ type: "export", outputBlobContainerUri: url });
   * const [job] = await jobs.getImportExportJobs();
   * console.assert(job?.type === "export");
   * ```
   *
   * REST operation: `GET /jobs`.
   */
  getImportExportJobs(options: OperationOptions = {}): Promise<JobProperties[]> {
    return callHub(
      this,
      facts.getImportExportJobs,
      {},
      options,
      (call) => operations.getImportExportJobs(call()),
    );
  }

  /**
   * Reads an import or export, with its state. One that could not take every line of the file is `"completed"` as well: look
   * for errors in the container for output.
   *
   * @param jobId The job's id.
   * @param options Options for this call.
   * @returns The job.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   * @throws {IoTHubError} `JobNotFound` (404) when there is no such job.
   *
   * @example See how far an export is
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { url } = hub.blobContainer("backup");
   * const { jobId } = await jobs.createImportExportJob({ type: "export", outputBlobContainerUri: url });
   * const { progress } = await jobs.getImportExportJob(jobId);
   * console.assert(progress >= 0 && progress <= 100);
   * ```
   *
   * REST operation: `GET /jobs/{id}`.
   */
  getImportExportJob(jobId: string, options: OperationOptions = {}): Promise<JobProperties> {
    return callHub(
      this,
      facts.getImportExportJob,
      { jobId },
      options,
      (call) => operations.getImportExportJob({ ...call(), path: { id: jobId } }),
    );
  }

  /**
   * Cancels an import or export. What it has already done stays.
   *
   * @param jobId The job's id.
   * @param options Options for this call.
   * @returns A promise that resolves when the hub has accepted it.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   * @throws {IoTHubError} `JobNotFound` (404) or, on some hubs, `ServerError` (500) when there is no such job, or it has ended.
   *
   * @example Stop an export
   * ```ts
   * import { IoTHubJobManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using jobs = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { url } = hub.blobContainer("backup");
   * const { jobId } = await jobs.createImportExportJob({ type: "export", outputBlobContainerUri: url });
   * await jobs.cancelImportExportJob(jobId);
   * ```
   *
   * REST operation: `DELETE /jobs/{id}`.
   */
  async cancelImportExportJob(jobId: string, options: OperationOptions = {}): Promise<void> {
    await callHub<unknown>(this, facts.cancelImportExportJob, { jobId }, options, (call) => {
      const findEarlierWrite = findCancelled((readOptions) => this.getImportExportJob(jobId, readOptions));
      return operations.cancelImportExportJob({ ...call({ mayBeEmpty: true, findEarlierWrite }), path: { id: jobId } });
    });
  }
}
