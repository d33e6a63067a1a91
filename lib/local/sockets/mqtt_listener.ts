import type { MqttBackend } from "../mqtt/backend.ts";
import { MqttServer } from "../mqtt/server.ts";
import { type ByteListener, type Place, startByteListener } from "./byte_listener.ts";

/** Opens a port for MQTT. Resolves when it accepts connections. */
export function startMqttListener(backend: MqttBackend, place: Place): Promise<ByteListener> {
  return startByteListener(new MqttServer(backend), place, (error) => backend.report(error));
}
