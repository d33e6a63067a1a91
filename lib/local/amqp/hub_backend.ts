import type { AmqpBackend } from "./backend.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import { EventReceivers } from "./event_receivers.ts";
import { openServiceSource } from "./service_source.ts";
import { isEventHubSas } from "../auth/event_hub_verifier.ts";
import { verifyPlainSignIn } from "../auth/plain_sign_in.ts";
import { DeviceSession } from "../sessions/device_session.ts";
import type { HubState } from "../hub_state.ts";
import { findIdentity } from "../records/find_identity.ts";

/** Connects the AMQP side to a hub. It loads neither sockets nor the AMQP library. */
export function hubAmqpBackend(state: HubState, faults: AmqpFaultState): AmqpBackend {
  const { hosts, store, now, deviceSignIn, eventHubSignIn, events } = state;
  let createdTime: number | undefined;
  return {
    hostName: hosts.hostName,
    faults,
    idleTimeoutInMs: state.amqpIdleTimeoutInMs,
    now,
    alarm: state.alarm,
    throttle: state.throttle,
    activity: state.activity,
    eventHub: {
      name: hosts.hubName,
      // A clock of the user's own is asked in no constructor: what it throws belongs to whoever calls.
      get createdTime() {
        return createdTime ??= now();
      },
      log: events,
      receivers: new EventReceivers(),
    },
    hasHost: (host) => hosts.has(host),
    report: (error) => state.faults.report(error),
    verifyToken: (token) => isEventHubSas(token) ? eventHubSignIn.verify(token) : deviceSignIn.verifyToken(token),
    verifyUser: async (user, token) =>
      eventHubSignIn.verifyKey(user, token) ??
        await verifyPlainSignIn(user, token, (token) => deviceSignIn.verifyToken(token)),
    knowsCertificate: (address, certificate) => deviceSignIn.knowsCertificate(address, certificate),
    enqueueMessage: ({ raw, ...decoded }, message) => {
      state.queues.enqueue(findIdentity(store, raw) === undefined ? decoded : raw, message);
    },
    openSource(address, events) {
      switch (address.kind) {
        case "feedback":
          return openServiceSource(state.feedback, now, events.wake);
        case "fileNotifications":
          return openServiceSource(state.fileNotifications, now, events.wake);
      }
    },
    openSession: (address, connection) => DeviceSession.open(state, address, connection),
  };
}
