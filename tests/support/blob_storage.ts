import { BlobEndpoint } from "../../lib/local/blobs/blob_endpoint.ts";
import { BlobSpace } from "../../lib/local/blobs/blob_space.ts";
import { BlobStorage } from "../../lib/local/blobs/blob_storage.ts";
import { FaultListeners } from "../../lib/local/fault_listeners.ts";
import { responseOf } from "../../lib/local/hub_answer.ts";

/** What a blob says of itself when its writer says nothing. */
export const NO_ATTRIBUTES = { headers: {}, metadata: {} };

/** A storage of its own, for signatures that a hub does not hand out, and what answers requests for it. */
export class TestStorage {
  readonly space: BlobSpace;
  readonly storage: BlobStorage;
  readonly #endpoint: BlobEndpoint;

  constructor({ now = Date.now, key, limit }: { now?: () => number; key?: string; limit?: number } = {}) {
    this.space = new BlobSpace(limit);
    this.storage = new BlobStorage({ now, clockSkew: 0, ...(key !== undefined && { key }) }, this.space);
    this.#endpoint = new BlobEndpoint(this.storage, now, new FaultListeners());
  }

  /** The address of a container, which is created, with a signature for these rights. */
  address(name: string, rights: string): string {
    this.storage.container(name);
    return `https://h/blob/${name}?${this.storage.sas.sign({ container: name }, rights, 60_000)}`;
  }

  async answer(request: Request): Promise<Response> {
    return responseOf(await this.#endpoint.answer(request));
  }
}
