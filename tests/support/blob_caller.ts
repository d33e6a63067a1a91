import assert from "node:assert/strict";

/** What a request for a whole blob has to say. */
export const BLOCK_BLOB = { "x-ms-blob-type": "BlockBlob" };

/** Makes requests for the blobs of a container by hand, with the signature in its address. */
export class BlobCaller {
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #address: string;
  readonly #sas: string;

  constructor(fetch: (request: Request) => Promise<Response>, url: string) {
    this.#fetch = fetch;
    [this.#address = "", this.#sas = ""] = url.split("?");
  }

  /** `path` begins with a slash and the name of the blob, or with the query of a request for the container. */
  call(method: string, path: string, init: RequestInit & { duplex?: "half" } = {}): Promise<Response> {
    const url = `${this.#address}${path}${path.includes("?") ? "&" : "?"}${this.#sas}`;
    return this.#fetch(new Request(url, { method, ...init }));
  }

  /** A call that has to fail like this. */
  async fails(expected: [number, string], ...call: Parameters<BlobCaller["call"]>): Promise<Response> {
    const response = await this.call(...call);
    assert.deepEqual([response.status, response.headers.get("x-ms-error-code")], expected, call.slice(0, 2).join(" "));
    return response;
  }
}
