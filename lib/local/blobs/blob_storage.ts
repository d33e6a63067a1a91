import { HubFault } from "../hub_fault.ts";
import { ticksAt } from "../hub_time.ts";
import { BlobContainer } from "./blob_container.ts";
import { BlobSas, type BlobSasOptions } from "./blob_sas.ts";
import { BlobSpace } from "./blob_space.ts";

/** The blob storage of a hub: containers in memory, and the signatures with which clients reach them. */
export class BlobStorage {
  readonly sas: BlobSas;
  readonly #now: () => number;
  readonly #space: BlobSpace;
  readonly #containers = new Map<string, BlobContainer>();
  #lastTicks = 0n;

  constructor(options: BlobSasOptions, space: BlobSpace = new BlobSpace()) {
    this.sas = new BlobSas(options);
    this.#now = options.now;
    this.#space = space;
  }

  /** Returns a container, which is created unless it exists. */
  container(name: string): BlobContainer {
    let container = this.#containers.get(name);
    if (container === undefined) {
      container = new BlobContainer(name, this.#space, () => this.#stampWrite());
      this.#containers.set(name, container);
    }
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

  #stampWrite(): { etag: string; lastModified: number } {
    const lastModified = this.#now();
    const ticks = ticksAt(lastModified);
    // Two writes in the same millisecond, or after the clock was set back, must have different etags.
    this.#lastTicks = ticks > this.#lastTicks ? ticks : this.#lastTicks + 1n;
    return { etag: `0x${this.#lastTicks.toString(16).toUpperCase()}`, lastModified };
  }
}
