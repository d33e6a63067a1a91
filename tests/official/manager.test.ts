import type { ExportImportDevice } from "../../mod.ts";
import {
  BARE_ETAG,
  type Comparison,
  LOST_PAYLOAD,
  MISSING_PAYLOAD,
  NO_CAPABILITIES,
  NO_CONDITION,
  testComparisons,
} from "../support/sdk_comparison.ts";
import {
  AUTHORITY,
  DEVICE,
  KEYS,
  METHOD,
  MODULE,
  PATCH,
  SAS,
  SCOPES,
  SENT_DEVICE,
  SENT_MODULE,
  SQL,
  THUMBPRINTS,
  X509,
} from "../support/sdk_values.ts";

const { primaryKey, secondaryKey } = KEYS;
const { primaryThumbprint, secondaryThumbprint } = THUMBPRINTS;
const BULK_ENTRY: ExportImportDevice = {
  id: DEVICE,
  moduleId: MODULE,
  eTag: "AAAA=",
  importMode: "updateIfMatchETag",
  authentication: SAS,
  twinETag: "BBBB=",
  tags: { site: "Zürich", gone: null },
  properties: { desired: { interval: 0 } },
  capabilities: { iotEdge: false },
};

const IDENTITIES: Comparison[] = [
  {
    name: "createDeviceWithSas",
    theirs: ({ manager }) => manager.createDeviceWithSas(DEVICE, primaryKey, secondaryKey, true),
    ours: (registry) => registry.createDeviceWithSas(DEVICE, KEYS),
    differences: [NO_CAPABILITIES],
  },
  {
    name: "createDeviceWithSas without keys",
    theirs: ({ manager }) => manager.createDeviceWithSas(DEVICE, undefined, undefined, false),
    ours: (registry) => registry.createDeviceWithSas(DEVICE, { status: "disabled" }),
    differences: [NO_CAPABILITIES],
  },
  {
    name: "createDeviceWithX509",
    theirs: ({ manager }) => manager.createDeviceWithX509(DEVICE, primaryThumbprint, secondaryThumbprint, true, true),
    ours: (registry) => registry.createDeviceWithX509(DEVICE, { ...THUMBPRINTS, iotEdge: true }),
  },
  {
    name: "createDeviceWithCertificateAuthority",
    theirs: ({ manager }) => manager.createDeviceWithCertificateAuthority(DEVICE, true),
    ours: (registry) => registry.createDeviceWithCertificateAuthority(DEVICE),
  },
  {
    name: "updateDevice with keys",
    theirs: ({ manager }) =>
      manager.updateDevice(DEVICE, { ...SENT_DEVICE, ...SCOPES, statusReason: "ok", authentication: SAS }),
    ours: (registry) =>
      registry.updateDeviceWithSas(DEVICE, { ...SCOPES, status: "enabled", statusReason: "ok", ...KEYS }),
    differences: [BARE_ETAG],
  },
  {
    name: "updateDevice with thumbprints",
    theirs: ({ manager }) => manager.updateDevice(DEVICE, { ...SENT_DEVICE, authentication: X509 }),
    ours: (registry) => registry.updateDeviceWithX509(DEVICE, { ...THUMBPRINTS, status: "enabled" }),
    differences: [BARE_ETAG],
  },
  {
    name: "updateDevice for a certificate authority",
    theirs: ({ manager }) => manager.updateDevice(DEVICE, { ...SENT_DEVICE, authentication: AUTHORITY }),
    ours: (registry) => registry.updateDeviceWithCertificateAuthority(DEVICE, { status: "enabled" }),
    differences: [BARE_ETAG],
  },
  {
    name: "getDevice",
    theirs: ({ manager }) => manager.getDevice(DEVICE),
    ours: (registry) => registry.getDevice(DEVICE),
  },
  {
    name: "getDevices",
    theirs: ({ manager }) => manager.getDevices(),
    ours: (registry) => registry.getDevices(),
  },
  {
    name: "getDevices with a number",
    theirs: ({ manager }) => manager.getDevices(7),
    ours: (registry) => registry.getDevices({ maxNumberOfDevices: 7 }),
  },
  {
    name: "deleteDevice",
    theirs: ({ manager }) => manager.deleteDevice(DEVICE),
    ours: (registry) => registry.deleteDevice(DEVICE),
    differences: [BARE_ETAG],
  },
  {
    name: "deleteDevice with an etag",
    theirs: ({ manager }) => manager.deleteDevice(DEVICE, "AAAA="),
    ours: (registry) => registry.deleteDevice(DEVICE, { etag: "AAAA=" }),
    differences: [BARE_ETAG],
  },
  {
    name: "deleteDevice with an etag in quotes",
    theirs: ({ manager }) => manager.deleteDevice(DEVICE, '"AAAA="'),
    ours: (registry) => registry.deleteDevice(DEVICE, { etag: '"AAAA="' }),
  },
  {
    name: "bulkCreateOrUpdateDevices",
    theirs: ({ manager }) => manager.bulkCreateOrUpdateDevices([BULK_ENTRY]),
    ours: (registry) => registry.bulkCreateOrUpdateDevices([BULK_ENTRY]),
  },
  {
    name: "createModuleWithSas",
    theirs: ({ manager }) => manager.createModuleWithSas(DEVICE, MODULE, "iotEdge", primaryKey, secondaryKey),
    ours: (registry) => registry.createModuleWithSas(DEVICE, MODULE, { managedBy: "iotEdge", ...KEYS }),
  },
  {
    name: "createModuleWithX509",
    theirs: ({ manager }) =>
      manager.createModuleWithX509(DEVICE, MODULE, undefined, primaryThumbprint, secondaryThumbprint),
    ours: (registry) => registry.createModuleWithX509(DEVICE, MODULE, THUMBPRINTS),
  },
  {
    name: "createModuleWithCertificateAuthority",
    theirs: ({ manager }) => manager.createModuleWithCertificateAuthority(DEVICE, MODULE, "iotEdge"),
    ours: (registry) => registry.createModuleWithCertificateAuthority(DEVICE, MODULE, { managedBy: "iotEdge" }),
  },
  {
    name: "updateModule with keys",
    theirs: ({ manager }) => manager.updateModule(DEVICE, MODULE, { ...SENT_MODULE, authentication: SAS }),
    ours: (registry) => registry.updateModuleWithSas(DEVICE, MODULE, KEYS),
    differences: [BARE_ETAG],
  },
  {
    name: "updateModule with thumbprints",
    theirs: ({ manager }) => manager.updateModule(DEVICE, MODULE, { ...SENT_MODULE, authentication: X509 }),
    ours: (registry) => registry.updateModuleWithX509(DEVICE, MODULE, THUMBPRINTS),
    differences: [BARE_ETAG],
  },
  {
    name: "updateModule for a certificate authority",
    theirs: ({ manager }) => manager.updateModule(DEVICE, MODULE, { ...SENT_MODULE, authentication: AUTHORITY }),
    ours: (registry) => registry.updateModuleWithCertificateAuthority(DEVICE, MODULE),
    differences: [BARE_ETAG],
  },
  {
    name: "getModule",
    theirs: ({ manager }) => manager.getModule(DEVICE, MODULE),
    ours: (registry) => registry.getModule(DEVICE, MODULE),
  },
  {
    name: "getModules",
    theirs: ({ manager }) => manager.getModules(DEVICE),
    ours: (registry) => registry.getModules(DEVICE),
  },
  {
    name: "deleteModule",
    theirs: ({ manager }) => manager.deleteModule(DEVICE, MODULE),
    ours: (registry) => registry.deleteModule(DEVICE, MODULE),
    differences: [BARE_ETAG],
  },
];

