import { decodeId } from "./amqp_address.ts";
import type { AmqpBackend } from "./amqp_backend.ts";
import { openDeviceSource } from "./amqp_device_source.ts";
import type { AmqpFaultState } from "./amqp_fault_state.ts";
import { openServiceSource } from "./amqp_service_source.ts";
import { DeviceSasVerifier, isDeviceSas } from "./device_sas_verifier.ts";
import type { HubState } from "./hub_state.ts";

/** The hub behind its AMQP side. No socket in it, nor the library that serves them. */
export function hubAmqpBackend(state: HubState, clockSkew: number, faults: AmqpFaultState): AmqpBackend {
  const { hostName, store, now } = state;
  const devices = new DeviceSasVerifier({ hostName, store, now, clockSkew });
  return {
    hostName,
    faults,
    idleTimeoutInMs: state.amqpIdleTimeoutInMs,
    now,
    async verifyToken(token) {
      const { expiresOn, rights, pathPrefix } = isDeviceSas(token)
        ? await devices.verify(token)
        : await state.authorizer.authenticate(token);
      return { expiresOn, rights, pathPrefix: pathPrefix.map(decodeId) };
    },
    enqueueMessage: (target, message) => state.enqueue(target, message),
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
