import assert from "node:assert/strict";
import { test } from "node:test";
import * as OPERATIONS from "../../lib/transport/operations.ts";
import type { HubRight } from "../../lib/transport/operations.ts";
import * as entry from "../../mod.ts";
import { COMPOSED_METHODS } from "../support/http_methods.ts";

type OperationName = keyof typeof OPERATIONS;

/** What the hub's own documentation asks for, said here a second time on purpose: a slip in the table must not pass. */
const RIGHTS: Record<HubRight, readonly OperationName[]> = {
  RegistryRead: [
    "getServiceStatistics",
    "getDeviceRegistryStatistics",
    "getDevice",
    "getDevices",
    "getModule",
    "getModules",
    "getConfiguration",
    "getConfigurations",
  ],
  RegistryWrite: [
    "createDeviceWithSas",
    "createDeviceWithX509",
    "createDeviceWithCertificateAuthority",
    "updateDeviceWithSas",
    "updateDeviceWithX509",
    "updateDeviceWithCertificateAuthority",
    "deleteDevice",
    "bulkCreateOrUpdateDevices",
    "createModuleWithSas",
    "createModuleWithX509",
    "createModuleWithCertificateAuthority",
    "updateModuleWithSas",
    "updateModuleWithX509",
    "updateModuleWithCertificateAuthority",
    "deleteModule",
    "createConfiguration",
    "updateConfiguration",
    "deleteConfiguration",
    "applyConfigurationOnEdgeDevice",
    "testConfigurationQueries",
    "createImportExportJob",
    "getImportExportJobs",
    "getImportExportJob",
    "cancelImportExportJob",
  ],
  ServiceConnect: [
    "getTwin",
    "replaceTwin",
    "updateTwin",
    "getModuleTwin",
    "replaceModuleTwin",
    "updateModuleTwin",
    "queryIotHub",
    "invokeDeviceMethod",
    "invokeDeviceModuleMethod",
    "purgeC2dMessages",
    "sendC2dMessage",
    "sendC2dMessageToModule",
    "receiveFeedback",
    "receiveFileNotifications",
    "createScheduledJob",
    "scheduleTwinUpdate",
    "scheduleDeviceMethod",
    "getScheduledJob",
    "cancelScheduledJob",
    "queryScheduledJobs",
    "jobDevices",
    "getDigitalTwin",
    "updateDigitalTwin",
    "invokeCommand",
    "invokeComponentCommand",
    "receiveEvents",
    "getEventHubEndpoint",
  ],
};

/** What would be done twice, or fail on what it did itself. */
const ONCE: readonly OperationName[] = [
  "createDeviceWithSas",
  "createDeviceWithX509",
  "createDeviceWithCertificateAuthority",
  "bulkCreateOrUpdateDevices",
  "createModuleWithSas",
  "createModuleWithX509",
  "createModuleWithCertificateAuthority",
  "invokeDeviceMethod",
  "invokeDeviceModuleMethod",
  "createConfiguration",
  "createScheduledJob",
  "scheduleTwinUpdate",
  "scheduleDeviceMethod",
  "createImportExportJob",
  "updateDigitalTwin",
  "invokeCommand",
  "invokeComponentCommand",
];

/** The managers beside the registry manager, by the nouns that they are made of. */
const OTHER_MANAGERS: Record<string, { readonly prototype: object }> = {
  Configurations: entry.IoTHubConfigurationManager,
  ScheduledJobs: entry.IoTHubJobManager,
  ImportExportJobs: entry.IoTHubJobManager,
  DigitalTwins: entry.DigitalTwinClient,
};

/** Methods that are made of others, and make no request of their own. */
const COMPOSED = new Set(["query", "scheduledJobs", ...COMPOSED_METHODS.map(({ name }) => name)]);

const ROWS = Object.entries(OPERATIONS);

/** The methods of a class, without those of the class it extends. */
function ownMethods({ prototype }: { readonly prototype: object }): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor");
}

test("each method has the right that the hub asks for", () => {
  for (const right of Object.keys(RIGHTS) as HubRight[]) {
    const names = ROWS.filter(([, row]) => row.right === right).map(([name]) => name);
    assert.deepEqual(names.sort(), [...RIGHTS[right]].sort(), right);
  }
});

test("what creates, and what calls a device, may not run twice; all else may", () => {
  const once = ROWS.filter(([, { mayRunTwice }]) => !mayRunTwice).map(([name]) => name);
  assert.deepEqual(once.sort(), [...ONCE].sort());
});

test("each noun has the methods that the table says, and those that are made of them", () => {
  const nouns = new Set(ROWS.map(([, { noun }]) => noun));
  assert.equal(nouns.size, 14);
  for (const noun of nouns) {
    const { [noun]: nounClass } = entry as unknown as Record<string, typeof entry.HubClient>;
    const methods = ownMethods(nounClass!).filter((name) => !COMPOSED.has(name));
    assert.deepEqual(methods.sort(), ROWS.filter(([, row]) => row.noun === noun).map(([name]) => name).sort(), noun);
  }
});

test("each row bears the name of its method", () => {
  for (const [name, row] of ROWS) assert.equal(row.name, name);
});

test("the managers have each method of the table", () => {
  for (const [name, { noun }] of ROWS) {
    const manager: { readonly prototype: object } = OTHER_MANAGERS[noun] ?? entry.IoTHubRegistryManager;
    assert.equal(typeof (manager.prototype as Record<string, unknown>)[name], "function", name);
  }
});
