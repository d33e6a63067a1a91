import { quote, wrongType } from "../../values/checks.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { HubFault, preconditionFailed } from "../hub_fault.ts";
import { NEVER, utcTime } from "../hub_time.ts";
import { type AnyRecord, twinEtag, type TwinRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import type { IfMatch } from "../records/if_match.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import type { Presence } from "../presence/presence.ts";
import { checkSectionContent, checkSectionSize } from "./twin_limits.ts";
import {
  type ConfigurationStamp,
  mergeSection,
  mergeTags,
  newSection,
  replaceSection,
  type Stamp,
} from "../records/twin_section.ts";
import { mergePatch } from "./merge_patch.ts";

/**
 * The members of a twin, and of the identity that it mirrors, which no write of a twin changes. They are accepted and
 * ignored, so that a twin can be sent back as read, together with what is known of its device.
 */
export const READ_ONLY_MEMBERS: readonly string[] = [
  "deviceId",
  "moduleId",
  "generationId",
  "etag",
  "deviceEtag",
  "version",
  "status",
  "statusReason",
  "statusUpdateTime",
  "statusUpdatedTime",
  "connectionState",
  "connectionStateUpdatedTime",
  "lastActivityTime",
  "cloudToDeviceMessageCount",
  "authentication",
  "authenticationType",
  "x509Thumbprint",
  "modelId",
  "managedBy",
  "configurations",
  "capabilities",
  "deviceScope",
  "parentScopes",
];

/** The sections that a write of the service contains. */
interface ServiceWrite {
  tags: JsonObject | undefined;
  desired: JsonObject | undefined;
}

/** What the twin of a new identity starts with. */
export interface FirstContent {
  readonly tags: JsonObject;
  /** `undefined` when the section was left out. */
  readonly desired: JsonObject | undefined;
}

/** What a write has changed in a twin. */
export interface TwinChange {
  /** The identity, with its twin as it is now. */
  readonly record: AnyRecord;
  /** Whether parts of the twin were merged, or the whole replaced. */
  readonly opType: "updateTwin" | "replaceTwin";
  /** What was merged into each section; left out where nothing was. */
  readonly tags?: JsonObject | undefined;
  readonly desired?: JsonObject | undefined;
  readonly reported?: JsonObject | undefined;
}

/**
 * Writes twins: checks the rules, moves the versions, and tells the device. A write happens as a whole or not at all.
 */
export class TwinWrites {
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #presence: Presence;
  #onChange: (change: TwinChange) => void = () => {};

  constructor(now: () => number, store: IdentityStore, presence: Presence) {
    this.#now = now;
    this.#store = store;
    this.#presence = presence;
  }

  /** Calls the listener after each change of a twin, in place of an earlier one. */
  onChange(listener: (change: TwinChange) => void): void {
    this.#onChange = listener;
  }

  /**
   * Merges `tags` and `properties.desired`. A section that is left out or empty stays as it is.
   *
   * @throws {HubFault} `PreconditionFailed` (412) when the etag differs, or 400 when the body breaks a rule.
   */
  patch(record: AnyRecord, body: unknown, ifMatch: IfMatch): void {
    const { tags, desired } = readServiceWrite(body);
    checkIfMatch(record, ifMatch);
    const { twin } = record;
    const next = { tags: twin.tags, desired: twin.desired };
    if (isWritten(tags)) next.tags = mergeTags(twin.tags, tags);
    if (isWritten(desired)) next.desired = mergeSection(twin.desired, desired, this.#desiredStamp(twin));
    if (next.tags === twin.tags && next.desired === twin.desired) return;
    this.#commit(record, next, desired);
    this.#onChange({
      record,
      opType: "updateTwin",
      tags: next.tags === twin.tags ? undefined : tags,
      desired: next.desired === twin.desired ? undefined : desired,
    });
  }

  /**
   * Replaces `tags` and `properties.desired` as a whole. A section that is left out becomes empty.
   *
   * @throws {HubFault} `PreconditionFailed` (412) when the etag differs, or 400 when the body breaks a rule.
   */
  replace(record: AnyRecord, body: unknown, ifMatch: IfMatch): void {
    const { tags = {}, desired = {} } = readServiceWrite(body);
    checkIfMatch(record, ifMatch);
    const next = {
      tags: mergeTags({}, tags),
      desired: replaceSection(record.twin.desired, desired, this.#desiredStamp(record.twin)),
    };
    this.#commit(record, next, next.desired.values);
    this.#onChange({ record, opType: "replaceTwin" });
  }

  /**
   * Gives a twin the desired properties that configurations have for it. Where it has them already, nothing changes.
   *
   * @param by The configuration that writes; `undefined` for content without a name.
   * @throws {HubFault} `ArgumentInvalid` (400) when they are too large together.
   */
  configure(record: AnyRecord, desired: JsonObject, by: ConfigurationStamp | undefined): void {
    const { twin } = record;
    const patch = mergePatch(twin.desired.values, desired);
    if (!isWritten(patch)) return;
    const stamp = { ...this.#desiredStamp(twin), ...by };
    this.#commit(record, { tags: twin.tags, desired: mergeSection(twin.desired, patch, stamp) }, patch);
    this.#onChange({ record, opType: "updateTwin", desired: patch });
  }

  /**
   * Gives the twin of an identity that was created in bulk its first content. This does not move its versions, but is
   * stamped as the first: in the twin of a module in both sections, in that of a device where there is content.
   */
  fill(record: AnyRecord, { tags, desired }: FirstContent): void {
    const { twin } = record;
    const isModule = record.kind === "module";
    const stamp: Stamp = { $lastUpdated: isModule ? utcTime(this.#now()) : NEVER, $lastUpdatedVersion: 1 };
    const isDesiredStamped = isModule || desired !== undefined;
    this.#store.update(record, {
      twin: {
        ...twin,
        tags,
        desired: isDesiredStamped ? newSection(desired ?? {}, stamp) : twin.desired,
        reported: isModule ? newSection({}, stamp) : twin.reported,
      },
    });
  }

  /**
   * Merges what a device reports.
   *
   * @param ifVersion The `$version` that the reported section has to have; `undefined` for any.
   * @returns The new `$version` of the reported section.
   * @throws {HubFault} `ArgumentInvalid` (400) when the patch breaks a rule, or `PreconditionFailed` (412).
   */
  report(record: AnyRecord, patch: unknown, ifVersion?: number): number {
    const content = readSection("reported", patch);
    if (content === undefined) throw wrongArgumentType("the reported properties", patch, "an object");
    const { version } = record.twin.reported;
    if (ifVersion !== undefined && ifVersion !== version) {
      throw preconditionFailed(
        `The reported properties have the version ${version}, not ${ifVersion}: read them again`,
      );
    }
    const reported = mergeSection(record.twin.reported, content, { $lastUpdated: utcTime(this.#now()) });
    checkSectionSize("reported", reported.values);
    this.#store.together(() => {
      this.#store.update(record, { twin: { ...record.twin, reported } });
      this.#presence.touch(record);
      this.#onChange({ record, opType: "updateTwin", reported: content });
    });
    return reported.version;
  }

  #commit(record: AnyRecord, next: Pick<TwinRecord, "tags" | "desired">, sent: JsonObject | undefined): void {
    checkSectionSize("tags", next.tags);
    checkSectionSize("desired", next.desired.values);
    const { twin } = record;
    const desiredMoved = next.desired !== twin.desired;
    this.#store.update(record, { twin: { ...twin, ...next, etagCounter: twin.etagCounter + 1 } });
    if (!desiredMoved) return;
    this.#presence.desiredChanged(record, sent ?? {}, next.desired.version);
  }

  #desiredStamp(twin: TwinRecord): Stamp {
    return { $lastUpdated: utcTime(this.#now()), $lastUpdatedVersion: twin.desired.version + 1 };
  }
}

/**
 * Reads the first content of a twin, which a bulk call may give with a new identity.
 *
 * @throws {HubFault} 400 when the body breaks a rule.
 */
export function readFirstContent(body: JsonObject): FirstContent {
  const { tags = {}, desired } = readServiceWrite(body);
  const content = { tags: mergeTags({}, tags), desired };
  checkSectionSize("tags", content.tags);
  if (desired !== undefined) checkSectionSize("desired", mergeTags({}, desired));
  return content;
}

/**
 * Checks what a merge patch says, without a twin to merge it into, as for a job.
 *
 * @throws {HubFault} 400 when it breaks a rule.
 */
export function checkTwinPatch(body: unknown): void {
  readServiceWrite(body);
}

/**
 * Checks the `If-Match` of a write, or the `twinETag` of a bulk call, against the etag of the twin.
 *
 * @throws {HubFault} `PreconditionFailed` (412) when they differ.
 */
export function checkIfMatch(record: AnyRecord, ifMatch: IfMatch): void {
  if (ifMatch === undefined || ifMatch === "*" || ifMatch === twinEtag(record.twin)) return;
  throw preconditionFailed(`ETag mismatch for device ID '${record.deviceId}'`);
}

function readServiceWrite(body: unknown): ServiceWrite {
  if (!isJsonObject(body)) throw badRequest(wrongType("the body", "a twin as an object", body).message);
  for (const name of Object.keys(body)) {
    if (name === "tags" || name === "properties" || READ_ONLY_MEMBERS.includes(name)) continue;
    throw badRequest(`A twin has no member ${quote(name)}`);
  }
  const properties = body["properties"] ?? {};
  if (!isJsonObject(properties)) throw wrongArgumentType("properties", properties, "an object");
  for (const name of Object.keys(properties)) {
    if (name === "desired" || name === "reported") continue;
    throw badRequest(`The properties of a twin have no member ${quote(name)}`);
  }
  return { tags: readSection("tags", body["tags"]), desired: readSection("desired", properties["desired"]) };
}

function badRequest(message: string): HubFault {
  return new HubFault("GenericBadRequest", 400, message);
}

function readSection(name: string, value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw wrongArgument(name, value, "an object");
  // The hub adds these members itself. A caller may send them back, which has no effect.
  const { $metadata: _metadata, $version: _version, ...content } = value;
  checkSectionContent(name, content);
  return content;
}

function isWritten(section: JsonObject | undefined): section is JsonObject {
  return section !== undefined && Object.keys(section).length > 0;
}
