import { checkNumber, checkText, checkType, wrongType, wrongValue } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import type { HubState } from "../hub_state.ts";

const DEFAULT_CONTAINER = "https://storage.localhost/uploads";

/** Describes an uploaded file to {@linkcode LocalDevice.notifyFileUpload}. */
export interface LocalFileUpload {
  /**
   * The name of the file, such as `"logs/monday.txt"`. The hub adds the device id in front, as in
   * `"d1/logs/monday.txt"`.
   */
  blobName: string;
  /** The size of the file in bytes. */
  blobSizeInBytes: number;
  /**
   * The address of the file. The default only looks like one: nothing is there.
   * @default {"https://storage.localhost/uploads/<deviceId>/<blobName>"}
   */
  blobUri?: string | undefined;
  /**
   * When the file was written. The default is the time on the hub's clock.
   * @default {new Date()}
   */
  lastUpdatedTime?: Date | undefined;
}

/** Tells back ends that a device has uploaded a file. */
export function notifyFileUpload(hub: HubState, deviceId: string, upload: LocalFileUpload): void {
  checkUpload(upload);
  const { blobSizeInBytes, lastUpdatedTime } = upload;
  const blobName = `${deviceId}/${upload.blobName}`;
  const path = blobName.split("/").map(encodeURIComponent).join("/");
  hub.uploads.notify(deviceId, {
    blobName,
    blobUri: upload.blobUri ?? `${DEFAULT_CONTAINER}/${path}`,
    blobSizeInBytes,
    lastUpdatedTime: lastUpdatedTime?.getTime() ?? hub.now(),
  });
}

function checkUpload(upload: LocalFileUpload): void {
  checkMembers("upload", upload, ["blobName", "blobSizeInBytes", "blobUri", "lastUpdatedTime"]);
  const { blobName, blobSizeInBytes, blobUri, lastUpdatedTime } = upload;
  checkText("blobName", blobName, /./s, "a string that is not empty");
  const isSize = (size: number): boolean => Number.isSafeInteger(size) && size >= 0;
  checkNumber("blobSizeInBytes", blobSizeInBytes, isSize, "a whole number of bytes, 0 or more");
  if (blobUri !== undefined) checkType("blobUri", blobUri, "string");
  if (lastUpdatedTime === undefined) return;
  if (!(lastUpdatedTime instanceof Date)) throw wrongType("lastUpdatedTime", "a Date", lastUpdatedTime);
  if (Number.isNaN(lastUpdatedTime.getTime())) throw wrongValue("lastUpdatedTime", "a valid date");
}
