import { IoTHubJobManager as HttpJobManager } from "./jobs/job_manager.ts";
import { nodeHttpsWire } from "./transport/node_https.ts";
import { withWire } from "./transport/with_wire.ts";

/**
 * The class of `/http`, with the connections of the entry `.`.
 * @internal
 */
export const OwnJobManager: typeof HttpJobManager = /* @__PURE__ */ withWire(HttpJobManager, nodeHttpsWire);

/**
 * Manages the jobs of an IoT hub: scheduled jobs, which update the twins of many devices or call a direct method on them, and
 * imports and exports of identities.
 *
 * It is created by one of the three factories of {@linkcode HubClient}, opens no connection before its first call, and
 * shares nothing with other clients unless it was created by `fromManager`. Close it when it is no longer needed.
 *
 * @example Tag every device
 * ```ts
 * import { IoTHubJobManager } from "@iothub/registry-manager";
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
export class IoTHubJobManager extends OwnJobManager {}

/** The methods of the manager are those of the one of `/http`, and of its nouns. */
export interface IoTHubJobManager extends HttpJobManager {}
