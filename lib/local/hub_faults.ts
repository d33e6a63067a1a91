import type { AmqpFaultState } from "./amqp/fault_state.ts";
import { LocalAmqpFaults } from "./amqp/faults.ts";
import type { DeviceRequestFaults } from "./device_rest/fault_state.ts";
import { LocalDeviceHttpFaults } from "./device_rest/faults.ts";
import type { MqttFaultState } from "./mqtt/fault_state.ts";
import { LocalMqttFaults } from "./mqtt/faults.ts";

/**
 * Makes a local hub misbehave on purpose: over AMQP by its own methods, over MQTT by those of
 * {@linkcode LocalHubFaults.mqtt}, and towards devices over HTTPS by those of {@linkcode LocalHubFaults.deviceHttp}. Get it
 * from `hub.faults`.
 *
 * @example Lose all devices
 * ```ts
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * hub.faults.drop(); // those that are connected by AMQP, and back ends
 * hub.faults.mqtt.drop(); // those that are connected by MQTT
 * ```
 */
export class LocalHubFaults extends LocalAmqpFaults {
  /** The faults over MQTT. */
  readonly mqtt: LocalMqttFaults;
  /** The faults that devices meet over HTTPS. */
  readonly deviceHttp: LocalDeviceHttpFaults;

  /**
   * Not public: use `hub.faults`.
   *
   * @ignore
   */
  constructor(
    amqp: AmqpFaultState,
    mqtt: MqttFaultState,
    requests: DeviceRequestFaults,
    restart: (downtimeInMs: number) => Promise<void>,
  ) {
    super(amqp, restart);
    this.mqtt = new LocalMqttFaults(mqtt);
    this.deviceHttp = new LocalDeviceHttpFaults(requests);
  }
}
