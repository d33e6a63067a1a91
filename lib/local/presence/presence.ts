import type { Activity } from "../activity/activity.ts";
import type { LocalHubDisconnectReason, LocalHubEventTarget } from "../activity/hub_event.ts";
import type { JsonObject } from "../json.ts";
import { isPresent } from "../records/find_identity.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { type AnyRecord, isEnabled, keyOf } from "../records/identity_records.ts";
import { type DeviceConnection, replaces } from "./device_connection.ts";

const NONE: readonly DeviceConnection[] = [];

/** A connection that ends by itself, and why. */
interface Leaving {
  readonly connection: DeviceConnection;
  readonly reason: LocalHubDisconnectReason;
}

/**
 * Knows which devices are connected, and how. A device may connect before its identity is created, but its connections
 * are active only while the identity exists and is enabled.
 */
export class Presence {
  /** The connections of each identity, active or not, the oldest first. */
  readonly #attached = new Map<string, readonly DeviceConnection[]>();
  readonly #active = new Map<string, readonly DeviceConnection[]>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #now: () => number;
  readonly #store: IdentityStore;
  readonly #activity: Activity;
  #onConnected: (record: AnyRecord) => void = () => {};

  constructor(now: () => number, store: IdentityStore, activity: Activity) {
    this.#now = now;
    this.#store = store;
    this.#activity = activity;
  }

  /** Calls the listener with each identity that is connected now and was not, or the other way round. */
  onConnected(listener: (record: AnyRecord) => void): void {
    this.#onConnected = listener;
  }

  /** Returns the active connections of an identity, the oldest first. */
  active(key: string): readonly DeviceConnection[] {
    return this.#active.get(key) ?? NONE;
  }

  /** Connects a device. The connection takes the place of earlier ones of its family. */
  attach(key: string, connection: DeviceConnection, record: AnyRecord | undefined): void {
    const attached = this.#attachedTo(key);
    if (!attached.includes(connection)) {
      set(this.#attached, key, [...attached.filter((older) => !replaces(connection, older)), connection]);
    }
    if (record !== undefined) this.#refreshOne(record);
  }

  /** Disconnects a device, unless the connection has been replaced already. */
  detach(
    key: string,
    connection: DeviceConnection,
    record: AnyRecord | undefined,
    reason: LocalHubDisconnectReason = "closed",
  ): void {
    const attached = this.#attachedTo(key);
    if (!attached.includes(connection)) return;
    set(this.#attached, key, attached.filter((other) => other !== connection));
    if (record !== undefined) this.#refreshOne(record, { connection, reason });
  }

  /** Must be called after an identity has been created, enabled, disabled or deleted. */
  refresh(record: AnyRecord): void {
    this.#refreshOne(record);
    if (record.kind === "device") { for (const module of record.modules.values()) this.#refreshOne(module); }
  }

  /** Must be called after an identity has been given other credentials. */
  credentialsChanged(record: AnyRecord): void {
    for (const connection of this.active(keyOf(record))) connection.credentialsChanged();
  }

  /** Tells a device of a change of its desired properties, by each of its connections. */
  desiredChanged(record: AnyRecord, patch: JsonObject, version: number): void {
    const change = { ...patch, $version: version };
    for (const connection of this.active(keyOf(record))) {
      if (connection.desiredChanged(change) === false) continue;
      this.#activity.tell(() => ({
        kind: "desiredChange",
        ...targetOf(record),
        protocol: connection.family,
        version,
      }));
    }
  }

  /** Records that the device was active just now. */
  touch(record: AnyRecord): void {
    this.#store.update(record, { lastActivityTime: this.#now() });
  }

  /**
   * Calls a listener whenever the connections of an identity, or what they accept, have changed.
   *
   * @returns A function that removes the listener.
   */
  onChange(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  /** Calls the listeners of an identity. Must be called when a connection begins or ceases to accept direct methods. */
  changed(key: string): void {
    for (const listener of [...this.#listeners.get(key) ?? []]) listener();
  }

  #attachedTo(key: string): readonly DeviceConnection[] {
    return this.#attached.get(key) ?? NONE;
  }

  #refreshOne(record: AnyRecord, leaving?: Leaving): void {
    const key = keyOf(record);
    const before = this.active(key);
    const after = isEnabled(record) && isPresent(this.#store, record) ? this.#attachedTo(key) : NONE;
    const begun = after.filter((connection) => !before.includes(connection));
    const ended = before.filter((connection) => !after.includes(connection));
    if (begun.length === 0 && ended.length === 0) return;
    const now = this.#now();
    const modelId = begun.at(-1)?.modelId;
    this.#store.update(record, {
      connected: after.length > 0,
      connectionStateUpdatedTime: now,
      lastActivityTime: begun.length > 0 ? now : record.lastActivityTime,
      ...(modelId !== undefined && { modelId }),
    });
    set(this.#active, key, after);
    if (before.length === 0 || after.length === 0) this.#onConnected(record);
    for (const connection of ended) {
      const reason = this.#attachedTo(key).includes(connection) ? "identityGone" : "replaced";
      this.#tell(record, connection, "disconnected", connection === leaving?.connection ? leaving.reason : reason);
      connection.deactivated(reason);
    }
    for (const connection of begun) {
      this.#tell(record, connection, "connected");
      connection.activated();
    }
    this.changed(key);
  }

  #tell(
    record: AnyRecord,
    { family }: DeviceConnection,
    change: "connected" | "disconnected",
    reason?: LocalHubDisconnectReason,
  ): void {
    this.#activity.tell(() => ({ kind: "connection", ...targetOf(record), change, protocol: family, reason }));
  }
}

/** Names an identity in an event. */
export function targetOf(record: AnyRecord): LocalHubEventTarget {
  return { deviceId: record.deviceId, moduleId: record.kind === "module" ? record.moduleId : undefined };
}

/** Keeps no key without connections. */
function set(
  map: Map<string, readonly DeviceConnection[]>,
  key: string,
  connections: readonly DeviceConnection[],
): void {
  if (connections.length === 0) map.delete(key);
  else map.set(key, connections);
}
