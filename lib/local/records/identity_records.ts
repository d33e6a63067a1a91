import type { JsonObject } from "../json.ts";
import type { TwinSection } from "./twin_section.ts";

/** The two states of a device identity. */
export type DeviceStatus = "enabled" | "disabled";

/** How a device or module authenticates. */
export type AuthenticationType = "sas" | "selfSigned" | "certificateAuthority" | "none";

/** The authentication block of an identity, in the order in which the hub writes it. */
export interface Authentication {
  readonly symmetricKey: { readonly primaryKey: string | null; readonly secondaryKey: string | null };
  readonly x509Thumbprint: { readonly primaryThumbprint: string | null; readonly secondaryThumbprint: string | null };
  readonly type: AuthenticationType;
}

/** How far a configuration has come with a twin: it is meant for it, or it has given it its properties. */
export type ConfigurationState = { readonly status: "Targeted" | "Applied" };

/** The configurations that are meant for a twin, by their ids. */
export type ConfigurationStates = Readonly<Record<string, ConfigurationState>>;

/** The part of a twin that is not taken from its identity. */
export interface TwinRecord {
  readonly tags: JsonObject;
  readonly desired: TwinSection;
  readonly reported: TwinSection;
  /** Grows with each write of the service, but not with those of the device. */
  readonly etagCounter: number;
  readonly configurations: ConfigurationStates;
}

/** What devices and modules have in common. Times are in milliseconds since the epoch; 0 means "never". */
export interface IdentityRecord {
  readonly deviceId: string;
  readonly generationId: string;
  /** The position in the order of creation, among all devices or among all modules of the hub. */
  readonly sequence: number;
  readonly twin: TwinRecord;
  readonly etagCounter: number;
  readonly authentication: Authentication;
  /** The model that the device has announced; empty for none. */
  readonly modelId: string;
  readonly connected: boolean;
  readonly connectionStateUpdatedTime: number;
  readonly lastActivityTime: number;
}

/** A device in the registry. */
export interface DeviceRecord extends IdentityRecord {
  readonly kind: "device";
  readonly modules: ReadonlyMap<string, ModuleRecord>;
  /** The devices that have this one as their gateway. */
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

/** A device or a module: anything that has a twin, messages and direct methods. */
export type AnyRecord = DeviceRecord | ModuleRecord;

/** Returns the device itself, or the device that a module belongs to. */
export function deviceOf(record: AnyRecord): DeviceRecord {
  return record.kind === "device" ? record : record.device;
}

/** Whether a device is enabled, or for a module, whether its device is. */
export function isEnabled(record: AnyRecord): boolean {
  return deviceOf(record).status === "enabled";
}

/** Returns a text that names one device or module. It is unique because ids contain no slash. */
export function identityKey(deviceId: string, moduleId: string | undefined): string {
  return moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
}

/** Returns the {@linkcode identityKey} of a record. */
export function keyOf(record: AnyRecord): string {
  return identityKey(record.deviceId, record.kind === "module" ? record.moduleId : undefined);
}

/** Returns the etag of an identity: its counter in decimal, as base64. */
export function identityEtag(record: AnyRecord): string {
  return btoa(String(record.etagCounter));
}

/** Returns the etag of a twin: its counter as eight big-endian bytes, as base64. */
export function twinEtag(twin: TwinRecord): string {
  let bytes = "";
  for (let rest = twin.etagCounter, i = 0; i < 8; i++) {
    bytes = String.fromCharCode(rest % 256) + bytes;
    rest = Math.floor(rest / 256);
  }
  return btoa(bytes);
}
