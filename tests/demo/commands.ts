import { invokeMethodOnDevices, sendC2dMessages } from "../../lib/fleet/mod.ts";
import { forEachLimited } from "./concurrency.ts";
import type { FieldDevices } from "./field_devices.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { fleetStep } from "./fleet_step.ts";
import { PARALLEL_CALLS, type Run } from "./run.ts";

const MAX_TARGETS = 20;
const MESSAGE_LIFETIME_IN_MS = 10 * 60_000;

/** Some devices to talk to: enabled ones of the model that the fleet has most of. */
export function chooseTargets(devices: readonly FleetDevice[]): FleetDevice[] {
  const enabled = devices.filter(({ status }) => status === "enabled");
  const byModel = Object.groupBy(enabled, ({ model }) => model);
  const largest = Object.values(byModel).sort((a, b) => (b?.length ?? 0) - (a?.length ?? 0))[0] ?? [];
  // Spread over the whole fleet, and so over its sites.
  const step = Math.max(1, Math.ceil(largest.length / MAX_TARGETS));
  return largest.filter((_, index) => index % step === 0);
}

/** Calls a method on each device. That one is offline is an answer like any other. */
export async function callMethods(run: Run, targets: readonly FleetDevice[]): Promise<void> {
  const answers: string[] = [];
  let offline = 0;
  const ids = targets.map(({ deviceId }) => deviceId);
  const request = { methodName: "readStatus", payload: { detail: "short" }, responseTimeoutInSeconds: 10 };
  await fleetStep(
    run,
    "Call a method",
    ids.length,
    (options) => invokeMethodOnDevices(run.registry, ids, request, options),
    ({ deviceId, result }) => answers.push(`${deviceId} answered ${result!.status} ${JSON.stringify(result!.payload)}`),
    ({ deviceId, error }) => {
      if (error?.code === "DeviceNotOnline") offline++;
      else run.failures.push({ deviceId, reason: error!.message });
    },
  );
  run.output.line();
  run.output.line(
    `Method readStatus, called on ${targets.length} devices: ${answers.length} answered, ${offline} offline`,
  );
  if (answers[0] !== undefined) run.output.line(`  ${answers[0]}`);
}

/** Sends each device a message, and tells which have arrived and which wait for their device. */
export async function sendMessages(
  run: Run,
  targets: readonly FleetDevice[],
  field: FieldDevices | undefined,
): Promise<void> {
  const accepted: string[] = [];
  const notices = targets.map(({ deviceId, hall }) => ({
    deviceId,
    message: JSON.stringify({ notice: `Maintenance in ${hall}` }),
    properties: {
      correlationId: run.runId,
      contentType: "application/json",
      contentEncoding: "utf-8",
      expiryTimeUtc: Date.now() + MESSAGE_LIFETIME_IN_MS,
      priority: "low",
    } as const,
  }));
  await fleetStep(
    run,
    "Send messages",
    notices.length,
    (options) => sendC2dMessages(run.registry, notices, options),
    ({ deviceId }) => accepted.push(deviceId),
  );
  const messages = await field?.messages(accepted);
  const waiting = await countWaiting(run, accepted);
  run.output.line();
  run.output.line(
    `Messages, ${targets.length} sent: ${accepted.length} accepted by the hub, ${messages?.size ?? 0} arrived, ` +
      `${waiting} waiting for their device`,
  );
  for (const [deviceId, message] of [...messages ?? []].slice(0, 1)) {
    run.output.line(`  ${deviceId} received ${message.text} ${JSON.stringify(message.properties)}`);
  }
}

async function countWaiting(run: Run, deviceIds: readonly string[]): Promise<number> {
  let waiting = 0;
  await forEachLimited(deviceIds, PARALLEL_CALLS, async (deviceId) => {
    const device = await run.registry.getDevice(deviceId, run.options);
    waiting += device.cloudToDeviceMessageCount;
  });
  return waiting;
}
