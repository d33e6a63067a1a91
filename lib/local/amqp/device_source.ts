import type { AmqpSource, AmqpSourceEvents } from "./backend.ts";
import type { HubState } from "../hub_state.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import type { DeviceConnection } from "../presence/device_connection.ts";
import { DeviceSession } from "../sessions/device_session.ts";

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
  let isClosed = false;
  const connection: DeviceConnection = {
    family: "amqp",
    takesMethods: false,
    invokeMethod: () => Promise.reject(new Error("A link for messages does not accept direct methods")),
    desiredChanged() {},
    messageQueued: events.wake,
    activated: events.wake,
    deactivated(reason) {
      if (isClosed) return;
      const description = reason === "identityGone"
        ? { condition: "amqp:not-found", description: `${session.key} is disabled or has been deleted` }
        : { condition: "amqp:link:stolen", description: `Another connection of ${session.key} has taken over` };
      events.end(description);
    },
    credentialsChanged() {},
  };
  const session = DeviceSession.open(hub, target, connection);
  return {
    next() {
      const delivery = session.nextMessage();
      if (delivery === undefined) return undefined;
      const { message } = delivery;
      return { ...delivery, lockToken: message.lockToken, content: { kind: "device", message } };
    },
    close() {
      isClosed = true;
      session.close();
    },
  };
}
