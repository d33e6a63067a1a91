/**
 * The local hub: an embedded stand-in for an IoT hub, for tests and for work without a network.
 *
 * {@linkcode LocalHub} in its own process needs no socket and no Node built-in; `hub.listen()` opens real ones.
 *
 * @module
 */
export { LocalHub } from "./local_hub.ts";
export type { LocalHubClientOptions, LocalHubOptions } from "./local_hub.ts";
export { LocalAmqpFaults } from "./amqp_faults.ts";
export type { LocalAmqpError } from "./amqp_faults.ts";
export type { PolicyName } from "./authorization.ts";
export type { ListenOptions, LocalHubAddresses } from "./listeners.ts";
export type { ServerCertificate } from "./self_signed_certificate.ts";
export type { LocalAccessToken, LocalTokenCredential, LocalTokenCredentialOptions } from "./jwt_authority.ts";
export type { LocalDevice } from "./local_device.ts";
export type {
  LocalDesiredPropertiesHandler,
  LocalDeviceTwin,
  LocalMessageHandler,
  LocalMessageSettlement,
  LocalMethodHandler,
  LocalMethodResponse,
} from "./local_device_handlers.ts";
export type { LocalFileUpload } from "./file_upload.ts";
export type { LocalMessage } from "./local_message.ts";
export { HubFault } from "./hub_fault.ts";
export type { HubFaultOptions } from "./hub_fault.ts";
