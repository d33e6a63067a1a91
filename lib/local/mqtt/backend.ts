import type { Activity } from "../activity/activity.ts";
import type { HubAlarm } from "../hub_alarm.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { ClientGrant } from "../auth/grants.ts";
import type { FaultReporter } from "../fault_listeners.ts";
import type { DeviceConnection } from "../presence/device_connection.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import type { DeviceSession } from "../sessions/device_session.ts";
import type { MqttFaultState } from "./fault_state.ts";
import type { MqttSessions } from "./sessions.ts";

/** What the MQTT side needs from the hub. */
export interface MqttBackend extends FaultReporter {
  /** How long a client may take until it has signed in. */
  readonly connectLimitInMs: number;
  /** The faults that the hub was told to cause. */
  readonly faults: MqttFaultState;
  /** The sessions of clients, connected or not. */
  readonly sessions: MqttSessions;
  /** Tells who connects, and who is not let in. */
  readonly activity: Activity;
  /** Wakes what falls due by the hub's clock. */
  readonly alarm: HubAlarm;
  /** Whether a host is one of the hub's. */
  isHost(host: string): boolean;
  /**
   * Verifies the token with which a device or module connects.
   *
   * @throws {HubFault} `IotHubUnauthorized` or `IotHubUnauthorizedAccess` (401) when it is not good for that.
   */
  verifyToken(target: IdentityTarget, token: string): Promise<ClientGrant>;
  /** Whether a device or module signs in with a certificate. */
  knowsCertificate(target: IdentityTarget, certificate: ClientCertificate): boolean;
  /**
   * Connects a device or module.
   *
   * @throws {HubFault} `DeviceNotFound` or `ModuleNotFound` (404) when it does not exist or is disabled, and
   * `ThrottlingException` (429) when too many connect at a time.
   */
  openSession(target: IdentityTarget, connection: DeviceConnection): DeviceSession;
}
