/**
 * A Worker with Node compatibility that hands on what devices have sent: `GET /`, and then `GET /?after=…` with the
 * `after` of the answer before.
 */
import { type EventPosition, IoTHubRegistryManager } from "@iothub/registry-manager";

interface Env {
  IOTHUB_CONNECTION_STRING: string;
  /** Where the hub takes AMQP, if it is not the real one. */
  IOTHUB_AMQP_ENDPOINT?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const after: Record<string, EventPosition> = JSON.parse(new URL(request.url).searchParams.get("after") ?? "{}");
    // A connection belongs to the request that opened it.
    await using registry = IoTHubRegistryManager.fromConnectionString(env.IOTHUB_CONNECTION_STRING, {
      amqpEndpoint: env.IOTHUB_AMQP_ENDPOINT,
      transportType: "AmqpOverWebSocket",
    });
    const { partitionIds } = await registry.getEventHubEndpoint();
    const from = Object.keys(after).length === 0 ? "earliest" : after;
    const events: { deviceId: string; text: string }[] = [];
    for await (
      const { deviceId, text, partitionId, sequenceNumber } of registry.receiveEvents({
        partitionIds,
        from,
        maxWaitTimeInMs: 500,
      })
    ) {
      events.push({ deviceId, text });
      after[partitionId] = { sequenceNumber };
      if (events.length === 100) break;
    }
    return Response.json({ events, after });
  },
};
