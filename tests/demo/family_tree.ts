import type { Complaint } from "./csv_lines.ts";
import type { FleetDevice } from "./fleet_file.ts";

/**
 * Leaves out the devices whose parent cannot be one, and in turn those behind them.
 *
 * @param lineOf where each id of the file stands, the lines already left out included
 */
export function dropOrphans(
  devices: readonly FleetDevice[],
  lineOf: ReadonlyMap<string, number>,
): { devices: FleetDevice[]; complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  const kept = new Map(devices.map((device) => [device.deviceId, device]));
  let before: number;
  do {
    before = kept.size;
    // All are judged before one is dropped, so that every member of a circle is told the same.
    const faults = [...kept.values()].flatMap((device) => parentFault(device, kept, lineOf) ?? []);
    for (const fault of faults) kept.delete(fault.deviceId);
    complaints.push(...faults.map(({ deviceId: _, ...complaint }) => complaint));
  } while (kept.size < before);
  return { devices: [...kept.values()], complaints };
}

function parentFault(
  device: FleetDevice,
  kept: ReadonlyMap<string, FleetDevice>,
  lineOf: ReadonlyMap<string, number>,
): (Complaint & { deviceId: string }) | undefined {
  const { deviceId, line, parent } = device;
  if (parent === undefined) return undefined;
  const reason = reasonAgainst(parent, device, kept, lineOf);
  return reason === undefined ? undefined : { deviceId, line, column: "parent", value: parent, reason };
}

function reasonAgainst(
  parentId: string,
  device: FleetDevice,
  kept: ReadonlyMap<string, FleetDevice>,
  lineOf: ReadonlyMap<string, number>,
): string | undefined {
  const parent = kept.get(parentId);
  if (parent === undefined) {
    const line = lineOf.get(parentId);
    return line === undefined ? "is not in the file" : `is skipped itself, on line ${line}`;
  }
  if (!parent.iotEdge) return "is not an IoT Edge gateway";
  return isBehindItself(device, kept) ? "is behind this device, in a circle" : undefined;
}

function isBehindItself(device: FleetDevice, kept: ReadonlyMap<string, FleetDevice>): boolean {
  const seen = new Set<FleetDevice>();
  let above = device.parent === undefined ? undefined : kept.get(device.parent);
  while (above !== undefined && !seen.has(above)) {
    if (above === device) return true;
    seen.add(above);
    above = above.parent === undefined ? undefined : kept.get(above.parent);
  }
  return false;
}

/** The devices in the order in which they can be registered: first those without a parent, then their children, … */
export function generations(devices: readonly FleetDevice[]): FleetDevice[][] {
  const depths = new Map<string, number>();
  const byId = new Map(devices.map((device) => [device.deviceId, device]));
  function depthOf(device: FleetDevice): number {
    const parent = device.parent === undefined ? undefined : byId.get(device.parent);
    const depth = depths.get(device.deviceId) ?? (parent === undefined ? 0 : depthOf(parent) + 1);
    depths.set(device.deviceId, depth);
    return depth;
  }
  const result: FleetDevice[][] = [];
  for (const device of devices) (result[depthOf(device)] ??= []).push(device);
  return result;
}
