import { receiveFileNotifications } from "../transport/operations.ts";
import type { ServiceBoundQueue } from "./receiving.ts";
import type { Settlement } from "./settlement.ts";

/** A notification that a device has uploaded a file to the hub's storage account. */
export interface FileNotification {
  /** The device's id. */
  deviceId: string;
  /** The URL of the file. */
  blobUri: string;
  /** The file's name in its container. */
  blobName: string;
  /** When the file was last changed, in ISO 8601. */
  lastUpdatedTime: string;
  /** The file's size in bytes. */
  blobSizeInBytes: number;
  /** When the hub created this notification, in ISO 8601. */
  enqueuedTimeUtc: string;
}

/** A notification, with methods to complete it or return it to the hub. */
export type ReceivedFileNotification = FileNotification & Settlement;

/** The queue of notifications. Each of its messages contains one. */
export const FILE_NOTIFICATIONS: ServiceBoundQueue<FileNotification> = {
  operation: receiveFileNotifications,
  address: "/messages/serviceBound/filenotifications",
  read: (json) =>
    typeof json === "object" && json !== null && !Array.isArray(json) ? [json as FileNotification] : undefined,
};
