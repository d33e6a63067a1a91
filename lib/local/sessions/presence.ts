import type { IdentityStore } from "../records/identity_store.ts";
import { type AnyRecord, isEnabled, keyOf } from "../records/identity_records.ts";
import type { JsonObject, JsonValue } from "../json.ts";

/** What a device answers to a direct method. */
export interface MethodAnswer {
  status: number;
  payload: JsonValue;
}

/** The device's end of a connection, whatever carries it. */
export interface DeviceConnection {
  /** Whether it has asked for direct methods. */
  readonly takesMethods: boolean;
  /** Calls a direct method on the device. */
  invokeMethod(methodName: string, payload: JsonValue): Promise<MethodAnswer>;
  /** Tells the device what the service has changed: the patch as sent, with `$version`. */
  desiredChanged(patch: JsonObject): void;
  /** Tells the device that a message waits in its queue. */
  messageQueued(): void;
  /** The hub takes the connection for live from now on. */
  activated(): void;
  /** The hub has dropped the connection: the identity is gone or disabled, or the device has left. */
  deactivated(): void;
}

/**
 * Who is connected. A device may be there before its identity is: it counts as connected only while the identity
 * exists and is enabled.
 */
export class Presence {
  readonly #connections = new Map<string, DeviceConnection>();
  readonly #active = new Map<string, DeviceConnection>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #now: () => number;
  readonly #store: IdentityStore;

  constructor(now: () => number, store: IdentityStore) {
    this.#now = now;
    this.#store = store;
  }

  /** The live connection of an identity. */
  active(key: string): DeviceConnection | undefined {
    return this.#active.get(key);
  }

  /** Whether this connection is the one that an identity has, live or not. */
  isAttached(key: string, connection: DeviceConnection): boolean {
    return this.#connections.get(key) === connection;
  }

  /** A device dials in. */
  attach(key: string, connection: DeviceConnection, record: AnyRecord | undefined): void {
    this.#connections.set(key, connection);
    if (record !== undefined) this.refresh(record);
  }

  /** A device hangs up. */
  detach(key: string, record: AnyRecord | undefined): void {
    this.#connections.delete(key);
    if (record !== undefined) this.refresh(record);
  }

  /** To be called when an identity has been created, enabled or disabled. */
  refresh(record: AnyRecord): void {
    this.#refreshOne(record);
    if (record.kind === "device") { for (const module of record.modules.values()) this.#refreshOne(module); }
  }

  /** To be called when an identity has been deleted. */
  removed(record: AnyRecord): void {
    const key = keyOf(record);
    this.#setActive(key, this.#active.get(key), undefined);
  }

  /** The device has done something. */
  touch(record: AnyRecord): void {
    this.#store.update(record, { lastActivityTime: this.#now() });
  }

  /** Calls a listener on each change of a connection or of what it takes. Returns the way to stop it. */
  onChange(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  /** To be called when a connection takes something that it did not take before. */
  changed(key: string): void {
    for (const listener of [...this.#listeners.get(key) ?? []]) listener();
  }

  #refreshOne(record: AnyRecord): void {
    const key = keyOf(record);
    const connection = isEnabled(record) ? this.#connections.get(key) : undefined;
    const before = this.#active.get(key);
    if (connection === before) return;
    this.#store.update(record, {
      connected: connection !== undefined,
      connectionStateUpdatedTime: this.#now(),
      lastActivityTime: connection === undefined ? record.lastActivityTime : this.#now(),
    });
    this.#setActive(key, before, connection);
  }

  #setActive(key: string, before: DeviceConnection | undefined, after: DeviceConnection | undefined): void {
    if (before === after) return;
    if (after === undefined) this.#active.delete(key);
    else this.#active.set(key, after);
    before?.deactivated();
    after?.activated();
    this.changed(key);
  }
}
