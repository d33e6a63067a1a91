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

/** One operation: its name, its method and path, the right it needs, and the shape of its errors. */
export interface Route {
  /** Its name in the description of the API; for devices, what is told of them. */
  readonly operation: string;
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
  route("getDevices", "GET", "/devices", "RegistryRead", devices.listDevices),
  route("bulkCreateOrUpdateDevices", "POST", "/devices", "RegistryWrite", devices.postDevices, { body: "bulk" }),
  route("regenerateDeviceKeys", "POST", "/devices/keys/regenerate", "RegistryWrite", devices.regenerateDeviceKeys, {
    body: "keys",
  }),
  route("queryIotHub", "POST", "/devices/query", "ServiceConnect", queryTwins, { body: "query" }),
  route("getDevice", "GET", "/devices/{}", "RegistryRead", devices.readDevice),
  route("createOrUpdateDevice", "PUT", "/devices/{}", "RegistryWrite", devices.putDevice, { body: "identity" }),
  route("deleteDevice", "DELETE", "/devices/{}", "RegistryWrite", devices.removeDevice),
  route("purgeCloudToDeviceMessageQueue", "DELETE", "/devices/{}/commands", "ServiceConnect", devices.purgeMessages),
  route("getModules", "GET", "/devices/{}/modules", "RegistryRead", modules.listModules),
  route("getModule", "GET", "/devices/{}/modules/{}", "RegistryRead", modules.readModule),
  route("createOrUpdateModule", "PUT", "/devices/{}/modules/{}", "RegistryWrite", modules.putModule, {
    body: "identity",
  }),
  route("deleteModule", "DELETE", "/devices/{}/modules/{}", "RegistryWrite", modules.removeModule),
  route(
    "receiveFeedbackNotification",
    "GET",
    "/messages/servicebound/feedback",
    "ServiceConnect",
    feedback.lockFeedback,
  ),
  route(
    "completeFeedbackNotification",
    "DELETE",
    "/messages/servicebound/feedback/{}",
    "ServiceConnect",
    feedback.completeFeedback,
  ),
  route(
    "abandonFeedbackNotification",
    "POST",
    "/messages/servicebound/feedback/{}/abandon",
    "ServiceConnect",
    feedback.abandonFeedback,
  ),
  route("getConfigurations", "GET", "/configurations", "RegistryRead", configurations.listConfigurations),
  route(
    "testConfigurationQueries",
    "POST",
    "/configurations/testqueries",
    "RegistryWrite",
    configurations.testConfigurationQueries,
    {
      body: "configurationQueries",
    },
  ),
  route("getConfiguration", "GET", "/configurations/{}", "RegistryRead", configurations.readConfiguration),
  route("createOrUpdateConfiguration", "PUT", "/configurations/{}", "RegistryWrite", configurations.putConfiguration, {
    body: "configuration",
  }),
  route("deleteConfiguration", "DELETE", "/configurations/{}", "RegistryWrite", configurations.removeConfiguration),
  route(
    "applyConfigurationOnEdgeDevice",
    "POST",
    "/devices/{}/applyconfigurationcontent",
    "RegistryWrite",
    configurations.applyConfigurationContent,
    {
      body: "configurationContent",
    },
  ),
  route("getDeviceStatistics", "GET", "/statistics/devices", "RegistryRead", devices.readDeviceStatistics),
  route("getServiceStatistics", "GET", "/statistics/service", "RegistryRead", devices.readServiceStatistics),
  route("createImportExportJob", "POST", "/jobs/create", "RegistryWrite", jobs.createJob, { body: "job" }),
  route("getImportExportJobs", "GET", "/jobs", "RegistryWrite", jobs.listJobs),
  route("queryScheduledJobs", "GET", "/jobs/v2/query", "ServiceConnect", scheduledJobs.queryScheduledJobs),
  route("getScheduledJob", "GET", "/jobs/v2/{}", "ServiceConnect", scheduledJobs.readScheduledJob),
  route("createScheduledJob", "PUT", "/jobs/v2/{}", "ServiceConnect", scheduledJobs.createScheduledJob, {
    body: "scheduledJob",
  }),
  route("cancelScheduledJob", "POST", "/jobs/v2/{}/cancel", "ServiceConnect", scheduledJobs.cancelScheduledJob),
  route("getImportExportJob", "GET", "/jobs/{}", "RegistryWrite", jobs.readJob),
  route("cancelImportExportJob", "DELETE", "/jobs/{}", "RegistryWrite", jobs.cancelJob),
  ...[["", "/twins/{}"], ["Module", "/twins/{}/modules/{}"]].flatMap(([module, path]) => [
    route(`get${module}Twin`, "GET", path!, "ServiceConnect", twins.readTwin),
    route(`replace${module}Twin`, "PUT", path!, "ServiceConnect", twins.putTwin, { body: "twin" }),
    route(`update${module}Twin`, "PATCH", path!, "ServiceConnect", twins.patchTwin, { body: "twin" }),
    route(`invokeDevice${module}Method`, "POST", `${path}/methods`, "ServiceConnect", twins.invokeMethod, {
      body: "method",
      envelope: "nested",
    }),
  ]),
  route("getDigitalTwin", "GET", "/digitaltwins/{}", "ServiceConnect", digitalTwins.readDigitalTwin),
  route("updateDigitalTwin", "PATCH", "/digitaltwins/{}", "ServiceConnect", digitalTwins.patchDigitalTwin, {
    body: "jsonPatch",
  }),
  route(
    "invokeDigitalTwinCommand",
    "POST",
    "/digitaltwins/{}/commands/{}",
    "ServiceConnect",
    digitalTwins.invokeCommand,
    {
      body: "payload",
      envelope: "nested",
    },
  ),
  route(
    "invokeDigitalTwinComponentCommand",
    "POST",
    "/digitaltwins/{}/components/{}/commands/{}",
    "ServiceConnect",
    digitalTwins.invokeComponentCommand,
    { body: "payload", envelope: "nested" },
  ),
];

/** Makes a row of a table of operations. */
export function route(
  operation: string,
  method: string,
  path: string,
  right: Right,
  handler: RestHandler,
  { envelope = "plain", body = "none" }: { envelope?: Envelope; body?: BodyKind } = {},
): Route {
  return { operation, method, segments: path.split("/").slice(1), right, handler, envelope, body };
}
