import type { JsonObject } from "../json.ts";
import type { TwinSection } from "./twin_section.ts";

/** The two states of a device identity. */
export type DeviceStatus = "enabled" | "disabled";

/** How an identity proves who it is. */
export type AuthenticationType = "sas" | "selfSigned" | "certificateAuthority" | "none";

/** The authentication block of an identity, in the order in which the hub writes it. */
export interface Authentication {
  readonly symmetricKey: { readonly primaryKey: string | null; readonly secondaryKey: string | null };
  readonly x509Thumbprint: { readonly primaryThumbprint: string | null; readonly secondaryThumbprint: string | null };
  readonly type: AuthenticationType;
}

/** What the twin of an identity holds of its own. */
export interface TwinRecord {
  readonly tags: JsonObject;
  readonly desired: TwinSection;
  readonly reported: TwinSection;
  /** Moves with each write of the service, not with those of the device. */
  readonly etagCounter: number;
}

/** What a device and a module have in common. Times are in milliseconds since the epoch, 0 is "never". */
export interface IdentityRecord {
  readonly deviceId: string;
  readonly generationId: string;
  /** The place in the order of creation, over all identities of its kind. */
  readonly sequence: number;
  readonly twin: TwinRecord;
  readonly etagCounter: number;
  readonly authentication: Authentication;
  readonly connected: boolean;
  readonly connectionStateUpdatedTime: number;
  readonly lastActivityTime: number;
}

/** A device in the registry. */
export interface DeviceRecord extends IdentityRecord {
  readonly kind: "device";
  readonly modules: ReadonlyMap<string, ModuleRecord>;
  /** The devices whose gateway this one is. */
  readonly children: ReadonlySet<DeviceRecord>;
  readonly parent: DeviceRecord | undefined;
  /** The scope that an edge device offers; `undefined` for any other device. */
  readonly ownScope: string | undefined;
  readonly status: DeviceStatus;
  readonly statusReason: string | null;
  readonly statusUpdatedTime: number;
}

/** A module of a device. */
export interface ModuleRecord extends IdentityRecord {
  readonly kind: "module";
  readonly moduleId: string;
  readonly device: DeviceRecord;
  readonly managedBy: string | null;
}

/** A device or a module: whatever has a twin, messages and methods. */
export type AnyRecord = DeviceRecord | ModuleRecord;

/** The device that a record is, or belongs to. */
export function deviceOf(record: AnyRecord): DeviceRecord {
  return record.kind === "device" ? record : record.device;
}

/** Whether a device is enabled; for a module, whether its device is. */
export function isEnabled(record: AnyRecord): boolean {
  return deviceOf(record).status === "enabled";
}

/** One text for a device or a module; ids hold no slash. */
export function identityKey(deviceId: string, moduleId: string | undefined): string {
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}

/** {@linkcode identityKey} of a record. */
export function keyOf(record: AnyRecord): string {
  return identityKey(record.deviceId, record.kind === "module" ? record.moduleId : undefined);
}

/** The etag of an identity: a decimal counter in base64. */
export function identityEtag(record: AnyRecord): string {
  return btoa(String(record.etagCounter));
}

/** The etag of a twin: a counter of eight bytes, the highest first, in base64. */
export function twinEtag(twin: TwinRecord): string {
  let bytes = "";
  for (let rest = twin.etagCounter, i = 0; i < 8; i++) {
    bytes = String.fromCharCode(rest % 256) + bytes;
    rest = Math.floor(rest / 256);
  }
  return btoa(bytes);
}
