import { type RequestCase, testRequests } from "../support/request_cases.ts";

const VERSION = "api-version=2021-04-12";
const KEY_1 = "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=";
const KEY_2 = "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=";
const THUMBPRINT_1 = "0123456789ABCDEF0123456789ABCDEF01234567";
const THUMBPRINT_2 = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";

const PUT = `PUT /devices/d1?${VERSION}`;
/** What is said of a device when nothing is. */
const DEFAULTS = { deviceId: "d1", status: "enabled", capabilities: { iotEdge: false } };
/** Every field that is not about signing in, as an argument and as it is sent. */
const FIELDS = {
  status: "disabled",
  iotEdge: true,
  statusReason: "brûlé",
  deviceScope: "ms-azure-iot-edge://d1-1",
  parentScopes: ["ms-azure-iot-edge://p1-2", "ms-azure-iot-edge://p2-3"],
} as const;
const SENT_FIELDS = {
  deviceId: "d1",
  status: "disabled",
  statusReason: "brûlé",
  capabilities: { iotEdge: true },
  deviceScope: "ms-azure-iot-edge://d1-1",
  parentScopes: ["ms-azure-iot-edge://p1-2", "ms-azure-iot-edge://p2-3"],
};
const ARGUMENT_FIELDS = { ...FIELDS, parentScopes: [...FIELDS.parentScopes] };
const BOTH_KEYS = { type: "sas", symmetricKey: { primaryKey: KEY_1, secondaryKey: KEY_2 } };
const CERTIFICATE_AUTHORITY = { type: "certificateAuthority" };

const CREATES: RequestCase[] = [
  {
    name: "createDeviceWithSas leaves the keys to the hub when none are given",
    call: (registry) => registry.createDeviceWithSas("d1"),
    request: PUT,
    body: { ...DEFAULTS, authentication: { type: "sas", symmetricKey: {} } },
  },
  {
    name: "createDeviceWithSas sends one key alone",
    call: (registry) => registry.createDeviceWithSas("d1", { secondaryKey: KEY_2 }),
    request: PUT,
    body: { ...DEFAULTS, authentication: { type: "sas", symmetricKey: { secondaryKey: KEY_2 } } },
  },
  {
    name: "createDeviceWithSas sends every field",
    call: (registry) =>
      registry.createDeviceWithSas("d1", { ...ARGUMENT_FIELDS, primaryKey: KEY_1, secondaryKey: KEY_2 }),
    request: PUT,
    body: { ...SENT_FIELDS, authentication: BOTH_KEYS },
  },
  {
    name: "createDeviceWithSas takes members that are undefined as left out",
    call: (registry) =>
      registry.createDeviceWithSas("d1", {
        status: undefined,
        iotEdge: undefined,
        statusReason: undefined,
        deviceScope: undefined,
        parentScopes: undefined,
        primaryKey: undefined,
        timeoutInMs: undefined,
        abortSignal: undefined,
      }),
    request: PUT,
    body: { ...DEFAULTS, authentication: { type: "sas", symmetricKey: {} } },
  },
  {
    name: "createDeviceWithSas sends one parent scope as an array, and keeps empty texts",
    call: (registry) =>
      registry.createDeviceWithSas("d1", { parentScopes: "ms-azure-iot-edge://p1-2", statusReason: "" }),
    request: PUT,
    body: {
      ...DEFAULTS,
      statusReason: "",
      authentication: { type: "sas", symmetricKey: {} },
      parentScopes: ["ms-azure-iot-edge://p1-2"],
    },
  },
  {
    name: "createDeviceWithSas sends no option of the call itself",
    call: (registry) =>
      registry.createDeviceWithSas("d1", { timeoutInMs: 5000, abortSignal: new AbortController().signal }),
    request: PUT,
    body: { ...DEFAULTS, authentication: { type: "sas", symmetricKey: {} } },
  },
  {
    name: "createDeviceWithX509 sends one thumbprint",
    call: (registry) => registry.createDeviceWithX509("d1", { primaryThumbprint: THUMBPRINT_1 }),
    request: PUT,
    body: {
      ...DEFAULTS,
      authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint: THUMBPRINT_1 } },
    },
  },
  {
    name: "createDeviceWithX509 sends two thumbprints and every field",
    call: (registry) =>
      registry.createDeviceWithX509("d1", {
        ...ARGUMENT_FIELDS,
        primaryThumbprint: THUMBPRINT_1,
        secondaryThumbprint: THUMBPRINT_2,
      }),
    request: PUT,
    body: {
      ...SENT_FIELDS,
      authentication: {
        type: "selfSigned",
        x509Thumbprint: { primaryThumbprint: THUMBPRINT_1, secondaryThumbprint: THUMBPRINT_2 },
      },
    },
  },
  {
    name: "createDeviceWithCertificateAuthority needs no options",
    call: (registry) => registry.createDeviceWithCertificateAuthority("d1"),
    request: PUT,
    body: { ...DEFAULTS, authentication: CERTIFICATE_AUTHORITY },
  },
  {
    name: "createDeviceWithCertificateAuthority sends every field",
    call: (registry) => registry.createDeviceWithCertificateAuthority("d1", ARGUMENT_FIELDS),
    request: PUT,
    body: { ...SENT_FIELDS, authentication: CERTIFICATE_AUTHORITY },
  },
  {
    name: "createDeviceWithSas takes a 201 as well",
    call: (registry) => registry.createDeviceWithSas("d1"),
    request: PUT,
    body: { ...DEFAULTS, authentication: { type: "sas", symmetricKey: {} } },
    answer: { status: 201, body: { deviceId: "d1", generationId: "638" } },
  },
];

