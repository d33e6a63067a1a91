import type { IdentityStore } from "../records/identity_store.ts";
import { type AnyRecord, isEnabled, keyOf } from "../records/identity_records.ts";
import type { JsonObject, JsonValue } from "../json.ts";

/** The answer of a device to a direct method. */
export interface MethodAnswer {
  status: number;
  payload: JsonValue;
}

/** The connection of a device, over whatever protocol. */
export interface DeviceConnection {
  /** The model that the device announces with the connection; left out, that which it has announced before stays. */
  readonly modelId?: string | undefined;
  /** Whether the device accepts direct methods. */
  readonly takesMethods: boolean;
  /** Calls a direct method on the device. */
  invokeMethod(methodName: string, payload: JsonValue): Promise<MethodAnswer>;
  /** Tells the device that the service has changed desired properties: the patch as sent, with the new `$version`. */
  desiredChanged(patch: JsonObject): void;
  /** Tells the device that a message is waiting in its queue. */
  messageQueued(): void;
  /** Tells the connection that it is now the active one of its identity. */
  activated(): void;
  /**
   * Tells the connection that it is no longer active: another one took over, or the identity is disabled or deleted.
   */
  deactivated(): void;
}

/**
 * Knows which devices are connected. A device may connect before its identity is created, but its connection is active
 * only while the identity exists and is enabled.
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

  /** Returns the active connection of an identity. */
  active(key: string): DeviceConnection | undefined {
    return this.#active.get(key);
  }

  /** Whether an identity has this connection, active or not. */
  isAttached(key: string, connection: DeviceConnection): boolean {
    return this.#connections.get(key) === connection;
  }

  /** Connects a device. The connection takes the place of any earlier one. */
  attach(key: string, connection: DeviceConnection, record: AnyRecord | undefined): void {
    this.#connections.set(key, connection);
    if (record !== undefined) this.refresh(record);
  }

  /** Disconnects a device. */
  detach(key: string, record: AnyRecord | undefined): void {
    this.#connections.delete(key);
    if (record !== undefined) this.refresh(record);
  }

  /** Must be called after an identity has been created, enabled or disabled. */
  refresh(record: AnyRecord): void {
    this.#refreshOne(record);
    if (record.kind === "device") { for (const module of record.modules.values()) this.#refreshOne(module); }
  }

  /** Must be called after an identity has been deleted. */
  removed(record: AnyRecord): void {
    const key = keyOf(record);
    this.#setActive(key, this.#active.get(key), undefined);
  }

  /** Records that the device was active just now. */
  touch(record: AnyRecord): void {
    this.#store.update(record, { lastActivityTime: this.#now() });
  }

  /**
   * Calls a listener whenever the connection of an identity, or what it accepts, has changed.
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

  /** Calls the listeners of an identity. Must be called when its connection begins to accept direct methods. */
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
      ...(connection?.modelId !== undefined && { modelId: connection.modelId }),
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
