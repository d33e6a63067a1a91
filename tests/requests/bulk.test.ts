import assert from "node:assert/strict";
import { test } from "node:test";
import { type BulkDevice, type Device, type ExportImportDevice, IoTHubError, type Module } from "../../mod.ts";
import { Recorder } from "../support/recorder.ts";
import { testRequests } from "../support/request_cases.ts";

const POST = "POST /devices?api-version=2021-04-12";
const SUCCESS = { isSuccessful: true, errors: [], warnings: [] };
const FAILURE = {
  isSuccessful: false,
  errors: [{ deviceId: "d1", errorCode: "DeviceAlreadyExists", errorStatus: "there already" }],
  warnings: [],
};

/** One entry with every field, and one without any. */
const DEVICES: ExportImportDevice[] = [
  {
    id: "d1",
    moduleId: "m1",
    eTag: "AAAA=",
    importMode: "updateIfMatchETag",
    status: "disabled",
    statusReason: "sold",
    authentication: { type: "sas", symmetricKey: { primaryKey: "cHJpbWFyeQ==", secondaryKey: "c2Vjb25kYXJ5" } },
    twinETag: "BBBB=",
    tags: { site: "berlin", floor: null },
    properties: { desired: { intervalInSeconds: 0, alarm: null } },
    capabilities: { iotEdge: true },
    deviceScope: "ms-azure-iot-edge://d1-1",
    parentScopes: ["ms-azure-iot-edge://p1-2"],
  },
  { id: "d2", status: undefined, tags: { kept: "", dropped: undefined } },
];
const SENT = [DEVICES[0], { id: "d2", tags: { kept: "" } }];

/** A device and a module as a hub describes them. */
const READ: [Device, Omit<Module, "authentication">] = [
  {
    deviceId: "d1",
    generationId: "638000000000000000",
    etag: "AAAA=",
    connectionState: "Disconnected",
    status: "disabled",
    statusReason: null,
    connectionStateUpdatedTime: "0001-01-01T00:00:00Z",
    statusUpdatedTime: "2026-01-01T00:00:00Z",
    lastActivityTime: "0001-01-01T00:00:00Z",
    cloudToDeviceMessageCount: 0,
    authentication: {
      symmetricKey: { primaryKey: "cHJpbWFyeQ==", secondaryKey: "c2Vjb25kYXJ5" },
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
      type: "sas",
    },
    capabilities: { iotEdge: false },
  },
  {
    moduleId: "m1",
    managedBy: null,
    deviceId: "d1",
    generationId: "638000000000000001",
    etag: "BBBB=",
    connectionState: "Disconnected",
    connectionStateUpdatedTime: "0001-01-01T00:00:00Z",
    lastActivityTime: "0001-01-01T00:00:00Z",
    cloudToDeviceMessageCount: 0,
  },
];

testRequests([
  {
    name: "bulkCreateOrUpdateDevices sends the list as it is, less what is undefined",
    call: (registry) => registry.bulkCreateOrUpdateDevices(DEVICES),
    request: POST,
    body: SENT,
    answer: { body: SUCCESS },
  },
  {
    name: "bulkCreateOrUpdateDevices takes identities as they were read, less what only the hub writes",
    call: (registry) => registry.bulkCreateOrUpdateDevices(READ.map((read) => ({ ...read, importMode: "update" }))),
    request: POST,
    body: [
      {
        id: "d1",
        eTag: "AAAA=",
        importMode: "update",
        status: "disabled",
        statusReason: null,
        authentication: READ[0].authentication,
        capabilities: { iotEdge: false },
      },
      { id: "d1", moduleId: "m1", eTag: "BBBB=", importMode: "update", managedBy: null },
    ],
    answer: { body: SUCCESS },
  },
  {
    name: "bulkCreateOrUpdateDevices takes both names where they say the same",
    call: (registry) =>
      registry.bulkCreateOrUpdateDevices([{ id: "d1", deviceId: "d1", eTag: "A", etag: "A" } as object as BulkDevice]),
    request: POST,
    body: [{ id: "d1", eTag: "A" }],
    answer: { body: SUCCESS },
  },
  {
    name: "bulkCreateOrUpdateDevices takes a hundred devices",
    call: (registry) =>
      registry.bulkCreateOrUpdateDevices(Array.from({ length: 100 }, (_, index) => ({ id: `d${index}` }))),
    request: POST,
    body: Array.from({ length: 100 }, (_, index) => ({ id: `d${index}` })),
    answer: { body: SUCCESS },
  },
  {
    name: "bulkCreateOrUpdateDevices resolves to the result that a 400 brings",
    call: (registry) => registry.bulkCreateOrUpdateDevices([{ id: "d1", importMode: "create" }]),
    request: POST,
    body: [{ id: "d1", importMode: "create" }],
    answer: { status: 400, body: FAILURE },
  },
]);

const REFUSALS: readonly { what: string; status: number; body: unknown; code: string }[] = [
  {
    what: "a 400 with an error instead of a result",
    status: 400,
    body: { Message: "ErrorCode:ArgumentInvalid;importMode is unknown", ExceptionMessage: "Tracking ID:abc" },
    code: "ArgumentInvalid",
  },
  { what: "a 400 with text instead of a result", status: 400, body: "Bad Request", code: "GenericBadRequest" },
  { what: "a 400 without a body", status: 400, body: undefined, code: "GenericBadRequest" },
  { what: "a 400 with an array", status: 400, body: [FAILURE], code: "GenericBadRequest" },
  { what: "a 500 that looks like a result", status: 500, body: FAILURE, code: "ServerError" },
];

for (const { what, status, body, code } of REFUSALS) {
  test(`bulkCreateOrUpdateDevices rejects on ${what}`, async () => {
    const recorder = new Recorder({ status, body });
    await using registry = recorder.connect();
    await assert.rejects(registry.bulkCreateOrUpdateDevices([{ id: "d1" }]), (error) => {
      assert.ok(error instanceof IoTHubError);
      assert.equal(error.code, code);
      assert.equal(error.statusCode, status);
      assert.equal(error.operation, "bulkCreateOrUpdateDevices");
      return true;
    });
  });
}

test("a bulk request sends what its entries hold, whatever their classes make of themselves", async () => {
  class Meter {
    readonly id = "d1";
    readonly tags = { site: "berlin" };
    toJSON(): object {
      return { id: "another" };
    }
  }
  const recorder = new Recorder({ body: SUCCESS });
  await using registry = recorder.connect();
  const read = Object.assign(Object.create({ importMode: "delete" }), { id: "d2" });
  await registry.bulkCreateOrUpdateDevices([new Meter(), read]);
  assert.deepEqual(recorder.requests[0]!.body, [{ id: "d1", tags: { site: "berlin" } }, { id: "d2" }]);
});
