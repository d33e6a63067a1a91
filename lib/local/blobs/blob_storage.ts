import { HubFault } from "../hub_fault.ts";
import { ticksAt } from "../hub_time.ts";
import { HubStorage, type Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import { BlobContainer } from "./blob_container.ts";
import { BlobSas, type BlobSasOptions } from "./blob_sas.ts";
import { BlobSpace } from "./blob_space.ts";
import { KeptBlobs } from "./kept_blobs.ts";

/** The blob storage of a hub: containers in memory, and the signatures with which clients reach them. */
export class BlobStorage implements Keeper {
  readonly sas: BlobSas;
  readonly #now: () => number;
  readonly #space: BlobSpace;
  readonly #key: Table<string>;
  readonly #kept: KeptBlobs;
  readonly #containers = new Map<string, BlobContainer>();
  #lastTicks = 0n;

  constructor(
    options: BlobSasOptions,
    space: BlobSpace = new BlobSpace(),
    storage: HubStorage = new HubStorage(),
  ) {
    this.sas = new BlobSas(options);
    this.#now = options.now;
    this.#space = space;
    this.#key = storage.table({
      name: "blobKeys",
      keyOf: () => "account",
      valueOf: (key) => key,
      items: () => [this.sas.key],
    });
    const containers = (): BlobContainer[] => [...this.#containers.values()];
    this.#kept = new KeptBlobs(storage, {
      names: () => this.#containers.keys(),
      blobs: () => containers().flatMap(({ name, blobs }) => blobs.map((blob) => ({ container: name, blob }))),
      blocks: () =>
        containers().flatMap((container) =>
          Array.from(container.uncommitted(), (block) => ({ container: container.name, ...block }))
        ),
    });
  }

  /** Returns a container, which is created unless it exists. */
  container(name: string): BlobContainer {
    const known = this.#containers.get(name);
    if (known !== undefined) return known;
    const container = this.#make(name);
    this.#kept.putContainer(name);
    return container;
  }

  /**
   * Returns a container.
   *
   * @throws {HubFault} `ContainerNotFound` (404) when it does not exist.
   */
  requireContainer(name: string): BlobContainer {
    const container = this.#containers.get(name);
    if (container !== undefined) return container;
    throw new HubFault("ContainerNotFound", 404, `The local hub has no container ${JSON.stringify(name)}`);
  }

  clear(): void {
    for (const container of this.#containers.values()) container.clear();
    this.#containers.clear();
    this.#kept.clear();
    this.#lastTicks = 0n;
  }

  load(): void {
    for (const { value } of this.#key.read()) this.sas.useKey(value as string);
    this.#key.put(this.sas.key);
    this.#kept.load({
      container: (name) => this.#make(name),
      blob: ({ container, blob }) => {
        this.requireContainer(container).loadBlob(blob);
        const ticks = BigInt(blob.etag);
        if (ticks > this.#lastTicks) this.#lastTicks = ticks;
      },
      block: ({ container, ...block }) => this.requireContainer(container).loadBlock(block),
    });
  }

  #make(name: string): BlobContainer {
    const container = new BlobContainer(name, this.#space, () => this.#stampWrite(), this.#kept);
    this.#containers.set(name, container);
    return container;
  }

  #stampWrite(): { etag: string; lastModified: number } {
    const lastModified = this.#now();
    const ticks = ticksAt(lastModified);
    // Two writes in the same millisecond, or after the clock was set back, must have different etags.
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n;
    return { etag: `0x${this.#lastTicks.toString(16).toUpperCase()}`, lastModified };
  }
}
