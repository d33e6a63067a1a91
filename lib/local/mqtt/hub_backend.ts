import { requireRight } from "../auth/authorization.ts";
import { deviceResourcePath } from "../auth/resource_path.ts";
import { unauthorized } from "../hub_fault.ts";
import type { HubState } from "../hub_state.ts";
import { DeviceSession } from "../sessions/device_session.ts";
import type { MqttBackend } from "./backend.ts";
import type { MqttFaultState } from "./fault_state.ts";
import { CONNECT_LIMIT_IN_MS } from "./hub_limits.ts";
import { MqttSessions } from "./sessions.ts";

/** Connects the MQTT side to a hub. It loads neither sockets nor the MQTT library. */
export function hubMqttBackend(state: HubState, faults: MqttFaultState): MqttBackend {
  const { hosts, now, deviceSignIn } = state;
  return {
    connectLimitInMs: CONNECT_LIMIT_IN_MS,
    activity: state.activity,
    faults,
    sessions: new MqttSessions(),
    now,
    alarm: state.alarm,
    report: (error) => state.faults.report(error),
    isHost: (host) => hosts.has(host),
    async verifyToken(target, token) {
      const principal = await deviceSignIn.verifyToken(token);
      if (principal.kind !== "sas") throw unauthorized("IotHubUnauthorized", "Devices have no bearer tokens");
      requireRight(principal, "DeviceConnect", deviceResourcePath(target));
      return principal;
    },
    knowsCertificate: (target, certificate) => deviceSignIn.knowsCertificate(target, certificate),
    openSession: (target, connection) => DeviceSession.open(state, target, connection),
  };
}
