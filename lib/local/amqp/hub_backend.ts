import type { AmqpBackend } from "./backend.ts";
import type { AmqpFaultState } from "./fault_state.ts";
import { openServiceSource } from "./service_source.ts";
import type { Principal } from "../auth/authorization.ts";
import { hasCertificate } from "../auth/client_certificate.ts";
import { verifyPlainSignIn } from "../auth/plain_sign_in.ts";
import { DeviceSession } from "../sessions/device_session.ts";
import { DeviceSasVerifier, isDeviceSas } from "../auth/device_sas_verifier.ts";
import type { HubState } from "../hub_state.ts";
import { findIdentity } from "../records/find_identity.ts";

/** Connects the AMQP side to a hub. It loads neither sockets nor the AMQP library. */
export function hubAmqpBackend(state: HubState, clockSkew: number, faults: AmqpFaultState): AmqpBackend {
  const { hosts, store, now } = state;
  const devices = new DeviceSasVerifier({ hosts, store, now, clockSkew });
  const verifyToken = async (token: string): Promise<Principal> =>
    isDeviceSas(token) ? await devices.verify(token) : await state.authorizer.authenticate(token);
  return {
    hostName: hosts.hostName,
    faults,
    idleTimeoutInMs: state.amqpIdleTimeoutInMs,
    now,
    report: (error) => state.faults.report(error),
    verifyToken,
    verifyUser: (user, token) => verifyPlainSignIn(user, token, verifyToken),
    knowsCertificate(address, certificate) {
      const record = findIdentity(store, address);
      return record !== undefined && hasCertificate(record, certificate);
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
      }
    },
    openSession: (address, connection) => DeviceSession.open(state, address, connection),
  };
}
