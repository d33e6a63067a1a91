/**
 * The local hub: an embedded stand-in for an IoT hub, for tests and for work without a network.
 *
 * {@linkcode LocalHub} in its own process needs no socket and no Node built-in; `hub.listen()` opens real ones.
 *
 * @module
 */
export { LocalHub } from "./local_hub.ts";
export type { LocalHubClientOptions, LocalHubOptions } from "./local_hub.ts";
export { LocalAmqpFaults } from "./amqp/faults.ts";
export type { LocalAmqpError } from "./amqp/faults.ts";
export type { PolicyName } from "./auth/authorization.ts";
export type { ListenOptions, LocalHubAddresses } from "./sockets/listeners.ts";
export type { ServerCertificate } from "./sockets/self_signed_certificate.ts";
export type { LocalAccessToken, LocalTokenCredential, LocalTokenCredentialOptions } from "./auth/jwt_authority.ts";
export type { LocalDevice } from "./devices/local_device.ts";
export type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMessageSettlement,
  LocalMethodHandler,
  LocalMethodResponse,
} from "./devices/local_device_handlers.ts";
export type { LocalFileUpload } from "./devices/file_upload.ts";
export type { LocalMessage } from "./devices/local_message.ts";
export { HubFault } from "./hub_fault.ts";
export type { HubFaultOptions } from "./hub_fault.ts";
