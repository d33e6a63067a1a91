import { checkText, wrongType } from "../../values/checks.ts";
import { joinBytes } from "../../values/join_bytes.ts";
import type { BlobContainer } from "./blob_container.ts";
import { contentOf } from "./blob_content.ts";
import { attributesOf } from "./blob_headers.ts";
import { BLOB_NAME, BLOB_NAME_RULE, CONTAINER_NAME, CONTAINER_NAME_RULE } from "./blob_names.ts";
import { ACCOUNT } from "./blob_sas.ts";
import type { BlobStorage } from "./blob_storage.ts";

const ALL_RIGHTS = "racwdl";
const HOUR_IN_MS = 3_600_000;

/**
 * A container of the local hub's blob storage, for jobs to read and write, and for tests to look into. Get one from
 * {@linkcode LocalHub.blobContainer}. Nothing here takes a request.
 */
export class LocalBlobContainer {
  /** The name of the container. */
  readonly name: string;
  readonly #storage: BlobStorage;
  readonly #origin: () => string;

  /** Use {@linkcode LocalHub.blobContainer} instead. */
  constructor(storage: BlobStorage, name: string, origin: () => string) {
    checkText("name", name, CONTAINER_NAME, CONTAINER_NAME_RULE);
    this.name = name;
    this.#storage = storage;
    this.#origin = origin;
    storage.container(name);
  }

  /**
   * The container's address with a new shared access signature, which is good for everything in the container, for an
   * hour of the hub's clock. Hand it to a job, or to a client of Azure Storage. It is a secret.
   *
   * It names the port for HTTPS, or else that for HTTP, if the hub listens at one, and the hub's host name otherwise. The
   * signature is good at each of them.
   */
  get url(): string {
    const sas = this.#storage.sas.sign({ container: this.name }, ALL_RIGHTS, HOUR_IN_MS);
    return `${this.#origin()}/${ACCOUNT}/${this.name}?${sas}`;
  }

  /**
   * Reads a blob.
   *
   * @param blob The name of the blob, such as `"devices.txt"`.
   * @returns A copy of what it holds.
   * @throws {TypeError} When the name is not a string.
   * @throws {RangeError} When no blob can have this name.
   * @throws {HubFault} `BlobNotFound` when there is no such blob.
   *
   * @example Read the lines of a blob
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const container = hub.blobContainer("fleet");
   * container.write("devices.txt", '{"id":"a"}\n{"id":"b"}\n');
   * const lines = new TextDecoder().decode(container.read("devices.txt")).trim().split("\n");
   * assert.deepEqual(lines.map((line) => JSON.parse(line).id), ["a", "b"]);
   * ```
   */
  read(blob: string): Uint8Array<ArrayBuffer> {
    checkBlobName(blob);
    return joinBytes(this.#container.require(blob).content.pieces);
  }

  /**
   * Writes a blob, in place of one that has this name already.
   *
   * @param blob The name of the blob, such as `"devices.txt"`.
   * @param data What it holds: bytes, or a text, which becomes UTF-8.
   * @throws {TypeError} When an argument has the wrong type.
   * @throws {RangeError} When no blob can have this name.
   * @throws {HubFault} `InsufficientStorage` when all blobs of the hub together would hold too much.
   *
   * @example Write a text and bytes
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const container = hub.blobContainer("fleet");
   * container.write("devices.txt", '{"id":"thermostat","status":"enabled"}\n');
   * container.write("logo.png", new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
   * assert.equal(container.read("logo.png").length, 4);
   * ```
   */
  write(blob: string, data: string | Uint8Array): void {
    checkBlobName(blob);
    const isText = typeof data === "string";
    if (!isText && !(data instanceof Uint8Array)) throw wrongType("data", "a string or a Uint8Array", data);
    const content = contentOf(isText ? new TextEncoder().encode(data) : data);
    this.#container.write(
      blob,
      content,
      attributesOf(isText ? "text/plain; charset=utf-8" : "application/octet-stream"),
    );
  }

  /**
   * Lists the blobs.
   *
   * @returns Their names, in order.
   *
   * @example See what is there
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * const container = hub.blobContainer("fleet");
   * container.write("logs/monday.txt", "cold");
   * container.write("devices.txt", "");
   * assert.deepEqual(container.list(), ["devices.txt", "logs/monday.txt"]);
   * ```
   */
  list(): string[] {
    return this.#container.blobs.map(({ name }) => name);
  }

  /** It is looked up each time, as the hub may have been put where it was not there. */
  get #container(): BlobContainer {
    return this.#storage.container(this.name);
  }
}

function checkBlobName(blob: string): void {
  checkText("blob", blob, BLOB_NAME, BLOB_NAME_RULE);
}
