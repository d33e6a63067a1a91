import type { JobProperties } from "../../../gen/index.ts";
import { cannotUse } from "../../values/checks.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import type { BlobContainer } from "../blobs/blob_container.ts";
import { isBlobAddress, readBlobPath } from "../blobs/blob_endpoint.ts";
import { BLOB_NAME, BLOB_NAME_RULE } from "../blobs/blob_names.ts";
import type { BlobRight } from "../blobs/blob_sas.ts";
import type { BlobStorage } from "../blobs/blob_storage.ts";
import { HubFault } from "../hub_fault.ts";
import { requireObject } from "../identities/identity_rules.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { readChoice } from "./choices.ts";

/** What every job says of itself, if need be what holds unless it is said. */
type DescribedMember =
  | "excludeKeysInExport"
  | "includeConfigurations"
  | "inputBlobName"
  | "outputBlobName"
  | "configurationsBlobName"
  | "storageAuthenticationType";

/** What a job says of itself, the addresses of its containers apart, which are secret. */
export type JobDescription =
  & { readonly [Member in DescribedMember]: NonNullable<JobProperties[Member]> }
  & Pick<JobProperties, "identity">
  & { readonly type: "import" | "export" };

/** A job that can be carried out. */
export interface JobRequest {
  readonly description: JobDescription;
  /** Where an import reads; `undefined` for an export. */
  readonly input: BlobContainer | undefined;
  /** Where an export writes, and an import its log of errors. */
  readonly output: BlobContainer;
}

const TYPES = ["import", "export"] as const;
const STORAGE_AUTHENTICATIONS = ["keyBased", "identityBased"] as const;
const INPUT_RIGHTS: readonly BlobRight[] = ["r"];
const OUTPUT_RIGHTS: readonly BlobRight[] = ["r", "w", "d"];

/**
 * Reads what is asked of a job, and opens its containers.
 *
 * @param body The body of the call.
 * @param storage Where the containers are.
 * @throws {HubFault} `ArgumentInvalid` (400), or `BlobContainerValidationError` (400) when the hub cannot use a container.
 */
export async function readJobRequest(body: unknown, storage: BlobStorage): Promise<JobRequest> {
  const job = requireObject("a job", body);
  const description: JobDescription = {
    type: readChoice("type", job["type"], TYPES),
    inputBlobName: readBlobName(job, "inputBlobName") ?? "devices.txt",
    outputBlobName: readBlobName(job, "outputBlobName") ?? "devices.txt",
    excludeKeysInExport: readSwitch(job, "excludeKeysInExport"),
    includeConfigurations: readSwitch(job, "includeConfigurations"),
    configurationsBlobName: readBlobName(job, "configurationsBlobName") ?? "configurations.txt",
    storageAuthenticationType: readStorageAuthentication(job),
    ...readIdentity(job),
  };
  const open = async (name: string, rights: readonly BlobRight[]): Promise<BlobContainer> => {
    const needsSignature = description.storageAuthenticationType === "keyBased";
    return await openContainer(storage, name, readText(job, name), needsSignature ? rights : []);
  };
  const input = description.type === "import" ? await open("inputBlobContainerUri", INPUT_RIGHTS) : undefined;
  return { description, input, output: await open("outputBlobContainerUri", OUTPUT_RIGHTS) };
}

/** With an identity of its own, the hub may use each of its containers, and needs no signature. */
async function openContainer(
  storage: BlobStorage,
  name: string,
  address: string | undefined,
  rights: readonly BlobRight[],
): Promise<BlobContainer> {
  if (address === undefined) throw unusable(name, "the address of a container");
  const url = URL.canParse(address) && isBlobAddress(new URL(address).href) ? new URL(address) : undefined;
  if (url === undefined) throw unusable(name, "the address of a container of this hub, as hub.blobContainer has it");
  try {
    const { container, blob } = readBlobPath(url.pathname);
    if (blob !== undefined) throw unusable(name, "the address of a container, and of no blob");
    const granted = rights.length > 0 ? await storage.sas.check({ container }, url) : new Set<BlobRight>();
    const lacking = rights.filter((right) => !granted.has(right));
    if (lacking.length > 0) {
      throw unusable(name, `signed with the rights ${rights.join("")}, and lacks ${lacking.join("")}`);
    }
    return storage.requireContainer(container);
  } catch (error) {
    if (!(error instanceof HubFault) || error.code === UNUSABLE) throw error;
    throw new HubFault(UNUSABLE, 400, `Cannot use ${name}: ${error.message}`);
  }
}

const UNUSABLE = "BlobContainerValidationError";

function unusable(name: string, rule: string): HubFault {
  return new HubFault(UNUSABLE, 400, cannotUse(name, rule));
}

function readIdentity(job: JsonObject): Pick<JobProperties, "identity"> {
  const identity = job["identity"] ?? undefined;
  if (identity === undefined) return {};
  if (!isJsonObject(identity)) throw wrongArgumentType("identity", identity, "an object");
  const userAssignedIdentity = readText(identity, "userAssignedIdentity");
  return { identity: userAssignedIdentity === undefined ? {} : { userAssignedIdentity } };
}

function readStorageAuthentication(
  { storageAuthenticationType }: JsonObject,
): JobDescription["storageAuthenticationType"] {
  return readChoice("storageAuthenticationType", storageAuthenticationType ?? "keyBased", STORAGE_AUTHENTICATIONS);
}

function readSwitch(job: JsonObject, name: string): boolean {
  const value = job[name] ?? false;
  if (typeof value === "boolean") return value;
  throw wrongArgument(name, value, "true or false");
}

function readBlobName(job: JsonObject, name: string): string | undefined {
  const value = readText(job, name);
  if (value === undefined || BLOB_NAME.test(value)) return value;
  throw wrongArgument(name, value, BLOB_NAME_RULE);
}

/** Reads a text that may be left out, which is not shown in errors, as it may hold a signature. */
function readText(job: JsonObject, name: string): string | undefined {
  const value = job[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw wrongArgumentType(name, value, "a string");
}
