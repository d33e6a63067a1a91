import {
  DigitalTwinClient,
  IoTHubConfigurationManager,
  IoTHubJobManager,
  type IoTHubRegistryManager,
  type ReceiveOptions,
} from "../../mod.ts";

/** The name of a call. */
export type CallName =
  | "getTwin"
  | "getModuleTwin"
  | "updateTwin"
  | "modifyTwin"
  | "getDevice"
  | "getDevices"
  | "createDeviceWithSas"
  | "deleteDevice"
  | "bulkCreateOrUpdateDevices"
  | "getModules"
  | "getServiceStatistics"
  | "queryIotHub"
  | "query"
  | "invokeDeviceMethod"
  | "getConfigurations"
  | "createConfiguration"
  | "scheduleTwinUpdate"
  | "waitForJob"
  | "scheduledJobs"
  | "jobDevices"
  | "getImportExportJobs"
  | "createImportExportJob"
  | "getDigitalTwin"
  | "invokeCommand"
  | "sendC2dMessage"
  | "sendManyC2dMessages"
  | "receiveFeedback"
  | "receiveFileNotifications"
  | "receiveEvents"
  | "receiveLatestEvents"
  | "getEventHubEndpoint";

/** What is asked of a client: one call of each shape of request and answer. */
export const CALLS: Readonly<Record<CallName, (registry: IoTHubRegistryManager) => Promise<unknown>>> = {
  getTwin: (registry) => registry.getTwin("d"),
  getModuleTwin: (registry) => registry.getModuleTwin("d", "m"),
  updateTwin: (registry) => registry.updateTwin("d", { tags: { a: 1 } }),
  modifyTwin: (registry) =>
    registry.modifyTwin("d", (twin) => ({ tags: { count: Number(twin.tags?.["count"] ?? 0) + 1 } })),
  getDevice: (registry) => registry.getDevice("d"),
  getDevices: (registry) => registry.getDevices(),
  createDeviceWithSas: (registry) => registry.createDeviceWithSas("d"),
  deleteDevice: (registry) => registry.deleteDevice("d"),
  bulkCreateOrUpdateDevices: (registry) => registry.bulkCreateOrUpdateDevices([{ id: "d", importMode: "create" }]),
  getModules: (registry) => registry.getModules("d"),
  getServiceStatistics: (registry) => registry.getServiceStatistics(),
  queryIotHub: (registry) => registry.queryIotHub("SELECT * FROM devices"),
  query: (registry) => some(registry.query("SELECT * FROM devices")),
  invokeDeviceMethod: (registry) =>
    registry.invokeDeviceMethod("d", { methodName: "m", payload: 1 }, { timeoutInMs: 150 }),
  getConfigurations: (registry) => IoTHubConfigurationManager.fromManager(registry).getConfigurations(),
  createConfiguration: (registry) =>
    IoTHubConfigurationManager.fromManager(registry).createConfiguration({
      id: "c",
      content: { deviceContent: { "properties.desired.a": 1 } },
    }),
  scheduleTwinUpdate: (registry) =>
    IoTHubJobManager.fromManager(registry).scheduleTwinUpdate("j", { twin: { tags: { a: 1 } } }),
  waitForJob: (registry) =>
    IoTHubJobManager.fromManager(registry).waitForJob("j", { pollIntervalInMs: 1, timeoutInMs: 150 }),
  scheduledJobs: (registry) => some(IoTHubJobManager.fromManager(registry).scheduledJobs()),
  jobDevices: (registry) => some(IoTHubJobManager.fromManager(registry).jobDevices("j")),
  getImportExportJobs: (registry) => IoTHubJobManager.fromManager(registry).getImportExportJobs(),
  createImportExportJob: (registry) =>
    IoTHubJobManager.fromManager(registry).createImportExportJob({
      type: "export",
      outputBlobContainerUri: "https://storage.example/c?sig=AAAA",
    }),
  getDigitalTwin: (registry) => DigitalTwinClient.fromManager(registry).getDigitalTwin("d"),
  invokeCommand: (registry) =>
    DigitalTwinClient.fromManager(registry).invokeCommand("d", "reboot", { delay: 1 }, { timeoutInMs: 150 }),
  sendC2dMessage: (registry) => registry.sendC2dMessage("d", "hello", { messageId: "1", ack: "full" }),
  sendManyC2dMessages: (registry) =>
    Promise.all(Array.from({ length: 20 }, (_, i) => registry.sendC2dMessage("d", `hello ${i}`))),
  async receiveFeedback(registry) {
    for await (const feedback of registry.receiveFeedback(receiveOptions())) feedback.complete();
  },
  async receiveFileNotifications(registry) {
    for await (const notification of registry.receiveFileNotifications(receiveOptions())) notification.abandon();
  },
  receiveEvents: (registry) => readEvents(registry, "earliest"),
  receiveLatestEvents: (registry) => readEvents(registry, "latest"),
  getEventHubEndpoint: (registry) => registry.getEventHubEndpoint(),
};

/** An event hub may send what it has sent before, which must not come here twice. */
async function readEvents(registry: IoTHubRegistryManager, from: "earliest" | "latest"): Promise<void> {
  const last = new Map<string, number>();
  for await (const { partitionId, sequenceNumber, text } of registry.receiveEvents({ from, ...receiveOptions() })) {
    const isNext = typeof text === "string" && sequenceNumber > (last.get(partitionId) ?? -1);
    if (!isNext) throw new Error(`After ${last.get(partitionId)} an event has come with the number ${sequenceNumber}`);
    last.set(partitionId, sequenceNumber);
  }
}

/** A hub may have pages without end. */
async function some(items: AsyncIterable<unknown>): Promise<void> {
  let count = 0;
  for await (const _item of items) if (++count > 100) break;
}

/** A hub may send messages without end, so that only the caller can say when it has enough of them. */
function receiveOptions(): ReceiveOptions {
  return { maxWaitTimeInMs: 50, abortSignal: AbortSignal.timeout(300) };
}
