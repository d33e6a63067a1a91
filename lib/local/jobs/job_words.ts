import type { JobResponse } from "../../../gen/index.ts";

/** Every type that the hub knows of a job. */
export const JOB_TYPES: readonly NonNullable<JobResponse["type"]>[] = [
  "unknown",
  "export",
  "import",
  "backup",
  "readDeviceProperties",
  "writeDeviceProperties",
  "updateDeviceConfiguration",
  "rebootDevice",
  "factoryResetDevice",
  "firmwareUpdate",
  "scheduleDeviceMethod",
  "scheduleUpdateTwin",
  "restoreFromBackup",
  "failoverDataCopy",
];

/** Every status that the hub knows of a job. */
export const JOB_STATUSES: readonly NonNullable<JobResponse["status"]>[] = [
  "unknown",
  "enqueued",
  "running",
  "completed",
  "failed",
  "cancelled",
  "scheduled",
  "queued",
];
