import { DigitalTwinClient as HttpDigitalTwinClient } from "./digital_twins/digital_twin_client.ts";
import type { DigitalTwins } from "./digital_twins/digital_twins.ts";
import { nodeHttpsWire } from "./transport/node_https.ts";
import { withWire } from "./transport/with_wire.ts";

/**
 * The class of `/http`, with the connections of the entry `.`.
 * @internal
 */
export const OwnDigitalTwinClient: typeof HttpDigitalTwinClient = /* @__PURE__ */ withWire(
  HttpDigitalTwinClient,
  nodeHttpsWire,
);

/**
 * Works with the devices of an IoT hub in the terms of their models, as IoT Plug and Play has them: properties, components
 * and commands.
 *
 * It is created by one of the three factories of {@linkcode HubClient}, opens no connection before its first call, and
 * shares nothing with other clients unless it was created by `fromManager`. Close it when it is no longer needed.
 *
 * @example Read what a device shows
 * ```ts
 * import { DigitalTwinClient, IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using twins = DigitalTwinClient.fromConnectionString(hub.connectionString, hub.clientOptions);
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("thermostat-1");
 * const { digitalTwin } = await twins.getDigitalTwin("thermostat-1");
 * console.assert(digitalTwin.$dtId === "thermostat-1");
 * ```
 */
export class DigitalTwinClient extends OwnDigitalTwinClient {}

/** The methods of the client are those of its noun. */
export interface DigitalTwinClient extends DigitalTwins {}
