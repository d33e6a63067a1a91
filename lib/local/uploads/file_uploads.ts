import { cannotUse } from "../../values/checks.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import { utcTime } from "../hub_time.ts";
import { encodeBase64 } from "../../values/base64.ts";
import { BLOB_NAME, BLOB_NAME_RULE, UPLOADS_CONTAINER } from "../blobs/blob_names.ts";
import type { BlobContainer } from "../blobs/blob_container.ts";
import type { BlobStorage } from "../blobs/blob_storage.ts";
import type { ServiceQueue } from "../messages/service_queue.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { DeviceRecord } from "../records/identity_records.ts";

/** What a device needs to write its file. */
export interface BegunUpload {
  readonly correlationId: string;
  readonly containerName: string;
  /** With the id of the device in front. */
  readonly blobName: string;
  /** The signature for this one blob, with a question mark. */
  readonly sasToken: string;
}

/** A file that a device has written somewhere. */
export interface UploadedFile {
  /** With the id of the device in front. */
  readonly blobName: string;
  readonly blobUri: string;
  readonly blobSizeInBytes: number;
  /** In milliseconds since the epoch. */
  readonly lastUpdatedTime: number;
}

/** An upload that has begun and not ended. */
interface PendingUpload {
  readonly correlationId: string;
  readonly generationId: string;
  readonly blobName: string;
  readonly expiresOn: number;
}

const CONTENT_TYPE = "application/vnd.microsoft.iothub.filenotification.json";
const TIME_TO_LIVE = 60 * 60 * 1000;
const MAX_PENDING = 10;
/** The signature lets the device write the blob, and read it. */
const RIGHTS = "rw";

/** The uploads of files: devices write them to a blob of the hub, and back ends are told of it. */
export class FileUploads implements Sleeper, Keeper {
  readonly #now: () => number;
  readonly #alarm: HubAlarm;
  readonly #blobs: BlobStorage;
  readonly #storage: HubStorage;
  readonly #table: Table<PendingUpload>;
  readonly #notifications: ServiceQueue;
  /** By their correlation ids, the oldest first. */
  readonly #pending = new Map<string, PendingUpload>();

