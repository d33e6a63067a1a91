import type { CloudToDeviceMethod, ExportImportDevice } from "../../mod.ts";
import type { Methods } from "../support/official_sdk.ts";
import {
  CAPITAL_IMPORT_MODE,
  type Comparison,
  EMPTY_KEYS,
  ETAG_IN_BODY,
  FOUR_METHOD_KEYS,
  NULL_PAYLOAD,
  testComparisons,
  TRAILING_SLASH,
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

/** Their bulk methods with their argument force, and the import mode that says the same. */
const FORCES: readonly [
  name: "updateDevices" | "removeDevices",
  force: boolean,
  importMode: ExportImportDevice["importMode"],
][] = [
  ["updateDevices", true, "update"],
  ["updateDevices", false, "updateIfMatchETag"],
  ["removeDevices", true, "delete"],
  ["removeDevices", false, "deleteIfMatchETag"],
];

const DEVICES: Comparison[] = [
  {
    name: "Registry.create with keys",
    theirs: ({ registry }) =>
      registry.create({ ...SENT_DEVICE, ...SCOPES, status: "disabled", statusReason: "sold", authentication: SAS }),
    ours: (registry) =>
      registry.createDeviceWithSas(DEVICE, {
        ...SCOPES,
        status: "disabled",
        statusReason: "sold",
        ...KEYS,
      }),
  },
  {
    name: "Registry.create without keys",
    theirs: ({ registry }) => registry.create({ ...SENT_DEVICE }),
    ours: (registry) => registry.createDeviceWithSas(DEVICE),
    differences: [EMPTY_KEYS],
  },
  {
    name: "Registry.create with thumbprints, of which it infers the type",
    theirs: ({ registry }) =>
      registry.create({ ...SENT_DEVICE, authentication: { x509Thumbprint: X509.x509Thumbprint } }),
    ours: (registry) => registry.createDeviceWithX509(DEVICE, THUMBPRINTS),
  },
  {
    name: "Registry.create for a certificate authority",
    theirs: ({ registry }) => registry.create({ ...SENT_DEVICE, authentication: AUTHORITY }),
    ours: (registry) => registry.createDeviceWithCertificateAuthority(DEVICE),
  },
  {
    name: "Registry.update with keys",
    theirs: ({ registry }) => registry.update({ ...SENT_DEVICE, authentication: SAS }),
    ours: (registry) => registry.updateDeviceWithSas(DEVICE, { ...KEYS, status: "enabled" }),
  },
  {
    name: "Registry.update with thumbprints",
    theirs: ({ registry }) => registry.update({ ...SENT_DEVICE, authentication: X509 }),
    ours: (registry) => registry.updateDeviceWithX509(DEVICE, { ...THUMBPRINTS, status: "enabled" }),
  },
  {
    name: "Registry.update for a certificate authority",
    theirs: ({ registry }) =>
      registry.update({ ...SENT_DEVICE, capabilities: { iotEdge: true }, authentication: AUTHORITY }),
    ours: (registry) => registry.updateDeviceWithCertificateAuthority(DEVICE, { iotEdge: true, status: "enabled" }),
  },
  {
    name: "Registry.get",
    theirs: ({ registry }) => registry.get(DEVICE),
    ours: (registry) => registry.getDevice(DEVICE),
  },
  {
    name: "Registry.list",
    theirs: ({ registry }) => registry.list(),
    ours: (registry) => registry.getDevices(),
    differences: [TRAILING_SLASH],
  },
  {
    name: "Registry.delete",
    theirs: ({ registry }) => registry.delete(DEVICE),
    ours: (registry) => registry.deleteDevice(DEVICE),
  },
  {
    name: "Registry.addDevices",
    theirs: ({ registry }) => registry.addDevices([{ deviceId: DEVICE, status: "enabled", authentication: SAS }]),
    ours: (registry) =>
      registry.bulkCreateOrUpdateDevices([{
        id: DEVICE,
        status: "enabled",
        importMode: "create",
        authentication: SAS,
      }]),
  },
  ...FORCES.map(([name, force, importMode]): Comparison => ({
    name: `Registry.${name}, ${force ? "forced" : "on the condition of an etag"}`,
    theirs: ({ registry }) => registry[name]([{ deviceId: DEVICE, eTag: "AAAA=", authentication: SAS }], force),
    ours: (registry) =>
      registry.bulkCreateOrUpdateDevices([{ id: DEVICE, eTag: "AAAA=", importMode, authentication: SAS }]),
    differences: [CAPITAL_IMPORT_MODE],
  })),
];

const MODULES_AND_TWINS: Comparison[] = [
  {
    name: "Registry.addModule with keys",
    theirs: ({ registry }) => registry.addModule({ ...SENT_MODULE, managedBy: "iotEdge", authentication: SAS }),
    ours: (registry) => registry.createModuleWithSas(DEVICE, MODULE, { managedBy: "iotEdge", ...KEYS }),
  },
  {
    name: "Registry.addModule without keys",
    theirs: ({ registry }) => registry.addModule({ ...SENT_MODULE }),
    ours: (registry) => registry.createModuleWithSas(DEVICE, MODULE),
    differences: [EMPTY_KEYS],
  },
  {
    name: "Registry.addModule with thumbprints",
    theirs: ({ registry }) => registry.addModule({ ...SENT_MODULE, authentication: X509 }),
    ours: (registry) => registry.createModuleWithX509(DEVICE, MODULE, THUMBPRINTS),
  },
  {
    name: "Registry.addModule for a certificate authority",
    theirs: ({ registry }) => registry.addModule({ ...SENT_MODULE, authentication: AUTHORITY }),
    ours: (registry) => registry.createModuleWithCertificateAuthority(DEVICE, MODULE),
  },
  {
    name: "Registry.updateModule, forced",
    theirs: ({ registry }) => registry.updateModule({ ...SENT_MODULE, authentication: SAS }, true),
    ours: (registry) => registry.updateModuleWithSas(DEVICE, MODULE, KEYS),
  },
  {
    name: "Registry.updateModule on the condition of an etag, with keys",
    theirs: ({ registry }) => registry.updateModule({ ...SENT_MODULE, etag: "AAAA=", authentication: SAS }, false),
    ours: (registry) => registry.updateModuleWithSas(DEVICE, MODULE, { etag: "AAAA=", ...KEYS }),
    differences: [ETAG_IN_BODY],
  },
  {
    name: "Registry.updateModule on the condition of an etag, with thumbprints",
    theirs: ({ registry }) => registry.updateModule({ ...SENT_MODULE, etag: "AAAA=", authentication: X509 }, false),
    ours: (registry) => registry.updateModuleWithX509(DEVICE, MODULE, { etag: '"AAAA="', ...THUMBPRINTS }),
    differences: [ETAG_IN_BODY],
  },
  {
    name: "Registry.updateModule on the condition of an etag, for a certificate authority",
    theirs: ({ registry }) =>
      registry.updateModule({ ...SENT_MODULE, etag: "AAAA=", authentication: AUTHORITY }, false),
    ours: (registry) => registry.updateModuleWithCertificateAuthority(DEVICE, MODULE, { etag: "AAAA=" }),
    differences: [ETAG_IN_BODY],
  },
  {
    name: "Registry.getModule",
    theirs: ({ registry }) => registry.getModule(DEVICE, MODULE),
    ours: (registry) => registry.getModule(DEVICE, MODULE),
  },
  {
    name: "Registry.getModulesOnDevice",
    theirs: ({ registry }) => registry.getModulesOnDevice(DEVICE),
    ours: (registry) => registry.getModules(DEVICE),
  },
  {
    name: "Registry.removeModule by its ids",
    theirs: ({ registry }) => registry.removeModule(DEVICE, MODULE),
    ours: (registry) => registry.deleteModule(DEVICE, MODULE),
  },
  {
    name: "Registry.removeModule on the condition of an etag",
    // Its promise form rejects, since it misses the callback.
    theirs: ({ registry }) =>
      new Promise((resolve) => registry.removeModule({ ...SENT_MODULE, etag: "AAAA=" }, resolve)),
    ours: (registry) => registry.deleteModule(DEVICE, MODULE, { etag: "AAAA=" }),
  },
  {
    name: "Registry.getTwin",
    theirs: ({ registry }) => registry.getTwin(DEVICE),
    ours: (registry) => registry.getTwin(DEVICE),
  },
  {
    name: "Registry.getModuleTwin",
    theirs: ({ registry }) => registry.getModuleTwin(DEVICE, MODULE),
    ours: (registry) => registry.getModuleTwin(DEVICE, MODULE),
  },
  {
    name: "Registry.updateTwin with an etag",
    theirs: ({ registry }) => registry.updateTwin(DEVICE, PATCH, "AAAA="),
    ours: (registry) => registry.updateTwin(DEVICE, PATCH, { etag: "AAAA=" }),
  },
  {
    name: "Registry.updateTwin with a star",
    theirs: ({ registry }) => registry.updateTwin(DEVICE, PATCH, "*"),
    ours: (registry) => registry.updateTwin(DEVICE, PATCH),
  },
  {
    name: "Registry.updateModuleTwin with an etag in quotes",
    theirs: ({ registry }) => registry.updateModuleTwin(DEVICE, MODULE, PATCH, '"AAAA="'),
    ours: (registry) => registry.updateModuleTwin(DEVICE, MODULE, PATCH, { etag: '"AAAA="' }),
  },
];

const OTHERS: Comparison[] = [
  {
    name: "Registry.createQuery",
    theirs: ({ registry }) => (registry.createQuery(SQL) as Methods<"next">).next(),
    ours: (registry) => registry.queryIotHub(SQL),
  },
  {
    name: "Registry.createQuery with a page size and a token",
    theirs: ({ registry }) => (registry.createQuery(SQL, 7) as Methods<"nextAsTwin">).nextAsTwin("+RID:~a/b=#1"),
    ours: (registry) => registry.queryIotHub(SQL, { maxItemCount: 7, continuationToken: "+RID:~a/b=#1" }),
  },
  {
    name: "Registry.getRegistryStatistics",
    theirs: ({ registry }) => registry.getRegistryStatistics(),
    ours: (registry) => registry.getDeviceRegistryStatistics(),
  },
  {
    name: "Client.invokeDeviceMethod with everything given",
    theirs: ({ client }) => client.invokeDeviceMethod(DEVICE, { ...METHOD, payload: { delayInSeconds: 0 } }),
    ours: (registry) => registry.invokeDeviceMethod(DEVICE, { ...METHOD, payload: { delayInSeconds: 0 } }),
  },
  ...[0, false, ""].map((payload): Comparison => ({
    name: `Client.invokeDeviceMethod with the payload ${JSON.stringify(payload)}`,
    theirs: ({ client }) => client.invokeDeviceMethod(DEVICE, { ...METHOD, payload }),
    ours: (registry) => registry.invokeDeviceMethod(DEVICE, { ...METHOD, payload } as CloudToDeviceMethod),
  })),
  {
    name: "Client.invokeDeviceMethod with its name alone",
    theirs: ({ client }) => client.invokeDeviceMethod(DEVICE, { methodName: "reboot" }),
    ours: (registry) => registry.invokeDeviceMethod(DEVICE, { methodName: "reboot" }),
    differences: [FOUR_METHOD_KEYS, NULL_PAYLOAD],
  },
  {
    name: "Client.invokeDeviceMethod of a module",
    theirs: ({ client }) => client.invokeDeviceMethod(DEVICE, MODULE, { ...METHOD, payload: [null] }),
    ours: (registry) =>
      registry.invokeDeviceModuleMethod(DEVICE, MODULE, { ...METHOD, payload: [null] as unknown as object }),
  },
];

testComparisons([...DEVICES, ...MODULES_AND_TWINS, ...OTHERS]);
