import type { AmqpBackend } from "./backend.ts";
import { openDeviceSource } from "./device_source.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import { openServiceSource } from "./service_source.ts";
import { DeviceSasVerifier, isDeviceSas } from "../auth/device_sas_verifier.ts";
import type { HubState } from "../hub_state.ts";
import { findIdentity } from "../records/find_identity.ts";

/** Connects the AMQP side to a hub. It loads neither sockets nor the AMQP library. */
export function hubAmqpBackend(state: HubState, clockSkew: number, faults: AmqpFaultState): AmqpBackend {
  const { hosts, store, now } = state;
  const devices = new DeviceSasVerifier({ hosts, store, now, clockSkew });
  return {
    hostName: hosts.hostName,
    faults,
    idleTimeoutInMs: state.amqpIdleTimeoutInMs,
    now,
    report: (error) => state.faults.report(error),
    async verifyToken(token) {
      return isDeviceSas(token) ? await devices.verify(token) : await state.authorizer.authenticate(token);
    },
    enqueueMessage: ({ raw, ...decoded }, message) => {
      state.queues.enqueue(findIdentity(store, raw) === undefined ? decoded : raw, message);
    },
    openSource(address, events) {
      switch (address.kind) {
        case "feedback":
          return openServiceSource(state.feedback, now, events.wake);
        case "fileNotifications":
          return openServiceSource(state.fileNotifications, now, events.wake);
        case "device":
          return openDeviceSource(state, address, events);
      }
    },
  };
}
