import { checkNumber, checkText, checkType, wrongType, wrongValue } from "../../values/checks.ts";
import type { HubState } from "../hub_state.ts";

const CONTENT_TYPE = "application/vnd.microsoft.iothub.filenotification.json";
const DEFAULT_CONTAINER = "https://storage.localhost/uploads";

/** A file that a device has uploaded, as back ends are told. */
export interface LocalFileUpload {
  /** The name that the device gave the file, such as `"logs/monday.txt"`; the hub puts the device id before it. */
  blobName: string;
  /** The size of the file in bytes. */
  blobSizeInBytes: number;
  /** Where the file is. Default: a place under `https://storage.localhost`, where nothing is. */
  blobUri?: string;
  /** When the file was written. Default: now, by the clock of the hub. */
  lastUpdatedTime?: Date;
}

/** Tells back ends of a file that a device has uploaded. */
export function notifyFileUpload(hub: HubState, deviceId: string, upload: LocalFileUpload): void {
  checkUpload(upload);
  const { blobSizeInBytes } = upload;
  const now = hub.now();
  const blobName = `${deviceId}/${upload.blobName}`;
  const path = blobName.split("/").map(encodeURIComponent).join("/");
  const notification = {
    deviceId,
    blobUri: upload.blobUri ?? `${DEFAULT_CONTAINER}/${path}`,
    blobName,
    lastUpdatedTime: (upload.lastUpdatedTime ?? new Date(now)).toISOString(),
    blobSizeInBytes,
    enqueuedTimeUtc: new Date(now).toISOString(),
  };
  hub.fileNotifications.add(CONTENT_TYPE, JSON.stringify(notification), now);
}

function checkUpload(upload: LocalFileUpload): void {
  checkType("upload", upload, "object");
  const { blobName, blobSizeInBytes, blobUri, lastUpdatedTime } = upload;
  checkText("blobName", blobName, /./s, "a string that is not empty");
  const isSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;
  checkNumber("blobSizeInBytes", blobSizeInBytes, isSize, "a whole number of bytes, 0 or more");
  if (blobUri !== undefined) checkType("blobUri", blobUri, "string");
  if (lastUpdatedTime === undefined) return;
  if (!(lastUpdatedTime instanceof Date)) throw wrongType("lastUpdatedTime", "a Date", lastUpdatedTime);
  if (Number.isNaN(lastUpdatedTime.getTime())) throw wrongValue("lastUpdatedTime", "a valid date");
}
