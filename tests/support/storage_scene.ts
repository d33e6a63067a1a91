import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { signAsDevice } from "./device_caller.ts";
import { type Json, RestCaller } from "./rest_caller.ts";

/** Node 20 has no SQLite of its own. */
export const HAS_SQLITE: boolean = process.getBuiltinModule?.("node:sqlite") !== undefined;

/** A hub, and who works with it. */
export interface OpenHub extends AsyncDisposable {
  readonly hub: LocalHub;
  readonly rest: RestCaller;
  readonly registry: IoTHubRegistryManager;
  /** Makes a request of a device, with its own key. */
  asDevice(deviceId: string, method: string, path: string, body?: unknown): Promise<Response>;
}

/** A folder for the files of hubs, whose clock goes when it is told to. */
export class StorageScene implements Disposable {
  now: number = Date.UTC(2026, 0, 1);
  readonly #folder: string = mkdtempSync(join(tmpdir(), "storage-"));
  #images = 0;

  /** The path of a file in the folder. */
  path(name: string = "hub.sqlite"): string {
    return join(this.#folder, name);
  }

  /** Makes a hub that keeps what it is told in a file; `undefined` for one in memory. */
  open(storage: string | undefined = this.path(), options: LocalHubOptions = {}): OpenHub {
    const hub = new LocalHub({ storage, now: () => this.now, clockSkewInSeconds: 1e9, ...options });
    return openedHub(hub);
  }

  /** Copies a file as it would be there if the hub that has it open were killed now. */
  image(path: string = this.path()): string {
    const copy = this.path(`image-${++this.#images}.sqlite`);
    for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    return copy;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Joins a hub with those who work with it. */
export function openedHub(hub: LocalHub): OpenHub {
  const rest = new RestCaller(hub);
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  return {
    hub,
    rest,
    registry,
    async asDevice(deviceId, method, path, body) {
      const device: Json = await rest.do("GET", `/devices/${deviceId}`);
      const key = device.authentication.symmetricKey.primaryKey;
      return await hub.fetch(
        new Request(`https://${hub.hostName}/devices/${deviceId}${path}?api-version=2021-04-12`, {
          method,
          headers: { authorization: signAsDevice(hub.hostName, `/devices/${deviceId}`, key) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      await registry.close();
      await hub.close();
    },
  };
}

/** Everything that back ends can read of a hub, the messages of devices apart. */
export async function documentsOf({ rest, hub }: OpenHub): Promise<Json> {
  const devices: Json[] = await rest.do("GET", "/devices");
  const modules: Json[] = [];
  // The hub does not show modules of a device that is disabled.
  for (const { deviceId, status } of devices) {
    if (status === "enabled") modules.push(await rest.do("GET", `/devices/${deviceId}/modules`));
  }
  const query = (text: string): Promise<Json> => rest.do("POST", "/devices/query", { query: text });
  return {
    devices,
    modules,
    twins: await query("SELECT * FROM devices"),
    moduleTwins: await query("SELECT * FROM devices.modules"),
    deviceJobs: await query("SELECT * FROM devices.jobs"),
    configurations: await rest.do("GET", "/configurations"),
    scheduledJobs: await rest.do("GET", "/jobs/v2/query"),
    importExportJobs: await rest.do("GET", "/jobs"),
    blobs: hub.blobContainer("fleet").list().map((blob) => [blob, [...hub.blobContainer("fleet").read(blob)]]),
    connectionString: hub.connectionString,
  };
}

/** Takes the next message of a device and says how it ends; `undefined` when there is none. */
export async function takeMessage(
  { asDevice }: OpenHub,
  deviceId: string,
  how: "complete" | "abandon" | "keep",
): Promise<{ text: string; deliveryCount: number; sequenceNumber: number; lockToken: string } | undefined> {
  const message = await asDevice(deviceId, "GET", "/messages/devicebound");
  if (message.status === 204) return undefined;
  const text = await message.text();
  if (message.status !== 200) throw new Error(`${message.status} ${text}`);
  const lockToken = (message.headers.get("etag") ?? "").replaceAll('"', "");
  const settled = `/messages/devicebound/${lockToken}`;
  if (how === "complete") await asDevice(deviceId, "DELETE", settled);
  if (how === "abandon") await asDevice(deviceId, "POST", `${settled}/abandon`);
  return {
    text,
    lockToken,
    deliveryCount: Number(message.headers.get("iothub-deliverycount")),
    sequenceNumber: Number(message.headers.get("iothub-sequencenumber")),
  };
}
