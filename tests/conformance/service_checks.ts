import type { Check } from "./check.ts";
import { expect, expectEqual, expectRejection } from "./expect.ts";
import { DEVICE } from "./names.ts";

const SOON = { pollIntervalInMs: 10 };

/** Configurations, jobs and digital twins, by managers that share the hub of another. */
export const SERVICE_CHECKS: readonly Check[] = [
  {
    name: "a configuration is created, read, changed, listed, tried and deleted",
    async run({ module, connect }) {
      const manager = connect();
      const configurations = module.IoTHubConfigurationManager.fromManager(manager);
      const content = { deviceContent: { "properties.desired.interval": 60 } };
      const created = await configurations.createConfiguration({ id: "conf", content, targetCondition: "tags.a = 1" });
      expectEqual((await configurations.getConfiguration("conf")).content, content);
      const { etag } = await configurations.updateConfiguration({ ...created, priority: 7 }, { etag: created.etag });
      const stale = configurations.updateConfiguration({ ...created, priority: 8 }, { etag: created.etag });
      await expectRejection(stale, { code: "PreconditionFailed", statusCode: 412 });
      expectEqual((await configurations.getConfigurations()).map(({ id, priority }) => [id, priority]), [["conf", 7]]);
      const problems = await configurations.testConfigurationQueries({ targetCondition: "nonsense =" });
      expect(problems.targetConditionError, "a condition with a fault is found");
      await configurations.deleteConfiguration("conf", { etag });
      await expectRejection(configurations.getConfiguration("conf"), { code: "ConfigurationNotFound" });
      await manager.close();
    },
  },
  {
    name: "a deployment is applied on an edge device",
    async run({ module, registry, connect }) {
      const manager = connect();
      const configurations = module.IoTHubConfigurationManager.fromManager(manager);
      await registry.createDeviceWithSas("edge", { iotEdge: true });
      const modulesContent = { $edgeAgent: { "properties.desired": { schemaVersion: "1.1" } } };
      await configurations.applyConfigurationOnEdgeDevice("edge", { modulesContent });
      expectEqual((await registry.getModuleTwin("edge", "$edgeAgent")).properties.desired["schemaVersion"], "1.1");
      await registry.deleteDevice("edge");
      await manager.close();
    },
  },
  {
    name: "a job runs, tells of each device, and is listed; one that has not begun is cancelled",
    async run({ module, registry, connect }) {
      const manager = connect();
      const jobs = module.IoTHubJobManager.fromManager(manager);
      await registry.createDeviceWithSas("job-device");
      const queryCondition = "deviceId = 'job-device'";
      await jobs.scheduleTwinUpdate("job-1", { twin: { tags: { done: true } }, queryCondition });
      expectEqual((await jobs.waitForJob("job-1", SOON)).status, "completed");
      expectEqual((await registry.getTwin("job-device")).tags?.["done"], true);
      await jobs.scheduleDeviceMethod("job-2", { method: { methodName: "echo" }, queryCondition });
      await jobs.waitForJob("job-2", SOON);
      const outcomes: unknown[] = [];
      for await (const { deviceId, status } of jobs.jobDevices("job-2")) outcomes.push([deviceId, status]);
      expectEqual(outcomes, [["job-device", "failed"]], "a device that is not connected");

      const startTime = new Date(Date.now() + 3_600_000);
      const updateTwin = { tags: { done: false } };
      await jobs.createScheduledJob("job-3", { type: "scheduleUpdateTwin", updateTwin, queryCondition, startTime });
      expectEqual((await jobs.cancelScheduledJob("job-3")).status, "cancelled");
      const ids: string[] = [];
      for await (const { jobId } of jobs.scheduledJobs()) ids.push(jobId!);
      expectEqual(ids.sort(), ["job-1", "job-2", "job-3"]);
      const { items } = await jobs.queryScheduledJobs({ jobType: "scheduleDeviceMethod" });
      expectEqual(items.map(({ jobId }) => jobId), ["job-2"]);
      expectEqual((await jobs.getScheduledJob("no-job")).status, "unknown");
      await registry.deleteDevice("job-device");
      await manager.close();
    },
  },
  {
    name: "an import without a container that it may use is refused",
    async run({ module, connect }) {
      const manager = connect();
      const jobs = module.IoTHubJobManager.fromManager(manager);
      const blobs = "https://example.invalid/blobs?sig=none";
      const job = { type: "import" as const, inputBlobContainerUri: blobs, outputBlobContainerUri: blobs };
      await expectRejection(jobs.createImportExportJob(job), { code: "BlobContainerValidationError", statusCode: 400 });
      expectEqual(await jobs.getImportExportJobs(), []);
      await expectRejection(jobs.getImportExportJob("no-job"), { code: "JobNotFound", statusCode: 404 });
      await expectRejection(jobs.cancelImportExportJob("no-job"), { name: "IoTHubError" });
      await manager.close();
    },
  },
  {
    name: "a digital twin is read and changed, and answers commands",
    async run({ module, registry, connect }) {
      const manager = connect();
      const twins = module.DigitalTwinClient.fromManager(manager);
      const { etag } = await twins.getDigitalTwin(DEVICE);
      await twins.updateDigitalTwin(DEVICE, [{ op: "add", path: "/target", value: 21 }], { etag });
      expectEqual((await registry.getTwin(DEVICE)).properties.desired["target"], 21);
      const { status, payload } = await twins.invokeCommand(DEVICE, "echo", { delay: 5 });
      expectEqual([status, payload], [200, { delay: 5 }]);
      const component = twins.invokeComponentCommand("offline", "sensor", "reset");
      await expectRejection(component, { name: "IoTHubError", statusCode: 404 });
      await manager.close();
    },
  },
];
