/** A Worker with Node compatibility that sends messages. */
import { IoTHubRegistryManager } from "@iothub/registry-manager";

export default {
  async fetch(request, environment) {
    const registry = IoTHubRegistryManager.fromConnectionString(environment.IOTHUB_CONNECTION_STRING);
    await registry.sendC2dMessage("thermostat-1", await request.text());
    await registry.close();
    return new Response(null, { status: 202 });
  },
};
