import type { Right } from "../auth/authorization.ts";
import type { BodyKind } from "./body.ts";
import type { RestHandler } from "./call.ts";
import * as configurations from "./configurations.ts";
import * as devices from "./devices.ts";
import * as digitalTwins from "./digital_twins.ts";
import type { Envelope } from "./errors.ts";
import * as feedback from "./feedback.ts";
import * as jobs from "./import_export_jobs.ts";
import * as modules from "./modules.ts";
import { queryTwins } from "./queries.ts";
import * as scheduledJobs from "./scheduled_jobs.ts";
import * as twins from "./twins.ts";

/** One operation: its method and path, the right it needs, and the shape of its errors. */
export interface Route {
  readonly method: string;
  /** The segments of the path in lower case; `{}` matches any segment. */
  readonly segments: readonly string[];
  /** The right that a caller needs. With that of devices, callers may sign in as devices do. */
  readonly right: Right;
  readonly handler: RestHandler;
  readonly envelope: Envelope;
  /** The kind of body that the operation reads. */
  readonly body: BodyKind;
}

/** Every operation of the service API. When several match a path, the first one wins. */
export const ROUTES: readonly Route[] = [
  route("GET", "/devices", "RegistryRead", devices.listDevices),
  route("POST", "/devices", "RegistryWrite", devices.postDevices, { body: "bulk" }),
  route("POST", "/devices/keys/regenerate", "RegistryWrite", devices.regenerateDeviceKeys, { body: "keys" }),
  route("POST", "/devices/query", "ServiceConnect", queryTwins, { body: "query" }),
  route("GET", "/devices/{}", "RegistryRead", devices.readDevice),
  route("PUT", "/devices/{}", "RegistryWrite", devices.putDevice, { body: "identity" }),
  route("DELETE", "/devices/{}", "RegistryWrite", devices.removeDevice),
  route("DELETE", "/devices/{}/commands", "ServiceConnect", devices.purgeMessages),
  route("GET", "/devices/{}/modules", "RegistryRead", modules.listModules),
  route("GET", "/devices/{}/modules/{}", "RegistryRead", modules.readModule),
  route("PUT", "/devices/{}/modules/{}", "RegistryWrite", modules.putModule, { body: "identity" }),
  route("DELETE", "/devices/{}/modules/{}", "RegistryWrite", modules.removeModule),
  route("GET", "/messages/servicebound/feedback", "ServiceConnect", feedback.lockFeedback),
  route("DELETE", "/messages/servicebound/feedback/{}", "ServiceConnect", feedback.completeFeedback),
  route("POST", "/messages/servicebound/feedback/{}/abandon", "ServiceConnect", feedback.abandonFeedback),
  route("GET", "/configurations", "RegistryRead", configurations.listConfigurations),
  route("POST", "/configurations/testqueries", "RegistryWrite", configurations.testConfigurationQueries, {
    body: "configurationQueries",
  }),
  route("GET", "/configurations/{}", "RegistryRead", configurations.readConfiguration),
  route("PUT", "/configurations/{}", "RegistryWrite", configurations.putConfiguration, { body: "configuration" }),
  route("DELETE", "/configurations/{}", "RegistryWrite", configurations.removeConfiguration),
  route("POST", "/devices/{}/applyconfigurationcontent", "RegistryWrite", configurations.applyConfigurationContent, {
    body: "configurationContent",
  }),
  route("GET", "/statistics/devices", "RegistryRead", devices.readDeviceStatistics),
  route("GET", "/statistics/service", "RegistryRead", devices.readServiceStatistics),
  route("POST", "/jobs/create", "RegistryWrite", jobs.createJob, { body: "job" }),
  route("GET", "/jobs", "RegistryWrite", jobs.listJobs),
  route("GET", "/jobs/v2/query", "ServiceConnect", scheduledJobs.queryScheduledJobs),
  route("GET", "/jobs/v2/{}", "ServiceConnect", scheduledJobs.readScheduledJob),
  route("PUT", "/jobs/v2/{}", "ServiceConnect", scheduledJobs.createScheduledJob, { body: "scheduledJob" }),
  route("POST", "/jobs/v2/{}/cancel", "ServiceConnect", scheduledJobs.cancelScheduledJob),
  route("GET", "/jobs/{}", "RegistryWrite", jobs.readJob),
  route("DELETE", "/jobs/{}", "RegistryWrite", jobs.cancelJob),
  ...["/twins/{}", "/twins/{}/modules/{}"].flatMap((path) => [
    route("GET", path, "ServiceConnect", twins.readTwin),
    route("PUT", path, "ServiceConnect", twins.putTwin, { body: "twin" }),
    route("PATCH", path, "ServiceConnect", twins.patchTwin, { body: "twin" }),
    route("POST", `${path}/methods`, "ServiceConnect", twins.invokeMethod, { body: "method", envelope: "nested" }),
  ]),
  route("GET", "/digitaltwins/{}", "ServiceConnect", digitalTwins.readDigitalTwin),
  route("PATCH", "/digitaltwins/{}", "ServiceConnect", digitalTwins.patchDigitalTwin, { body: "jsonPatch" }),
  route("POST", "/digitaltwins/{}/commands/{}", "ServiceConnect", digitalTwins.invokeCommand, {
    body: "payload",
    envelope: "nested",
  }),
  route(
    "POST",
    "/digitaltwins/{}/components/{}/commands/{}",
    "ServiceConnect",
    digitalTwins.invokeComponentCommand,
    { body: "payload", envelope: "nested" },
  ),
];

/** Makes a row of a table of operations. */
export function route(
  method: string,
  path: string,
  right: Right,
  handler: RestHandler,
  { envelope = "plain", body = "none" }: { envelope?: Envelope; body?: BodyKind } = {},
): Route {
  return { method, segments: path.split("/").slice(1), right, handler, envelope, body };
}
