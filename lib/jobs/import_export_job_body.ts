import type { ImportExportJobRequest, JobProperties } from "../../gen/types.gen.ts";
import { checkChoice, checkText, checkType } from "../values/checks.ts";
import { withoutNulls } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** Members of a job that only the hub writes. */
const READ_ONLY = ["jobId", "startTimeUtc", "endTimeUtc", "status", "progress", "failureReason"];

const URIS = ["inputBlobContainerUri", "outputBlobContainerUri"] as const;
const NAMES = ["inputBlobName", "outputBlobName", "configurationsBlobName"] as const;
const SWITCHES = ["excludeKeysInExport", "includeConfigurations"] as const;

/**
 * Returns the body of a request for an import or export, without what only the hub writes. Throws unless it is legal. No error
 * shows a URI, since its query is a secret.
 */
export function importExportJobBody(jobProperties: ImportExportJobRequest | JobProperties): ImportExportJobRequest {
  checkMembers("jobProperties", jobProperties, [
    "type",
    "storageAuthenticationType",
    "identity",
    ...URIS,
    ...NAMES,
    ...SWITCHES,
    ...READ_ONLY,
  ]);
  const body = withoutNulls(jobProperties) as ImportExportJobRequest & Record<string, unknown>;
  for (const member of READ_ONLY) delete body[member];
  const { type, identity, storageAuthenticationType } = body;
  checkChoice("jobProperties.type", type, ["export", "import"]);
  // An export has no input. Hubs return an empty URI.
  if (type === "export" && body.inputBlobContainerUri === "") delete body.inputBlobContainerUri;
  for (const uri of URIS) {
    if (type === "export" && body[uri] === undefined && uri === "inputBlobContainerUri") continue;
    checkText(`jobProperties.${uri}`, body[uri], /^https?:\/\/[^\s"\\]+$/, "the URL of a blob container");
  }
  for (const name of NAMES) {
    if (body[name] !== undefined) checkText(`jobProperties.${name}`, body[name], /./s, "a non-empty string");
  }
  for (const name of SWITCHES) {
    if (body[name] !== undefined) checkType(`jobProperties.${name}`, body[name], "boolean");
  }
  if (storageAuthenticationType !== undefined) {
    const types = ["keyBased", "identityBased"];
    checkChoice("jobProperties.storageAuthenticationType", storageAuthenticationType, types);
  }
  if (identity !== undefined) {
    checkMembers("jobProperties.identity", identity, ["userAssignedIdentity"]);
    checkType("jobProperties.identity.userAssignedIdentity", identity.userAssignedIdentity, "string");
  }
  return body;
}