  constructor(
    parts: { now: () => number; alarm: HubAlarm; blobs: BlobStorage; notifications: ServiceQueue; storage: HubStorage },
  ) {
    this.#now = parts.now;
    this.#alarm = parts.alarm;
    this.#blobs = parts.blobs;
    this.#notifications = parts.notifications;
    this.#storage = parts.storage;
    this.#table = parts.storage.table({
      name: "uploads",
      keyOf: ({ correlationId }) => correlationId,
      valueOf: (upload) => upload,
      items: () => this.#pending.values(),
    });
  }

  /**
   * Begins an upload. It has to end within an hour.
   *
   * @param name The name of the file, without the id of the device.
   * @throws {HubFault} `ArgumentInvalid` (400) for a name that no blob can have, or
   * `DeviceMaximumActiveFileUploadLimitExceeded` (403).
   */
  begin({ deviceId, generationId }: DeviceRecord, name: string): BegunUpload {
    const blobName = `${deviceId}/${name}`;
    if (name === "" || !BLOB_NAME.test(blobName)) {
      throw invalidArgument(cannotUse("blobName with the id of the device in front", BLOB_NAME_RULE));
    }
    this.#checkPending(generationId);
    const now = this.#now();
    const correlationId = newCorrelationId(now);
    this.#container.checkSpace(1);
    const upload: PendingUpload = { correlationId, generationId, blobName, expiresOn: now + TIME_TO_LIVE };
    this.#pending.set(correlationId, upload);
    this.#table.put(upload);
    this.#setAlarm();
    const sas = this.#blobs.sas.sign({ container: UPLOADS_CONTAINER, blob: blobName }, RIGHTS, TIME_TO_LIVE);
    return { correlationId, containerName: UPLOADS_CONTAINER, blobName, sasToken: `?${sas}` };
  }

  /**
   * Ends an upload. Back ends are told of one that has succeeded.
   *
   * @param origin The origin at which the device has reached the hub.
   * @throws {HubFault} 400 `InvalidFileUploadCorrelationId`, or `InvalidStorageEndpointOrBlob` when the blob is not there.
   */
  end(device: DeviceRecord, correlationId: string, isSuccess: boolean, origin: string): void {
    const upload = this.#pending.get(correlationId);
    if (upload?.generationId !== device.generationId) {
      throw new HubFault(
        "InvalidFileUploadCorrelationId",
        400,
        "The device has no upload with this correlation id: it has ended, or an hour has passed. Begin another one",
      );
    }
    const { blobName } = upload;
    if (!isSuccess) return this.#remove(upload);
    const blob = this.#container.find(blobName);
    if (blob === undefined) {
      throw new HubFault(
        "InvalidStorageEndpointOrBlob",
        400,
        `The blob ${JSON.stringify(blobName)} is not there: write it, and commit its blocks, before you say so`,
      );
    }
    const blobUri = `${origin}/${UPLOADS_CONTAINER}/${blobName.split("/").map(encodeURIComponent).join("/")}`;
    const { content: { size: blobSizeInBytes }, lastModified: lastUpdatedTime } = blob;
    this.#storage.together(() => {
      this.notify(device.deviceId, { blobName, blobUri, blobSizeInBytes, lastUpdatedTime });
      this.#remove(upload);
    });
  }

  /** Tells back ends of a file, wherever it is. */
  notify(deviceId: string, { blobUri, blobName, blobSizeInBytes, lastUpdatedTime }: UploadedFile): void {
    const now = this.#now();
    const notification = {
      deviceId,
      blobUri,
      blobName,
      lastUpdatedTime: utcTime(lastUpdatedTime),
      blobSizeInBytes,
      enqueuedTimeUtc: utcTime(now),
    };
    this.#notifications.add(CONTENT_TYPE, JSON.stringify(notification), now);
  }

  /** Drops the uploads that have not ended in time. */
  wake(now: number): void {
    for (const upload of this.#pending.values()) if (upload.expiresOn <= now) this.#remove(upload);
    this.#setAlarm();
  }

  clear(): void {
    this.#alarm.forget(this);
    this.#pending.clear();
  }

  load(): void {
    for (const { key, value } of this.#table.read()) this.#pending.set(key, value as PendingUpload);
    this.#setAlarm();
  }

  get #container(): BlobContainer {
    return this.#blobs.container(UPLOADS_CONTAINER);
  }

  #checkPending(generationId: string): void {
    let count = 0;
    for (const upload of this.#pending.values()) if (upload.generationId === generationId) count++;
    if (count < MAX_PENDING) return;
    throw new HubFault(
      "DeviceMaximumActiveFileUploadLimitExceeded",
      403,
      `The device has begun ${MAX_PENDING} uploads and can have no more at a time: end one of them first`,
    );
  }

  /** Forgets an upload, and with the last one of a blob the blocks that nobody will commit. */
  #remove(upload: PendingUpload): void {
    this.#storage.together(() => {
      this.#pending.delete(upload.correlationId);
      this.#table.delete(upload);
      for (const { blobName } of this.#pending.values()) if (blobName === upload.blobName) return;
      this.#container.dropUncommitted(upload.blobName);
    });
  }

  #setAlarm(): void {
    const [oldest] = this.#pending.values();
    if (oldest !== undefined) this.#alarm.set(this, oldest.expiresOn);
  }
}

/** Creates an id as a real hub does: base64, which has to be encoded in a path. */
function newCorrelationId(now: number): string {
  const minute = new Date(now).toISOString().replace(/\D/g, "").slice(0, 12);
  return encodeBase64(new TextEncoder().encode(`${minute}_${crypto.randomUUID()}`));
}
