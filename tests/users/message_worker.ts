/** A Worker with Node compatibility that hands messages on: `POST /thermostat-1` with the message in the body. */
import { IoTHubError, IoTHubRegistryManager } from "@iothub/registry-manager";

interface Env {
  IOTHUB_CONNECTION_STRING: string;
  /** Where the hub takes messages, if it is not the real one. */
  IOTHUB_AMQP_ENDPOINT?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, deviceId = ""] = new URL(request.url).pathname.split("/");
    // A connection belongs to the request that opened it.
    await using registry = IoTHubRegistryManager.fromConnectionString(env.IOTHUB_CONNECTION_STRING, {
      amqpEndpoint: env.IOTHUB_AMQP_ENDPOINT,
      transportType: "AmqpOverWebSocket",
    });
    try {
      await registry.sendC2dMessage(deviceId, await request.text(), { ack: "full" });
      return new Response("accepted", { status: 202 });
    } catch (error) {
      if (!(error instanceof IoTHubError)) throw error;
      return Response.json({ code: error.code }, { status: error.statusCode ?? 502 });
    }
  },
};
