import type { AmqpDelivery, AmqpSource, AmqpSourceEvents } from "./backend.ts";
import type { HubState } from "../hub_state.ts";
import { type IdentityTarget, requireIdentity } from "../records/find_identity.ts";
import { type AnyRecord, keyOf } from "../records/identity_records.ts";
import type { DeviceConnection } from "../sessions/presence.ts";

/**
 * Opens the cloud-to-device messages of an identity for a link of its device. The link connects the device, and takes
 * the place of any earlier connection.
 *
 * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when the identity does not exist or is disabled.
 */
export function openDeviceSource(
  hub: HubState,
  target: IdentityTarget,
  events: AmqpSourceEvents,
): AmqpSource {
  const { presence } = hub;
  const record = requireIdentity(hub.store, target, { includeDisabled: false, missingModule: "ModuleNotFound" });
  const key = keyOf(record);
  let isClosed = false;
  const connection: DeviceConnection = {
    takesMethods: false,
    invokeMethod: () => Promise.reject(new Error("A link for messages does not accept direct methods")),
    desiredChanged() {},
    messageQueued: events.wake,
    activated: events.wake,
    deactivated() {
      if (isClosed) return;
      const description = presence.isAttached(key, connection)
        ? { condition: "amqp:not-found", description: `${key} is disabled or has been deleted` }
        : { condition: "amqp:link:stolen", description: `Another connection of ${key} has taken over` };
      events.end(description);
    },
  };
  presence.attach(key, connection, record);
  return {
    next: () => lockNext(hub, record),
    close() {
      isClosed = true;
      if (presence.isAttached(key, connection)) presence.detach(key, record);
    },
  };
}

function lockNext(hub: HubState, record: AnyRecord): AmqpDelivery | undefined {
  const queue = hub.queues.of(record);
  const message = queue.lockNext(hub.now());
  if (message === undefined) return undefined;
  function settle(how: "complete" | "abandon" | "reject"): boolean {
    hub.presence.touch(record);
    return queue[how](message!, hub.now());
  }
  return {
    lockToken: message.lockToken,
    content: { kind: "device", message },
    complete: () => settle("complete"),
    abandon: () => settle("abandon"),
    reject: () => settle("reject"),
    unlock: () => queue.unlock(message),
  };
}
