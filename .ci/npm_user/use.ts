/** Names the package's types as users do: compiled against the installed package, never run. */
import {
  type ClientOptions,
  type Configuration,
  type Device,
  DigitalTwinClient,
  type ExportImportDevice,
  type HttpRegistryManager,
  IoTHubConfigurationManager,
  IoTHubError,
  type IoTHubErrorCode,
  IoTHubJobManager,
  IoTHubRegistryManager,
  type JobResponse,
  type QueryResult,
  type TokenCredential,
  type Twin,
} from "@iothub/registry-manager";
import { createClient, getDevice } from "@iothub/registry-manager/gen";
import { IoTHubJobManager as SmallerJobs, IoTHubRegistryManager as Smaller } from "@iothub/registry-manager/http";
import { LocalHub } from "@iothub/registry-manager/local";

const options: ClientOptions = { timeoutInMs: 5_000, retryOptions: { maxRetries: 2 } };
const credential: TokenCredential = { getToken: () => Promise.resolve({ token: "", expiresOnTimestamp: 0 }) };

await using hub = new LocalHub();
await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
await using smaller = Smaller.fromTokenCredential("myhub.azure-devices.net", credential, options);
const either: HttpRegistryManager = Math.random() < 0.5 ? registry : smaller;

const device: Device = await either.createDeviceWithSas("d", { status: "disabled", statusReason: "In repair" });
const twin: Twin = await either.updateTwin("d", { tags: { site: "berlin", floor: null } }, { etag: device.etag });
const rows: ExportImportDevice[] = [{ id: "e", importMode: "create", tags: twin.tags }];
const { isSuccessful } = await either.bulkCreateOrUpdateDevices(rows, { abortSignal: AbortSignal.timeout(1_000) });
for await (const row of either.query<{ total: number }>("SELECT COUNT() AS total FROM devices")) row.total.toFixed();
const page: QueryResult = await either.queryIotHub("SELECT * FROM devices", { maxItemCount: 10 });
await registry.sendC2dMessage("d", new Uint8Array(3), { ack: "full", expiryTimeUtc: new Date(), priority: "high" });
hub.device("d").onMethod("reboot", (payload) => ({ status: isSuccessful ? 200 : 500, payload }));

try {
  await either.getDevice("nobody");
} catch (error) {
  if (!(error instanceof IoTHubError)) throw error;
  const code: IoTHubErrorCode = error.code;
  if (code === "DeviceNotFound") page.items.push();
}

// @ts-expect-error: the entry without messages has none.
void smaller.sendC2dMessage;
// @ts-expect-error: there is no such status.
void either.createDeviceWithSas("d", { status: "on" });

const client = createClient({ baseUrl: "https://myhub.azure-devices.net" });
const { data } = await getDevice({ client, path: { id: "d" }, query: { "api-version": "2021-04-12" } });
export const etag: string = data.etag;

// What a hub always sends is there without a question.
const [key, lastSeen]: [string | null, string] = [
  device.authentication.symmetricKey.primaryKey,
  device.lastActivityTime,
];
const version: number = twin.version + twin.properties.desired.$version;
const { interval } = (await either.getModuleTwin("d", "m")).properties.reported;
for await (const { deviceId, properties } of either.query(`SELECT * FROM devices WHERE tags.site = '${key}'`)) {
  await either.updateTwin(deviceId, { properties: { desired: { interval, lastSeen, version } } }, { etag: twin.etag });
  void properties.reported.$metadata.$lastUpdated;
}
for await (const { deviceId, moduleId } of either.query("SELECT * FROM devices.modules\nWHERE moduleId = 'm'")) {
  await either.getModuleTwin(deviceId, moduleId);
}
for await (const row of either.query("SELECT deviceId FROM devices")) {
  // @ts-expect-error: a row of a projection is no twin.
  const whole: Twin = row;
  void whole;
}
for await (const row of either.query("SELECT * FROM devices.jobs")) {
  // @ts-expect-error: nor is the record of a job.
  const whole: Twin = row;
  void whole;
}
// @ts-expect-error: a method has a name.
void either.invokeDeviceMethod("d", {});
// @ts-expect-error: a bulk element has an id.
void either.bulkCreateOrUpdateDevices([{ importMode: "create" }]);
// @ts-expect-error: a query has a text.
void either.queryIotHub({});

// What has been read can be passed on, whatever it lacks.
const { continuationToken } = page;
const environment: Record<string, string | undefined> = {};
const { endpoint } = environment;
await either.queryIotHub("SELECT * FROM devices", { continuationToken, maxItemCount: undefined });
await either.query("SELECT * FROM devices").byPage({ continuationToken }).next();
await either.deleteDevice("d", { etag: device.etag, abortSignal: undefined });
await either.updateDeviceWithCertificateAuthority("d", {
  status: device.status,
  deviceScope: device.deviceScope,
  parentScopes: device.parentScopes,
  etag: device.etag,
});
await either.replaceTwin("d", { tags: twin.tags, properties: twin.properties }, { etag: twin.etag });
await either.replaceTwin("d", twin);
void IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
  endpoint,
  fetch: undefined,
  limits: undefined,
});

// The other managers, made of one another or by themselves, and of either entry.
const configurations: IoTHubConfigurationManager = IoTHubConfigurationManager.fromManager(registry);
const found: Configuration = await configurations.createConfiguration({ id: "c", content: { deviceContent: {} } });
await configurations.updateConfiguration({ ...found, priority: 5 }, { etag: found.etag });
await configurations.updateConfiguration(found);
const jobs: IoTHubJobManager = IoTHubJobManager.fromConnectionString(hub.connectionString, hub.clientOptions);
const job: JobResponse = await jobs.scheduleTwinUpdate("j", { twin: { tags: { site: null } }, startTime: new Date() });
await jobs.createScheduledJob("k", { type: "scheduleUpdateTwin", updateTwin: twin, queryCondition: undefined });
await SmallerJobs.fromManager(jobs).waitForJob("j", { onProgress: ({ status }) => void status.length });
for await (const { jobId } of jobs.scheduledJobs({ jobStatus: job.status })) jobId?.length.toFixed();
for await (const { deviceId, error } of jobs.jobDevices("j")) void [deviceId, error?.code];
const exported = await jobs.createImportExportJob({ type: "export", outputBlobContainerUri: "https://s.example/c" });
await jobs.createImportExportJob(exported);
// @ts-expect-error: there is no such kind of job to schedule.
void jobs.createScheduledJob("k", { type: "export" });
const twins: DigitalTwinClient = DigitalTwinClient.fromTokenCredential("myhub.azure-devices.net", credential, options);
const { digitalTwin, etag: version1 } = await twins.getDigitalTwin<{ temperature: number }>("d");
await twins.updateDigitalTwin("d", [{ op: "replace", path: "/temperature", value: digitalTwin.temperature }], {
  etag: version1,
});
const { status, payload }: { status: number; payload: unknown } = await twins.invokeCommand("d", "reboot");
void [status, payload];
// @ts-expect-error: an operation of a JSON Patch has a path.
void twins.updateDigitalTwin("d", [{ op: "remove" }]);
