/** A Worker that notes in a device's twin where the device is: `PUT /thermostat-1/site` with the name in the body. */
import { IoTHubError, IoTHubRegistryManager } from "@iothub/registry-manager/http";

interface Env {
  IOTHUB_CONNECTION_STRING: string;
  /** Where the hub is, if it is not the real one. */
  IOTHUB_ENDPOINT?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, deviceId = ""] = new URL(request.url).pathname.split("/");
    await using registry = IoTHubRegistryManager.fromConnectionString(env.IOTHUB_CONNECTION_STRING, {
      endpoint: env.IOTHUB_ENDPOINT,
    });
    try {
      const twin = await registry.updateTwin(deviceId, { tags: { site: await request.text() } });
      return Response.json(twin.tags);
    } catch (error) {
      if (!(error instanceof IoTHubError)) throw error;
      return Response.json({ code: error.code }, { status: error.statusCode ?? 502 });
    }
  },
};
