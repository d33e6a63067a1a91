import assert from "node:assert/strict";
import { test } from "node:test";
import { IoTHubJobManager, type IoTHubRegistryManager, type JobProperties } from "../../mod.ts";
import { Recorder } from "../support/recorder.ts";
import { type RequestCase, testRequests } from "../support/request_cases.ts";

const VERSION = "?api-version=2021-04-12";
const ID = "Job_1-'";
const PATCH = { tags: { site: "Zürich", gone: null }, properties: { desired: { interval: 5 } } };
const METHOD = { methodName: "reboot", payload: null, responseTimeoutInSeconds: 30 };
const ALWAYS = { queryCondition: "*" };
const START = new Date("2030-01-31T12:00:00Z");
const STARTED = "2030-01-31T12:00:00.000Z";
const UNKNOWN = { type: "unknown", status: "unknown" };

function of(registry: IoTHubRegistryManager): IoTHubJobManager {
  return IoTHubJobManager.fromManager(registry);
}

const SCHEDULED: RequestCase[] = [
  {
    name: "createScheduledJob fills in the id, the etag of the twin, and all devices",
    call: (registry) =>
      of(registry).createScheduledJob(ID, {
        type: "scheduleUpdateTwin",
        updateTwin: PATCH,
      }),
    request: `PUT /jobs/v2/${ID}${VERSION}`,
    body: { jobId: ID, type: "scheduleUpdateTwin", updateTwin: { ...PATCH, etag: "*" }, ...ALWAYS },
  },
  {
    name: "createScheduledJob sends what is given",
    call: (registry) =>
      of(registry).createScheduledJob("j1", {
        jobId: "j1",
        type: "scheduleDeviceMethod",
        cloudToDeviceMethod: METHOD,
        queryCondition: "tags.site = 'Zürich'",
        startTime: "2030-01-31T12:00:00Z",
        maxExecutionTimeInSeconds: 60,
      }),
    request: `PUT /jobs/v2/j1${VERSION}`,
    body: {
      jobId: "j1",
      type: "scheduleDeviceMethod",
      cloudToDeviceMethod: METHOD,
      queryCondition: "tags.site = 'Zürich'",
      startTime: "2030-01-31T12:00:00Z",
      maxExecutionTimeInSeconds: 60,
    },
  },
  ...["", "Z", "z", "+05:30", "-08:00"].map((zone): RequestCase => ({
    name: `scheduleTwinUpdate sends a time with its zone, ${zone || "of UTC by default"}`,
    call: (registry) => of(registry).scheduleTwinUpdate("j1", { twin: PATCH, startTime: `2030-01-31T12:00:00${zone}` }),
    request: `PUT /jobs/v2/j1${VERSION}`,
    body: {
      jobId: "j1",
      type: "scheduleUpdateTwin",
      updateTwin: { ...PATCH, etag: "*" },
      ...ALWAYS,
      startTime: `2030-01-31T12:00:00${zone || "Z"}`,
    },
  })),
  {
    name: "scheduleTwinUpdate sends a patch and a schedule",
    call: (registry) =>
      of(registry).scheduleTwinUpdate("j1", {
        twin: { ...PATCH, etag: "AAAA=" },
        queryCondition: "deviceId = 'd1'",
        startTime: START,
        maxExecutionTimeInSeconds: 60,
      }),
    request: `PUT /jobs/v2/j1${VERSION}`,
    body: {
      jobId: "j1",
      type: "scheduleUpdateTwin",
      updateTwin: { ...PATCH, etag: "AAAA=" },
      queryCondition: "deviceId = 'd1'",
      startTime: STARTED,
      maxExecutionTimeInSeconds: 60,
    },
  },
  {
    name: "scheduleDeviceMethod sends an empty payload for none, as for one device",
    call: (registry) => of(registry).scheduleDeviceMethod("j1", { method: { methodName: "reboot" } }),
    request: `PUT /jobs/v2/j1${VERSION}`,
    body: {
      jobId: "j1",
      type: "scheduleDeviceMethod",
      cloudToDeviceMethod: { methodName: "reboot", payload: "" },
      ...ALWAYS,
    },
  },
  {
    name: "getScheduledJob returns a job that the hub does not know",
    call: (registry) => of(registry).getScheduledJob(ID),
    request: `GET /jobs/v2/${ID}${VERSION}`,
    answer: { body: UNKNOWN },
  },
  {
    name: "cancelScheduledJob sends no body",
    call: (registry) => of(registry).cancelScheduledJob(ID),
    request: `POST /jobs/v2/${ID}/cancel${VERSION}`,
  },
  {
    name: "queryScheduledJobs reads an array with headers",
    call: (registry) => of(registry).queryScheduledJobs(),
    request: `GET /jobs/v2/query${VERSION}`,
    answer: { body: [{ jobId: "j1" }], headers: { "x-ms-continuation": "t/+=2", "x-ms-item-type": "JobResponse" } },
    result: { items: [{ jobId: "j1" }], continuationToken: "t/+=2" },
  },
  {
    name: "queryScheduledJobs reads an object",
    call: (registry) =>
      of(registry).queryScheduledJobs({
        jobType: "scheduleUpdateTwin",
        jobStatus: "running",
        continuationToken: "t/+=1",
        maxItemCount: 7,
      }),
    request: `GET /jobs/v2/query?jobType=scheduleUpdateTwin&jobStatus=running&api-version=2021-04-12`,
    headers: { "x-ms-continuation": "t/+=1", "x-ms-max-item-count": "7" },
    answer: { body: { type: "jobResponse", items: [{ jobId: "j1" }], continuationToken: "t/+=2" } },
    result: { items: [{ jobId: "j1" }], continuationToken: "t/+=2" },
  },
  {
    name: "queryScheduledJobs takes an empty token for the end, in an object too",
    call: (registry) => of(registry).queryScheduledJobs(),
    request: `GET /jobs/v2/query${VERSION}`,
    answer: { body: { items: [], continuationToken: "" }, headers: { "x-ms-continuation": "" } },
    result: { items: [], continuationToken: undefined },
  },
  {
    name: "jobDevices asks what became of each device",
    call: (registry) => of(registry).jobDevices(ID, { maxItemCount: 7 }).next(),
    request: `POST /devices/query${VERSION}`,
    headers: { "x-ms-max-item-count": "7" },
    body: { query: "SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'Job_1-\\''" },
    answer: { body: [{ deviceId: "d1", status: "completed" }], headers: { "x-ms-item-type": "DeviceJob" } },
    result: { done: false, value: { deviceId: "d1", status: "completed" } },
  },
];

