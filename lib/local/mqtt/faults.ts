import { checkWhole } from "../../values/checks.ts";
import type { MqttFaultState } from "./fault_state.ts";
import { SERVER_UNAVAILABLE } from "./return_codes.ts";

/** Each planned refusal takes a place in memory. */
const MAX_PLANNED = 1_000_000;
/** The codes of CONNACK that MQTT 3.1.1 has for a refusal. */
const LAST_RETURN_CODE = 5;

/**
 * Makes a local hub misbehave over MQTT, to test how a device copes. It affects every connection: TLS, plain TCP and
 * WebSocket. Get it from `hub.faults.mqtt`.
 *
 * @example Be away for two attempts of the next device that connects
 * ```ts
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await hub.listen({ mqtt: 0 });
 * hub.faults.mqtt.refuseConnections(3, 2);
 * ```
 */
export class LocalMqttFaults {
  readonly #state: MqttFaultState;

  /**
   * Not public: use `hub.faults.mqtt`.
   *
   * @ignore
   */
  constructor(state: MqttFaultState) {
    this.#state = state;
  }

  /** Cuts every connection at once, as when the network fails. Devices may connect again right away. */
  drop(): void {
    this.#state.connections.drop();
  }

  /**
   * Falls silent on every connection, including ones that are opened later: no acknowledgements, no answers, no messages.
   * The hub still accepts connections and processes what devices send. {@linkcode LocalMqttFaults.resume} ends it.
   */
  stall(): void {
    this.#state.connections.stall();
  }

  /** Ends {@linkcode LocalMqttFaults.stall}: sends what was held back on the connections that are still open. */
  resume(): void {
    this.#state.connections.resume();
  }

  /**
   * Refuses the next connections, whoever asks, and closes them.
   *
   * @param returnCode The code in the answer, 3 (server unavailable) unless given; 4 and 5 mean bad credentials.
   * @param count How many connections to refuse, 1 unless given.
   * @throws {TypeError} When an argument is not a number.
   * @throws {RangeError} When the code is not a whole number from 1 to 5, or the count not one from 0 to 1000000.
   */
  refuseConnections(returnCode: number = SERVER_UNAVAILABLE, count = 1): void {
    checkWhole("returnCode", returnCode, 1, LAST_RETURN_CODE);
    checkWhole("count", count, 0, MAX_PLANNED);
    this.#state.planRefusals(returnCode, count);
  }

  /**
   * Processes the next messages with QoS 1 but does not acknowledge them, as when the acknowledgement is lost on the way.
   *
   * @param count How many acknowledgements to withhold, 1 unless given.
   * @throws {TypeError} When the count is not a number.
   * @throws {RangeError} When the count is not a whole number from 0 to 1000000.
   */
  withholdAcknowledgements(count = 1): void {
    checkWhole("count", count, 0, MAX_PLANNED);
    this.#state.withhold(count);
  }
}
