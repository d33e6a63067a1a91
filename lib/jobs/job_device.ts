/** What became of a scheduled job on one device. */
export interface JobDevice {
  /** The device's id. */
  deviceId: string;
  /** The module's id, if the job is for modules. */
  moduleId?: string | undefined;
  /** The job's id. */
  jobId: string;
  /** The kind of job. */
  jobType: "scheduleDeviceMethod" | "scheduleUpdateTwin";
  /** How far the job is on this device. (A job as a whole is `cancelled`, with two l.) */
  status: "pending" | "scheduled" | "running" | "completed" | "failed" | "canceled";
  /** When the job began on this device. */
  startTimeUtc?: string | undefined;
  /** When it ended there. */
  endTimeUtc?: string | undefined;
  /** When the job was created for this device. */
  createdDateTimeUtc?: string | undefined;
  /** When this record last changed. */
  lastUpdatedDateTimeUtc?: string | undefined;
  /** What came of it: the status and payload of the device's answer, for a direct method. */
  outcome?: {
    /** The device's answer; `null` for an update of twins. */
    deviceMethodResponse?: { status: number; payload?: unknown } | null | undefined;
  } | undefined;
  /** Why it failed. */
  error?: { code?: string | undefined; description?: string | undefined } | undefined;
}

/** Returns the query for the devices of a job. */
export function jobDevicesQuery(jobId: string): string {
  return `SELECT * FROM devices.jobs WHERE devices.jobs.jobId = '${jobId.replaceAll("'", "\\'")}'`;
}
