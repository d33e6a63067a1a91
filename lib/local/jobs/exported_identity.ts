import type { AuthenticationMechanism, ExportImportDevice } from "../../../gen/index.ts";
import { scopesOf } from "../identities/identity_documents.ts";
import { type AnyRecord, type Authentication, deviceOf, identityEtag, twinEtag } from "../records/identity_records.ts";
import { sectionDocument } from "../twins/twin_documents.ts";

/**
 * Returns an identity with its twin, as a line of an export has it.
 *
 * @param record The device or module.
 * @param withKeys Whether the line holds the keys.
 */
export function exportedIdentity(record: AnyRecord, withKeys: boolean): ExportImportDevice {
  const { twin, authentication } = record;
  const { status, statusReason } = deviceOf(record);
  return {
    id: record.deviceId,
    ...(record.kind === "module" && { moduleId: record.moduleId }),
    eTag: identityEtag(record),
    // An import wants a status in every line, although a module has none of its own.
    status,
    ...(record.kind === "device" && statusReason !== null && { statusReason }),
    authentication: withKeys ? authentication : withoutKeys(authentication),
    twinETag: twinEtag(twin),
    ...(Object.keys(twin.tags).length > 0 && { tags: twin.tags }),
    properties: { desired: sectionDocument(twin.desired), reported: sectionDocument(twin.reported) },
    ...(record.kind === "device" && { capabilities: { iotEdge: record.ownScope !== undefined }, ...scopesOf(record) }),
  };
}

function withoutKeys(authentication: Authentication): AuthenticationMechanism {
  return { ...authentication, symmetricKey: { primaryKey: null, secondaryKey: null } };
}
