import { nextTurn } from "../background_work.ts";
import type { FaultListeners } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import type { Collection } from "../queries/collection.ts";
import { compileCondition, parseCondition } from "../queries/conditions.ts";
import { batches } from "../records/batches.ts";
import type { CreationOrder } from "../records/creation_order.ts";
import { requireIdentity } from "../records/find_identity.ts";
import type { DeviceRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { DirectMethodBroker } from "../presence/direct_method_broker.ts";
import type { MethodAnswer } from "../presence/device_connection.ts";
import type { TwinWrites } from "../twins/twin_writes.ts";
import type { DeviceJob } from "./device_job.ts";
import { failureReasonOf } from "./job_ends.ts";
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
  readonly faults: FaultListeners;
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
  const waiting = job.deviceJobs.values();
  const atOnce = job.request.work.kind === "method" ? METHODS_AT_ONCE : 1;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    let done = 0;
    for (const deviceJob of waiting) {
      await runDeviceJob(job, deviceJob, tools);
      if (++done % (DEVICES_PER_TURN / atOnce) === 0) await nextTurn();
    }
  }));
}

async function findDevices(job: ScheduledJob, tools: ScheduledJobTools): Promise<void> {
  const { request, deviceJobs, statistics, stop } = job;
  const { jobId, type, queryCondition = "" } = request;
  const condition = ["", "*"].includes(queryCondition.trim()) ? undefined : parseCondition(queryCondition).expression;
  const isMatch = compileCondition(condition, tools.queried);
  for (const devices of batches(tools.queried.records, DEVICES_PER_TURN)) {
    if (stop.signal.aborted) return;
    for (const device of devices) {
      if (!isMatch(device)) continue;
      const deviceJob: DeviceJob = {
        sequence: tools.deviceJobs.nextSequence(),
        deviceId: device.deviceId,
        jobId,
        jobType: type,
        createdTime: tools.now(),
        status: "pending",
        startTime: undefined,
        endTime: undefined,
        answer: undefined,
        error: undefined,
      };
      tools.deviceJobs.add(deviceJob);
      deviceJobs.push(deviceJob);
      statistics.deviceCount++;
      statistics.pendingCount++;
    }
    await nextTurn();
  }
}

async function runDeviceJob(job: ScheduledJob, deviceJob: DeviceJob, tools: ScheduledJobTools): Promise<void> {
  const { statistics, request: { work }, stop: { signal } } = job;
  statistics.pendingCount--;
  statistics.runningCount++;
  deviceJob.status = "running";
  try {
    deviceJob.startTime = tools.now();
    signal.throwIfAborted();
    deviceJob.answer = await workOn(deviceJob.deviceId, work, tools, signal);
    deviceJob.status = "completed";
    statistics.succeededCount++;
  } catch (error) {
    deviceJob.status = "failed";
    statistics.failedCount++;
    deviceJob.error = error instanceof HubFault
      ? { code: error.code, description: error.message }
      : { code: "ServerError", description: failureReasonOf(error, tools.faults) };
  } finally {
    deviceJob.endTime = readClock(tools.now);
    statistics.runningCount--;
  }
}

async function workOn(
  deviceId: string,
  work: DeviceWork,
  { store, twins, methods }: ScheduledJobTools,
  signal: AbortSignal,
): Promise<MethodAnswer | undefined> {
  const wanted = { includeDisabled: work.kind === "twin", missingModule: "ModuleNotFound" } as const;
  const device = requireIdentity(store, { deviceId, moduleId: undefined }, wanted);
  if (work.kind === "method") return await methods.invoke(device, work.call, signal);
  twins.patch(device, work.patch, work.ifMatch);
  return undefined;
}
