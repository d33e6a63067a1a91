import { utcTime } from "../hub_time.ts";
import { DocumentShape } from "../records/document_shape.ts";
import type { MethodAnswer } from "../presence/device_connection.ts";

/** What becomes of one device of a scheduled job. */
export interface DeviceJob {
  readonly sequence: number;
  readonly deviceId: string;
  readonly jobId: string;
  readonly jobType: "scheduleUpdateTwin" | "scheduleDeviceMethod";
  readonly createdTime: number;
  status: "pending" | "running" | "completed" | "failed";
  startTime: number | undefined;
  endTime: number | undefined;
  /** The answer of the device to a method. */
  answer: MethodAnswer | undefined;
  error: { readonly code: string; readonly description: string } | undefined;
}

/** How a query of `devices.jobs` sees them. */
export const DEVICE_JOB_SHAPE: DocumentShape<DeviceJob> = new DocumentShape<DeviceJob>({
  deviceId: ({ deviceId }) => deviceId,
  jobId: ({ jobId }) => jobId,
  jobType: ({ jobType }) => jobType,
  status: ({ status }) => status,
  startTimeUtc: ({ startTime }) => startTime === undefined ? undefined : utcTime(startTime),
  endTimeUtc: ({ endTime }) => endTime === undefined ? undefined : utcTime(endTime),
  createdDateTimeUtc: ({ createdTime }) => utcTime(createdTime),
  lastUpdatedDateTimeUtc: ({ createdTime, startTime, endTime }) => utcTime(endTime ?? startTime ?? createdTime),
  outcome: ({ answer = null }) => ({ deviceMethodResponse: answer }),
  error: ({ error }) => error,
});