const UPDATES: RequestCase[] = [
  {
    name: "updateDeviceWithSas sends both keys, and any etag will do",
    call: (registry) =>
      registry.updateDeviceWithSas("d1", { status: "enabled", primaryKey: KEY_1, secondaryKey: KEY_2 }),
    request: PUT,
    ifMatch: '"*"',
    body: { ...DEFAULTS, authentication: BOTH_KEYS },
  },
  {
    name: "updateDeviceWithSas sends every field, and the etag in the header alone",
    call: (registry) =>
      registry.updateDeviceWithSas("d1", {
        ...ARGUMENT_FIELDS,
        primaryKey: KEY_1,
        secondaryKey: KEY_2,
        etag: "AAAAAAAAAAE=",
      }),
    request: PUT,
    ifMatch: '"AAAAAAAAAAE="',
    body: { ...SENT_FIELDS, authentication: BOTH_KEYS },
  },
  {
    name: "updateDeviceWithX509 sends the thumbprint, every field and the etag",
    call: (registry) =>
      registry.updateDeviceWithX509("d1", { ...ARGUMENT_FIELDS, primaryThumbprint: THUMBPRINT_1, etag: "AAAA=" }),
    request: PUT,
    ifMatch: '"AAAA="',
    body: {
      ...SENT_FIELDS,
      authentication: { type: "selfSigned", x509Thumbprint: { primaryThumbprint: THUMBPRINT_1 } },
    },
  },
  {
    name: "updateDeviceWithCertificateAuthority needs a status alone",
    call: (registry) => registry.updateDeviceWithCertificateAuthority("d1", { status: "enabled" }),
    request: PUT,
    ifMatch: '"*"',
    body: { ...DEFAULTS, authentication: CERTIFICATE_AUTHORITY },
  },
  {
    name: "updateDeviceWithCertificateAuthority sends every field and the etag",
    call: (registry) => registry.updateDeviceWithCertificateAuthority("d1", { ...ARGUMENT_FIELDS, etag: '"AAAA="' }),
    request: PUT,
    ifMatch: '"AAAA="',
    body: { ...SENT_FIELDS, authentication: CERTIFICATE_AUTHORITY },
  },
];

const OTHERS: RequestCase[] = [
  {
    name: "getDevice reads one device as the hub describes it",
    call: (registry) => registry.getDevice("d1"),
    request: `GET /devices/d1?${VERSION}`,
    answer: { body: { deviceId: "d1", statusUpdatedTime: "0001-01-01T00:00:00", fromTheFuture: [1, null] } },
  },
  {
    name: "getDevices asks for as many as the hub gives",
    call: (registry) => registry.getDevices(),
    request: `GET /devices?${VERSION}`,
    answer: { body: [{ deviceId: "d1" }, { deviceId: "d2" }] },
  },
  {
    name: "getDevices puts top before api-version",
    call: (registry) => registry.getDevices({ maxNumberOfDevices: 1000 }),
    request: `GET /devices?top=1000&${VERSION}`,
    answer: { body: [] },
  },
  {
    name: "getDevices takes a number of devices that is undefined as left out",
    call: (registry) => registry.getDevices({ maxNumberOfDevices: undefined }),
    request: `GET /devices?${VERSION}`,
    answer: { body: [] },
  },
  {
    name: "deleteDevice deletes whatever is there and gives nothing",
    call: (registry) => registry.deleteDevice("d1"),
    request: `DELETE /devices/d1?${VERSION}`,
    ifMatch: '"*"',
    answer: { status: 204 },
    result: undefined,
  },
  {
    name: "deleteDevice deletes on the condition of an etag",
    call: (registry) => registry.deleteDevice("d1", { etag: "AAAA=" }),
    request: `DELETE /devices/d1?${VERSION}`,
    ifMatch: '"AAAA="',
    answer: { status: 204 },
    result: undefined,
  },
  {
    name: "deleteDevice gives nothing also when the hub answers with a body",
    call: (registry) => registry.deleteDevice("d1"),
    request: `DELETE /devices/d1?${VERSION}`,
    ifMatch: '"*"',
    answer: { status: 200, body: {} },
    result: undefined,
  },
];

testRequests([...CREATES, ...UPDATES, ...OTHERS]);
