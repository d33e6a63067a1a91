import { cannotUse } from "../../values/checks.ts";
import { type FaultListeners, newTrackingId } from "../fault_listeners.ts";
import { HubFault, notInThisVersion } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import { type BlobAnswer, lacksRight, OPERATIONS } from "./blob_operations.ts";
import { BLOB_NAME, BLOB_NAME_RULE, UPLOADS_CONTAINER } from "./blob_names.ts";
import { ACCOUNT, type BlobResource, STORAGE_VERSION } from "./blob_sas.ts";
import type { BlobStorage } from "./blob_storage.ts";
import { element, xmlDocument } from "./xml.ts";
import type { HubAnswer } from "../hub_answer.ts";
import type { HubRequest } from "../hub_request.ts";

const METHODS: readonly string[] = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"];

const ADDRESS = new RegExp(`^[a-z]+://[^/]+/(?:${ACCOUNT}|${UPLOADS_CONTAINER})/`);

/**
 * Whether an address is one of blobs: with a path of `/blob/<container>` or `/blob/<container>/<blob>`, or of
 * `/device-uploads/<blob>`, as devices put it together.
 */
export function isBlobAddress(url: string): boolean {
  return ADDRESS.test(url);
}

/** Serves blobs over HTTP as Azure Storage does, to whoever has a shared access signature. */
export class BlobEndpoint {
  readonly #storage: BlobStorage;
  readonly #now: () => number;
  readonly #faults: FaultListeners;

  constructor(storage: BlobStorage, now: () => number, faults: FaultListeners) {
    this.#storage = storage;
    this.#now = now;
    this.#faults = faults;
  }

  /** Answers one request. */
  async answer(request: HubRequest): Promise<HubAnswer> {
    try {
      return this.#complete(request, await this.#run(request));
    } catch (error) {
      // The caller has gone, and learns it as from any fetch.
      if (!(error instanceof HubFault) && request.signal.aborted) throw error;
      if (error instanceof HubFault) return this.#complete(request, faultAnswer(error, request.method));
      const trackingId = this.#faults.report(error);
      const fault = new HubFault(
        "InternalError",
        500,
        "The hub failed for an internal reason, which hub.onFault tells",
      );
      return this.#complete(request, faultAnswer(fault, request.method), trackingId);
    }
  }

  async #run(request: HubRequest): Promise<BlobAnswer> {
    const url = new URL(request.url);
    const { container, blob } = readBlobPath(url.pathname);
    const rights = await this.#storage.sas.check({ container, blob }, url);
    const { method } = request;
    const { searchParams: query } = url;
    if (query.has("versionid")) throw notInThisVersion("A version of a blob");
    const operation = OPERATIONS.get(
      [method, blob === undefined ? query.get("restype") : "blob", query.get("comp")]
        .filter((part) => part !== null).join(" "),
    );
    if (operation === undefined) {
      if (!METHODS.includes(method)) throw new HubFault("UnsupportedHttpVerb", 405, `Blobs know no method ${method}`);
      throw notInThisVersion("This operation");
    }
    const mayCreateOnly = operation.right === "w" && !rights.has("w") && rights.has("c");
    if (!rights.has(operation.right) && !mayCreateOnly) throw lacksRight(operation.right);
    return await operation.run({
      container: this.#storage.requireContainer(container),
      blob: blob ?? "",
      query,
      request,
      mayCreateOnly,
    });
  }

  #complete(request: HubRequest, answer: BlobAnswer, requestId: string = newTrackingId()): HubAnswer {
    const clientRequestId = request.headers.get("x-ms-client-request-id");
    const headers = {
      ...(answer.body === undefined && answer.status !== 304 && { "content-length": "0" }),
      "x-ms-request-id": requestId,
      "x-ms-version": request.headers.get("x-ms-version") ?? STORAGE_VERSION,
      ...(clientRequestId !== null && { "x-ms-client-request-id": clientRequestId }),
      "date": new Date(readClock(this.#now)).toUTCString(),
      ...answer.headers,
    };
    return { status: answer.status, headers, body: answer.body ?? null };
  }
}

/**
 * Reads which container and which blob an address names. A name is decoded once.
 *
 * @throws {HubFault} 400 `InvalidUri`, or `InvalidResourceName` for a name that no blob can have.
 */
export function readBlobPath(pathname: string): BlobResource {
  const segments = pathname.split("/").slice(1);
  if (segments[0] === ACCOUNT) segments.shift();
  const [container = "", ...rest] = segments.map(decode);
  const blob = rest.join("/");
  if (blob === "") return { container };
  if (BLOB_NAME.test(blob)) return { container, blob };
  throw new HubFault("InvalidResourceName", 400, cannotUse("the name of the blob", BLOB_NAME_RULE));
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HubFault("InvalidUri", 400, "Cannot use the address: it must be percent-encoded UTF-8");
  }
}

function faultAnswer(fault: HubFault, method: string): BlobAnswer {
  const headers = { "x-ms-error-code": fault.code };
  if (method === "HEAD" || fault.status === 304) return { status: fault.status, headers };
  const body = xmlDocument(element("Error", [element("Code", fault.code), element("Message", fault.message)]));
  return { status: fault.status, headers: { ...headers, "content-type": "application/xml" }, body };
}