const CONTAINER = "https://store.example/c?sv=2024-01-01&sig=c2VjcmV0IHNlY3JldA%3D%3D";

const IMPORT_EXPORT: RequestCase[] = [
  {
    name: "createImportExportJob starts an export with a key, and leaves out what only the hub writes",
    call: (registry) =>
      of(registry).createImportExportJob({
        jobId: "j1",
        status: "completed",
        progress: 100,
        startTimeUtc: "2026-11-21T10:00:00Z",
        endTimeUtc: "2026-11-21T10:00:00Z",
        failureReason: null,
        type: "export",
        outputBlobContainerUri: CONTAINER,
        excludeKeysInExport: false,
      }),
    request: `POST /jobs/create${VERSION}`,
    body: { type: "export", outputBlobContainerUri: CONTAINER, excludeKeysInExport: false },
  },
  {
    name: "createImportExportJob takes a job that was read, whose URIs are empty, and nothing for null",
    call: (registry) =>
      of(registry).createImportExportJob({
        type: "export",
        inputBlobContainerUri: "",
        inputBlobName: null,
        identity: null,
        outputBlobContainerUri: CONTAINER,
      } as unknown as JobProperties),
    request: `POST /jobs/create${VERSION}`,
    body: { type: "export", outputBlobContainerUri: CONTAINER },
  },
  {
    name: "createImportExportJob starts an import with an identity",
    call: (registry) =>
      of(registry).createImportExportJob({
        type: "import",
        inputBlobContainerUri: "https://store.example/in",
        inputBlobName: "devices.txt",
        outputBlobContainerUri: "https://store.example/out",
        storageAuthenticationType: "identityBased",
        identity: { userAssignedIdentity: "/subscriptions/s" },
        includeConfigurations: true,
        configurationsBlobName: "configurations.txt",
      }),
    request: `POST /jobs/create${VERSION}`,
    body: {
      type: "import",
      inputBlobContainerUri: "https://store.example/in",
      inputBlobName: "devices.txt",
      outputBlobContainerUri: "https://store.example/out",
      storageAuthenticationType: "identityBased",
      identity: { userAssignedIdentity: "/subscriptions/s" },
      includeConfigurations: true,
      configurationsBlobName: "configurations.txt",
    },
  },
  {
    name: "getImportExportJobs lists them",
    call: (registry) => of(registry).getImportExportJobs(),
    request: `GET /jobs${VERSION}`,
    answer: { body: [{ jobId: "j1" }] },
  },
  {
    name: "getImportExportJob reads one",
    call: (registry) => of(registry).getImportExportJob(ID),
    request: `GET /jobs/${ID}${VERSION}`,
  },
  ...[{ status: 204 }, { status: 200, body: {} }].map((answer): RequestCase => ({
    name: `cancelImportExportJob takes ${answer.status} for done`,
    call: (registry) => of(registry).cancelImportExportJob(ID),
    request: `DELETE /jobs/${ID}${VERSION}`,
    answer,
    result: undefined,
  })),
];

