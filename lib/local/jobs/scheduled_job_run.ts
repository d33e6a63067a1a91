import type { BackgroundWork } from "../background_work.ts";
import type { FaultListeners } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import type { Collection } from "../queries/collection.ts";
import { compileCondition, parseCondition } from "../queries/conditions.ts";
import { batches } from "../records/batches.ts";
import type { CreationOrder } from "../records/creation_order.ts";
import { requireIdentity } from "../records/find_identity.ts";
import type { AnyRecord, DeviceRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { DirectMethodBroker } from "../presence/direct_method_broker.ts";
import type { TwinWrites } from "../twins/twin_writes.ts";
import type { DeviceJob } from "./device_job.ts";
import { failureReasonOf } from "./job_ends.ts";
import type { KeptScheduledJobs } from "./kept_scheduled_jobs.ts";
import type { ScheduledJob } from "./scheduled_job.ts";
import type { DeviceWork } from "./scheduled_job_request.ts";

/** How many devices are looked at, or worked on, before everything else has its turn. */
const DEVICES_PER_TURN = 200;
/** A device may take its time to answer, so others are called meanwhile. */
const METHODS_AT_ONCE = 100;

/** What a scheduled job works with. */
export interface ScheduledJobTools {
  readonly now: () => number;
  /** The devices as queries see them. */
  readonly queried: Collection<DeviceRecord>;
  readonly deviceJobs: CreationOrder<DeviceJob>;
  readonly store: IdentityStore;
  readonly twins: TwinWrites;
  readonly methods: DirectMethodBroker;
  readonly background: BackgroundWork;
  readonly faults: FaultListeners;
  readonly kept: KeptScheduledJobs;
}

/**
 * Carries out a job: finds its devices, then updates the twin of each or calls its method. What fails for one device
 * does not keep the others from their turn. The signal of the job ends it early: then every device that is not done has
 * failed for the reason of the signal.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when the condition is none.
 */
export async function runScheduledJob(job: ScheduledJob, tools: ScheduledJobTools): Promise<void> {
  await findDevices(job, tools);
  const waiting = job.deviceJobs.filter(({ status }) => status === "pending").values();
  const atOnce = job.request.work.kind === "method" ? METHODS_AT_ONCE : 1;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    let done = 0;
    for (const deviceJob of waiting) {
      await runDeviceJob(job, deviceJob, tools);
      if (++done % (DEVICES_PER_TURN / atOnce) === 0) await tools.background.nextTurn();
    }
  }));
}

async function findDevices(job: ScheduledJob, tools: ScheduledJobTools): Promise<void> {
  const { request: { queryCondition = "" }, stop } = job;
  const condition = ["", "*"].includes(queryCondition.trim()) ? undefined : parseCondition(queryCondition).expression;
  const isMatch = compileCondition(condition, tools.queried);
  if (job.lastDevice === undefined) return;
  for (const devices of batches(tools.queried.records, DEVICES_PER_TURN, job.lastDevice)) {
    if (stop.signal.aborted) return;
    // What is found is kept together with how far the job came.
    tools.kept.storage.together(() => {
      for (const device of devices) if (isMatch(device)) addDeviceJob(job, device.deviceId, tools);
      job.lastDevice = devices.at(-1)?.sequence ?? job.lastDevice;
      tools.kept.putJob(job);
    });
    await tools.background.nextTurn();
  }
  job.lastDevice = undefined;
  tools.kept.putJob(job);
}

function addDeviceJob(job: ScheduledJob, deviceId: string, { deviceJobs, now, kept }: ScheduledJobTools): void {
  const deviceJob: DeviceJob = {
    sequence: deviceJobs.nextSequence(),
    deviceId,
    jobId: job.request.jobId,
    jobType: job.request.type,
    createdTime: now(),
    status: "pending",
    startTime: undefined,
    endTime: undefined,
    answer: undefined,
    error: undefined,
  };
  deviceJobs.add(deviceJob);
  kept.putDeviceJob(job, deviceJob);
  job.deviceJobs.push(deviceJob);
  job.statistics.deviceCount++;
  job.statistics.pendingCount++;
}

async function runDeviceJob(job: ScheduledJob, deviceJob: DeviceJob, tools: ScheduledJobTools): Promise<void> {
  const { work } = job.request;
  // That a twin is written, and that this is done, is kept in one step.
  if (work.kind === "twin") return tools.kept.storage.together(() => updateTwin(job, deviceJob, work, tools));
  try {
    beginDeviceJob(job, deviceJob, tools);
    tools.kept.putDeviceJob(job, deviceJob);
    deviceJob.answer = await tools.methods.invoke(findDevice(deviceJob, false, tools), work.call, job.stop.signal);
    endDeviceJob(job, deviceJob, "completed", tools);
  } catch (error) {
    failDeviceJob(job, deviceJob, error, tools);
  }
}

function updateTwin(
  job: ScheduledJob,
  deviceJob: DeviceJob,
  { patch, ifMatch }: Extract<DeviceWork, { kind: "twin" }>,
  tools: ScheduledJobTools,
): void {
  try {
    beginDeviceJob(job, deviceJob, tools);
    tools.twins.patch(findDevice(deviceJob, true, tools), patch, ifMatch);
    endDeviceJob(job, deviceJob, "completed", tools);
  } catch (error) {
    failDeviceJob(job, deviceJob, error, tools);
  }
}

function beginDeviceJob({ statistics, stop }: ScheduledJob, deviceJob: DeviceJob, { now }: ScheduledJobTools): void {
  statistics.pendingCount--;
  statistics.runningCount++;
  deviceJob.status = "running";
  deviceJob.startTime = now();
  stop.signal.throwIfAborted();
}

/** Ends the work on a device that has begun and cannot go on. */
export function failDeviceJob(job: ScheduledJob, deviceJob: DeviceJob, error: unknown, tools: ScheduledJobTools): void {
  deviceJob.error = error instanceof HubFault
    ? { code: error.code, description: error.message }
    : { code: "ServerError", description: failureReasonOf(error, tools.faults) };
  endDeviceJob(job, deviceJob, "failed", tools);
}

function endDeviceJob(
  job: ScheduledJob,
  deviceJob: DeviceJob,
  status: "completed" | "failed",
  { now, kept }: ScheduledJobTools,
): void {
  deviceJob.status = status;
  deviceJob.endTime = readClock(now);
  job.statistics.runningCount--;
  job.statistics[status === "completed" ? "succeededCount" : "failedCount"]++;
  kept.putDeviceJob(job, deviceJob);
}

function findDevice({ deviceId }: DeviceJob, includeDisabled: boolean, { store }: ScheduledJobTools): AnyRecord {
  const target = { deviceId, moduleId: undefined };
  return requireIdentity(store, target, { includeDisabled, missingModule: "ModuleNotFound" });
}
