import type { LocalHubDeviceAct, LocalHubDeviceActEvent, LocalHubDisconnectReason } from "../activity/hub_event.ts";
import { HubFault } from "../hub_fault.ts";
import type { JsonObject } from "../json.ts";
import type { QueuedMessage } from "../messages/message_queue.ts";
import type { TelemetryMessage } from "../messages/telemetry_message.ts";
import type { DeviceConnection } from "../presence/device_connection.ts";
import { findIdentity, type IdentityTarget, requireIdentity } from "../records/find_identity.ts";
import { type AnyRecord, identityKey, isEnabled } from "../records/identity_records.ts";
import { sectionForDevice } from "../twins/twin_documents.ts";
import { type Settlement, settleMessage, takeTelemetry } from "./device_requests.ts";
import type { SessionParts } from "./session_parts.ts";

/** A message that is locked for its device until the device settles it. */
export interface DeviceDelivery {
  readonly message: QueuedMessage;
  /** Ends a message that was handled. Returns `false`, as do the next two, when the lock has been lost. */
  complete(): boolean;
  /** Gives a message back to be delivered again, which counts as a delivery. */
  abandon(): boolean;
  /** Ends a message that is not wanted. */
  reject(): boolean;
  /** Gives back a message whose device has disconnected, which does not count as a delivery. */
  unlock(): void;
}

const RECEIVED = { status: 200, errorCode: undefined, durationInMs: 0 } as const;
const LOCK_LOST = { status: 412, errorCode: "DeviceMessageLockLost" } as const;

/**
 * What a device or a module can do while it is connected, over whatever protocol. What the hub tells the device comes by
 * the connection that the session is made for.
 */
export class DeviceSession {
  readonly #parts: SessionParts;
  readonly #target: IdentityTarget;
  readonly #connection: DeviceConnection;

  constructor(parts: SessionParts, target: IdentityTarget, connection: DeviceConnection) {
    this.#parts = parts;
    this.#target = target;
    this.#connection = connection;
  }

  /**
   * Connects a device whose identity has to be there, as it has for whoever comes from outside.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when it does not exist or is disabled, and
   * `ThrottlingException` (429) when too many connect at a time.
   */
  static open(parts: SessionParts, target: IdentityTarget, connection: DeviceConnection): DeviceSession {
    requireIdentity(parts.store, target, { includeDisabled: false, missingModule: "ModuleNotFound" });
    parts.throttle?.take("connections", "DeviceConnect");
    const session = new DeviceSession(parts, target, connection);
    session.connect();
    return session;
  }

  /** Names the identity. */
  get key(): string {
    return identityKey(this.#target.deviceId, this.#target.moduleId);
  }

  /** Whether the device is connected by this session, and its identity exists and is enabled. */
  get isActive(): boolean {
    return this.#parts.presence.active(this.key).includes(this.#connection);
  }

  /**
   * Connects the device, in place of an earlier connection of the same kind. While its identity does not exist or is
   * disabled, the session waits for it.
   */
  connect(): void {
    this.#parts.presence.attach(this.key, this.#connection, this.#record);
  }

  /**
   * Disconnects the device.
   *
   * @param reason Why, where it is not the device that has gone.
   */
  close(reason?: LocalHubDisconnectReason): void {
    this.#parts.presence.detach(this.key, this.#connection, this.#record, reason);
  }

  /** Must be called when the connection begins or ceases to accept direct methods. */
  methodsChanged(): void {
    this.#parts.presence.changed(this.key);
  }

  /** Records that the device was active just now, where nothing else in this class does. */
  touch(): void {
    this.#parts.presence.touch(this.requireRecord());
  }

  /**
   * Returns the twin as the device sees it. It shares parts with the record, which must not be changed.
   *
   * @throws {HubFault} `DeviceNotFound` (404) when the identity does not exist or is disabled, as do the others below.
   */
  readTwin(): { desired: JsonObject; reported: JsonObject } {
    return this.#observe("readTwin", () => {
      const { twin } = this.requireRecord();
      return { desired: sectionForDevice(twin.desired), reported: sectionForDevice(twin.reported) };
    });
  }

  /**
   * Merges what the device reports.
   *
   * @param ifVersion The `$version` that the reported section has to have; `undefined` for any.
   * @returns The new `$version` of the reported section.
   * @throws {HubFault} `ArgumentInvalid` (400) when the patch breaks a rule, or `PreconditionFailed` (412).
   */
  report(patch: unknown, ifVersion?: number): number {
    return this.#observe(
      "updateReportedProperties",
      () => this.#parts.twins.report(this.requireRecord(), patch, ifVersion),
    );
  }

  /**
   * Takes what the device sends.
   *
   * @throws {HubFault} `ArgumentInvalid` (400) or `MessageTooLarge` (413) when the hub cannot take it.
   */
  sendTelemetry(message: TelemetryMessage): void {
    this.#observe("sendTelemetry", () => {
      takeTelemetry(this.#parts, this.requireRecord(), [message], this.#connection);
    });
  }

  /** Locks the next message for the device, if there is one and the device is connected by this session. */
  nextMessage(): DeviceDelivery | undefined {
    const record = this.#record;
    if (record === undefined || !this.isActive) return undefined;
    const { now, queues, activity } = this.#parts;
    const queue = queues.of(record);
    const message = queue.lockNext(now());
    if (message === undefined) return undefined;
    const { sequenceNumber, lockToken } = message;
    activity.tell(() => ({ ...this.#act("receiveMessage"), sequenceNumber, ...RECEIVED }));
    const settle = (how: Settlement): boolean =>
      activity.observe(() => settleMessage(this.#parts, record, lockToken, how), (outcome, isDone) => ({
        ...this.#act(`${how}Message`),
        sequenceNumber,
        ...outcome,
        ...(isDone === false && LOCK_LOST),
      }));
    return {
      message,
      complete: () => settle("complete"),
      abandon: () => settle("abandon"),
      reject: () => settle("reject"),
      unlock: () => queue.unlock(message),
    };
  }

  /** Returns the identity, which has to exist and to be enabled. */
  requireRecord(): AnyRecord {
    const record = this.#record;
    if (record !== undefined && isEnabled(record)) return record;
    const state = record === undefined ? "has no identity: create it first" : "is disabled: enable it first";
    throw new HubFault("DeviceNotFound", 404, `${this.key} ${state}`);
  }

  get #record(): AnyRecord | undefined {
    return findIdentity(this.#parts.store, this.#target);
  }

  #observe<T>(act: LocalHubDeviceAct, work: () => T): T {
    return this.#parts.activity.observe(work, (outcome) => ({ ...this.#act(act), ...outcome }));
  }

  #act(act: LocalHubDeviceAct): Pick<LocalHubDeviceActEvent, "kind" | "act" | "deviceId" | "moduleId" | "protocol"> {
    const { deviceId, moduleId } = this.#target;
    return { kind: "deviceAct", act, deviceId, moduleId, protocol: this.#connection.family };
  }
}