testRequests([...SCHEDULED, ...IMPORT_EXPORT], true);

test("scheduledJobs reads page after page, in either shape, and can begin in the middle", async () => {
  const recorder = new Recorder(
    { body: [{ jobId: "j1" }, { jobId: "j2" }], headers: { "x-ms-continuation": "2" } },
    { body: { items: [{ jobId: "j3" }], continuationToken: "3" } },
    { body: [] },
  );
  await using registry = recorder.connect();
  const ids: (string | undefined)[] = [];
  for await (const { jobId } of of(registry).scheduledJobs({ jobStatus: "running", maxItemCount: 2 })) ids.push(jobId);
  assert.deepEqual(ids, ["j1", "j2", "j3"]);
  const tokens = recorder.requests.map(({ headers }) => headers["x-ms-continuation"]);
  assert.deepEqual(tokens, [undefined, "2", "3"]);
  for (const { url, headers } of recorder.requests) {
    assert.ok(url.includes("/jobs/v2/query?jobStatus=running&"), url);
    assert.equal(headers["x-ms-max-item-count"], "2");
  }

  recorder.requests.length = 0;
  for await (
    const page of of(registry).scheduledJobs().byPage({ continuationToken: "3", maxPageSize: 7 })
  ) assert.deepEqual(page, { items: [], continuationToken: undefined });
  assert.deepEqual(recorder.requests.map(({ headers }) => headers["x-ms-continuation"]), ["3"]);
  assert.equal(recorder.requests[0]!.headers["x-ms-max-item-count"], "7");
});

test("jobDevices reads page after page of records of devices", async () => {
  const recorder = new Recorder(
    { body: [{ deviceId: "d1" }], headers: { "x-ms-continuation": "2", "x-ms-item-type": "DeviceJob" } },
    { body: [{ deviceId: "d2" }], headers: { "x-ms-item-type": "DeviceJob" } },
  );
  await using registry = recorder.connect();
  const pages: unknown[] = [];
  for await (const page of of(registry).jobDevices("j1").byPage({ maxPageSize: 1 })) pages.push(page);
  assert.deepEqual(pages, [
    { type: "deviceJob", items: [{ deviceId: "d1" }], continuationToken: "2" },
    { type: "deviceJob", items: [{ deviceId: "d2" }], continuationToken: undefined },
  ]);
});

for (
  const [name, pages] of Object.entries({
    scheduledJobs: (jobs: IoTHubJobManager) => jobs.scheduledJobs(),
    jobDevices: (jobs: IoTHubJobManager) => jobs.jobDevices("j1"),
  })
) {
  test(`${name} ends with an error when the hub's tokens go in a circle`, async () => {
    const recorder = new Recorder({ body: [{}], headers: { "x-ms-continuation": "again" } });
    await using registry = recorder.connect();
    await assert.rejects(async () => {
      for await (const _ of pages(of(registry))) assert.ok(recorder.requests.length < 5, "it goes on for ever");
    }, { code: "InvalidResponse", operation: name === "jobDevices" ? name : "queryScheduledJobs" });
  });
}

test("a job whose id is taken needs another one, since no job can be updated", async () => {
  const headers = { "iothub-errorcode": "JobAlreadyExists" };
  const recorder = new Recorder({ status: 409, headers, body: { Message: "ErrorCode:JobAlreadyExists;Taken." } });
  await using registry = recorder.connect();
  await assert.rejects(of(registry).scheduleTwinUpdate("j1", { twin: {} }), {
    message:
      'Cannot complete scheduleTwinUpdate of job "j1": the hub answered 409 JobAlreadyExists (409104): Taken.; ' +
      "choose another id",
  });
});

test("a job is known again where the hub fills in what it was not given", async () => {
  const job = { jobId: "j1", type: "scheduleUpdateTwin", queryCondition: "*", status: "queued" };
  const updateTwin = { deviceId: null, etag: "*", tags: {}, properties: { desired: { interval: 5 }, reported: {} } };
  const taken = { Message: "ErrorCode:JobAlreadyExists;Taken." };
  const recorder = new Recorder({ status: 503, body: {} }, { status: 409, body: taken }, {
    body: { ...job, updateTwin },
  });
  await using registry = recorder.connect({ retryOptions: { retryDelayInMs: 1 } });
  const twin = { properties: { desired: { interval: 5 } } };
  assert.deepEqual(await of(registry).scheduleTwinUpdate("j1", { twin }), { ...job, updateTwin });
  assert.deepEqual(recorder.requests.map(({ method }) => method), ["PUT", "PUT", "GET"]);
});
