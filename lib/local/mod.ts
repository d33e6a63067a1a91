/**
 * The local hub: an embedded stand-in for an IoT hub, for tests and for work without a network.
 *
 * A {@linkcode LocalHub} answers HTTP in its own process without a socket or a Node built-in; `hub.listen()` opens real
 * ports.
 *
 * @example Create a device in a local hub
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 * import assert from "node:assert/strict";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 * await registry.createDeviceWithSas("thermostat");
 * assert.equal((await registry.getDevices()).length, 1);
 * ```
 *
 * @module
 */
export { LocalHub } from "./local_hub.ts";
export type { LocalHubClientOptions, LocalHubOptions, LocalHubThrottling } from "./local_hub.ts";
export type { LocalHubFault, LocalHubFaultListener } from "./fault_listeners.ts";
export type {
  LocalHubConnectionEvent,
  LocalHubDesiredChangeEvent,
  LocalHubDeviceAct,
  LocalHubDeviceActEvent,
  LocalHubDisconnectReason,
  LocalHubEvent,
  LocalHubEventBase,
  LocalHubEventListener,
  LocalHubEventTarget,
  LocalHubMessageEvent,
  LocalHubMethodCallEvent,
  LocalHubOperationEvent,
  LocalHubOutcome,
  LocalHubProtocol,
  LocalHubRefusedSignInEvent,
} from "./activity/hub_event.ts";
export { LocalHubClock } from "./hub_clock.ts";
export { LocalHubFaults } from "./hub_faults.ts";
export { LocalMqttFaults } from "./mqtt/faults.ts";
export { LocalAmqpFaults } from "./amqp/faults.ts";
export { LocalDeviceHttpFaults } from "./device_rest/faults.ts";
export type { LocalAmqpError } from "./amqp/faults.ts";
export type { HubTier } from "../timing/hub_tiers.ts";
export type { PolicyName } from "./auth/authorization.ts";
export type { LocalPolicyKeys } from "./auth/policy_keys.ts";
export type { ListenOptions, LocalHubAddresses } from "./sockets/listeners.ts";
export type { LocalHubSnapshot, LocalHubSnapshotRow } from "./storage/snapshot.ts";
export type { ServerCertificate } from "./sockets/self_signed_certificate.ts";
export type { LocalAccessToken, LocalTokenCredential, LocalTokenCredentialOptions } from "./auth/jwt_authority.ts";
export type { LocalBlobContainer } from "./blobs/local_blob_container.ts";
export type { LocalEventOptions, LocalEventRetention } from "./events/event_options.ts";
export type { LocalEventsOptions } from "./events/event_stream.ts";
export type { ReceivedEvent } from "../values/received_event.ts";
export type { LocalDevice } from "./devices/local_device.ts";
export type { LocalDeviceOptions } from "./devices/local_device_options.ts";
export type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMessageSettlement,
  LocalMethodHandler,
  LocalMethodResponse,
} from "./devices/local_device_handlers.ts";
export type { LocalTelemetryProperties } from "./devices/telemetry.ts";
export type { LocalFileUpload } from "./devices/file_upload.ts";
export type { LocalMessage } from "./devices/local_message.ts";
export { HubFault } from "./hub_fault.ts";
export type { HubFaultOptions } from "./hub_fault.ts";