const TWINS_AND_OTHERS: Comparison[] = [
  {
    name: "getTwin",
    theirs: ({ manager }) => manager.getTwin(DEVICE),
    ours: (registry) => registry.getTwin(DEVICE),
  },
  {
    name: "replaceTwin",
    theirs: ({ manager }) => manager.replaceTwin(DEVICE, PATCH),
    ours: (registry) => registry.replaceTwin(DEVICE, PATCH),
    differences: [NO_CONDITION],
  },
  {
    name: "updateTwin",
    theirs: ({ manager }) => manager.updateTwin(DEVICE, PATCH),
    ours: (registry) => registry.updateTwin(DEVICE, PATCH),
    differences: [NO_CONDITION],
  },
  {
    name: "updateTwin with an etag in quotes",
    theirs: ({ manager }) => manager.updateTwin(DEVICE, PATCH, '"AAAA="'),
    ours: (registry) => registry.updateTwin(DEVICE, PATCH, { etag: '"AAAA="' }),
  },
  {
    name: "getModuleTwin",
    theirs: ({ manager }) => manager.getModuleTwin(DEVICE, MODULE),
    ours: (registry) => registry.getModuleTwin(DEVICE, MODULE),
  },
  {
    name: "replaceModuleTwin",
    theirs: ({ manager }) => manager.replaceModuleTwin(DEVICE, MODULE, PATCH),
    ours: (registry) => registry.replaceModuleTwin(DEVICE, MODULE, PATCH),
    differences: [NO_CONDITION],
  },
  {
    name: "updateModuleTwin with an etag in quotes",
    theirs: ({ manager }) => manager.updateModuleTwin(DEVICE, MODULE, PATCH, '"AAAA="'),
    ours: (registry) => registry.updateModuleTwin(DEVICE, MODULE, PATCH, { etag: '"AAAA="' }),
  },
  {
    name: "queryIoTHub",
    theirs: ({ manager }) => manager.queryIoTHub({ query: SQL }),
    ours: (registry) => registry.queryIotHub({ query: SQL }),
  },
  {
    name: "getServiceStatistics",
    theirs: ({ manager }) => manager.getServiceStatistics(),
    ours: (registry) => registry.getServiceStatistics(),
  },
  {
    name: "getDeviceRegistryStatistics",
    theirs: ({ manager }) => manager.getDeviceRegistryStatistics(),
    ours: (registry) => registry.getDeviceRegistryStatistics(),
  },
  {
    name: "invokeDeviceMethod",
    theirs: ({ manager }) => manager.invokeDeviceMethod(DEVICE, { ...METHOD, payload: { delayInSeconds: 0 } }),
    ours: (registry) => registry.invokeDeviceMethod(DEVICE, { ...METHOD, payload: { delayInSeconds: 0 } }),
    differences: [LOST_PAYLOAD],
  },
  {
    name: "invokeDeviceMethod without a payload",
    theirs: ({ manager }) => manager.invokeDeviceMethod(DEVICE, { methodName: "reboot" }),
    ours: (registry) => registry.invokeDeviceMethod(DEVICE, { methodName: "reboot" }),
    differences: [MISSING_PAYLOAD],
  },
  {
    name: "invokeDeviceModuleMethod",
    theirs: ({ manager }) =>
      manager.invokeDeviceModuleMethod(DEVICE, MODULE, { ...METHOD, payload: { delayInSeconds: 0 } }),
    ours: (registry) =>
      registry.invokeDeviceModuleMethod(DEVICE, MODULE, { ...METHOD, payload: { delayInSeconds: 0 } }),
    differences: [LOST_PAYLOAD],
  },
];

testComparisons([...IDENTITIES, ...TWINS_AND_OTHERS]);
