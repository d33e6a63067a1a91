import { receiveFileNotifications } from "../transport/operations.ts";
import type { ServiceBoundQueue } from "./receiving.ts";
import type { Settlement } from "./settlement.ts";

/** Tells that a device has uploaded a file to the storage account of the hub. */
export interface FileNotification {
  /** The device's id. */
  deviceId: string;
  /** Where the file is. */
  blobUri: string;
  /** The file's name, within the container. */
  blobName: string;
  /** When the file was written last, ISO 8601. */
  lastUpdatedTime: string;
  /** The file's size in bytes. */
  blobSizeInBytes: number;
  /** When the hub made this notification, ISO 8601. */
  enqueuedTimeUtc: string;
}

/** A notification, with the means to complete it or give it back. */
export type ReceivedFileNotification = FileNotification & Settlement;

/** The queue of notifications: each message holds one. */
export const FILE_NOTIFICATIONS: ServiceBoundQueue<FileNotification> = {
  operation: receiveFileNotifications,
  address: "/messages/serviceBound/filenotifications",
  read: (json) =>
    typeof json === "object" && json !== null && !Array.isArray(json) ? [json as FileNotification] : undefined,
};
