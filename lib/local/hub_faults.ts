import type { AmqpFaultState } from "./amqp/fault_state.ts";
import { LocalAmqpFaults } from "./amqp/faults.ts";
import type { MqttFaultState } from "./mqtt/fault_state.ts";
import { LocalMqttFaults } from "./mqtt/faults.ts";

/**
 * Makes a local hub misbehave on purpose: over AMQP by its own methods, over MQTT by those of
 * {@linkcode LocalHubFaults.mqtt}. Get it from `hub.faults`.
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

  /**
   * Not public: use `hub.faults`.
   *
   * @ignore
   */
  constructor(amqp: AmqpFaultState, mqtt: MqttFaultState, restart: (downtimeInMs: number) => Promise<void>) {
    super(amqp, restart);
    this.mqtt = new LocalMqttFaults(mqtt);
  }
}
