import { type Complaint, complaintText } from "./csv_lines.ts";
import type { Failure, Run } from "./run.ts";
import type { Output, StepTime } from "./steps.ts";
import { tableLines } from "./table.ts";

const MAX_LINES_SHOWN = 10;

/** What the overview needs of a device. */
interface OverviewRow {
  site: string;
  status: string;
  authenticationType: string;
  iotEdge: boolean;
}

/** Shows what the hub holds: the devices of this run by site, and the hub's own statistics. */
export async function showHub(run: Run, expected: number): Promise<void> {
  const { registry, options, output, steps, runId } = run;
  const rows: OverviewRow[] = [];
  const statistics = await steps.run("Read the fleet back", expected, async (advance) => {
    const query = "SELECT tags.site AS site, status, authenticationType, capabilities.iotEdge AS iotEdge FROM devices" +
      ` WHERE tags.demoRun = '${runId}'`;
    for await (const { items } of registry.query<OverviewRow>(query, options).byPage({ maxPageSize: 100 })) {
      rows.push(...items);
      advance(items.length);
    }
    return {
      devices: await registry.getDeviceRegistryStatistics(options),
      service: await registry.getServiceStatistics(options),
    };
  });
  const sites = Object.entries(Object.groupBy(rows, ({ site }) => site));
  const table = sites.map(([site, devices = []]) => overviewCells(site, devices));
  const header = ["site", "devices", "enabled", "disabled", "sas", "x509", "ca", "gateways"];
  output.line();
  output.line("The fleet as the hub has it:");
  for (const line of tableLines(header, [...table, overviewCells("all sites", rows)])) output.line(`  ${line}`);
  const { devices, service } = statistics;
  output.line(
    `  Statistics of the whole hub: ${devices.totalDeviceCount} devices, ${devices.enabledDeviceCount} enabled, ` +
      `${devices.disabledDeviceCount} disabled, ${service.connectedDeviceCount} connected`,
  );
}

function overviewCells(title: string, devices: readonly OverviewRow[]): (string | number)[] {
  function count(test: (device: OverviewRow) => boolean): number {
    return devices.filter(test).length;
  }
  return [
    title,
    devices.length,
    count(({ status }) => status === "enabled"),
    count(({ status }) => status === "disabled"),
    count(({ authenticationType }) => authenticationType === "sas"),
    count(({ authenticationType }) => authenticationType === "selfSigned"),
    count(({ authenticationType }) => authenticationType === "certificateAuthority"),
    count(({ iotEdge }) => iotEdge),
  ];
}

/** Shows how long each step took. */
export function showTimes(output: Output, times: readonly StepTime[]): void {
  const rows = times.map(({ title, count, milliseconds }) => [
    title,
    count,
    Math.round(milliseconds),
    Math.round(count / Math.max(milliseconds, 0.1) * 1000),
  ]);
  output.line();
  output.line("How long it took:");
  for (const line of tableLines(["step", "items", "ms", "per second"], rows)) output.line(`  ${line}`);
}

/** Shows which lines of the file were not used, and why. */
export function showComplaints(output: Output, complaints: readonly Complaint[]): void {
  if (complaints.length === 0) return;
  output.line(`Skipped, since they cannot be used, ${counted(skippedLines(complaints), "line")} of the file:`);
  // Never cut: these lines are what the user has to mend.
  for (const complaint of complaints) output.line(`  ${complaintText(complaint)}`);
}

/** How many lines the complaints are about: a line may have several faults. */
export function skippedLines(complaints: readonly Complaint[]): number {
  return new Set(complaints.map(({ line }) => line)).size;
}

/** Shows what the hub did not do. */
export function showFailures(output: Output, title: string, failures: readonly Failure[]): void {
  if (failures.length === 0) return;
  output.line();
  output.line(title);
  for (const { deviceId, reason } of failures.slice(0, MAX_LINES_SHOWN)) output.line(`  ${deviceId}: ${reason}`);
  if (failures.length > MAX_LINES_SHOWN) output.line(`  … and ${failures.length - MAX_LINES_SHOWN} more`);
}

/** `1 device`, `2 devices`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
