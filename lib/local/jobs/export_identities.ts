import type { BackgroundWork } from "../background_work.ts";
import { batches } from "../records/batches.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { ConfigurationCopies } from "./configuration_copies.ts";
import { exportedIdentity } from "./exported_identity.ts";
import type { JobRequest } from "./job_request.ts";
import { LineWriter } from "./lines.ts";

/** How many devices are written before everything else has its turn. */
const DEVICES_PER_TURN = 200;
const KEYS_ARE_MISSING = "The keys of the devices and modules below were left out of this export.";

/** What an export reads. */
export interface ExportSources {
  readonly store: IdentityStore;
  readonly configurations: ConfigurationCopies;
  readonly background: BackgroundWork;
}

/**
 * Writes all identities with their twins to a blob, a line each: a device, then its modules. A device that is created
 * meanwhile is exported, too.
 *
 * @param onProgress Is told how much is done, from 0 to 1.
 * @param signal Ends the work.
 * @throws {HubFault} `InsufficientStorage` (507), or the signal's reason.
 */
export async function exportIdentities(
  { store, configurations, background }: ExportSources,
  { description, output }: JobRequest,
  onProgress: (progress: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { excludeKeysInExport, includeConfigurations, outputBlobName, configurationsBlobName } = description;
  const writer = new LineWriter(output);
  if (excludeKeysInExport) writer.add(KEYS_ARE_MISSING);
  const write = (record: AnyRecord): void => writer.add(exportedIdentity(record, !excludeKeysInExport));
  let done = 0;
  for (const devices of batches(store.devices, DEVICES_PER_TURN)) {
    for (const device of devices) {
      write(device);
      for (const module of device.modules.values()) write(module);
    }
    done += devices.length;
    onProgress(done / Math.max(done, store.devices.size, 1));
    await background.nextTurn();
    signal.throwIfAborted();
  }
  writer.save(outputBlobName);
  if (!includeConfigurations) return;
  const file = new LineWriter(output);
  for (const configuration of configurations.exported()) file.add(configuration);
  file.save(configurationsBlobName);
}
