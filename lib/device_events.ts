import { channelOf } from "./amqp_channel.ts";
import type { EventHubEndpoint } from "./messages/event_hub_endpoint.ts";
import { checkReceiveEventsOptions, type ReceiveEventsOptions } from "./messages/receive_events_options.ts";
import type { OperationOptions } from "./timing/operation_options.ts";
import { HubClient, viewOf } from "./transport/hub_client.ts";
import * as facts from "./transport/operations.ts";
import type { ReceivedEvent } from "./values/received_event.ts";

/**
 * What devices send to the hub, and what the hub tells by itself. The hub keeps these events for a while in its event hub,
 * where any number of readers read them without taking anything away.
 *
 * A client with a shared access policy can read them; it needs no other connection string than the hub's. Policies need the
 * right `ServiceConnect`.
 */
export class DeviceEvents extends HubClient {
  /**
   * Receives events, until the loop ends. Events of one device come in order. Each comes once, also when the connection was
   * lost in the meantime: the loop goes on behind the last event that it has got.
   *
   * Events are asked for only while the loop waits for one, and up to 4 MiB of them may then come at once. A loop that takes
   * its time does not lose any, as long as the hub keeps them. Loops do not share events: each gets all of them. At most five
   * loops can read a partition in the same consumer group at a time.
   *
   * With `from: "latest"` the loop begins when its first step has reached the hub. What was sent before that does not come.
   * The loop does not keep how far it has come. To go on with it another time, keep the `sequenceNumber` or `offset` of the
   * last event of each partition, and give them as `from`; or use `@azure/event-hubs`, which can keep them and share the
   * partitions among processes (see {@linkcode DeviceEvents.getEventHubEndpoint}).
   *
   * @param options Which events are read, and when the loop ends. By default it waits indefinitely for the next event of any
   * partition.
   * @returns The events.
   * @throws {TypeError} When an option has the wrong type. Like all errors, it is thrown by the first step of the loop.
   * @throws {RangeError} When an option's value is not legal.
   * @throws {IoTHubError} `InvalidOperation` when the client has no policy, but a token credential or a ready signature.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `ArgumentInvalid` when there is no such partition, or no such place in it.
   * @throws {IoTHubError} `Timeout` when the events were out of reach for `timeoutInMs` (100 seconds by default).
   *
   * @example Print temperatures
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await hub.device("thermostat-1").sendTelemetry({ temperature: 21.5 });
   * for await (const event of registry.receiveEvents({ from: "earliest" })) {
   *   const { temperature } = event.json<{ temperature: number }>();
   *   console.assert(event.deviceId === "thermostat-1" && temperature === 21.5);
   *   break;
   * }
   * ```
   *
   * Wire: AMQP 1.0, link `{event hub}/ConsumerGroups/{group}/Partitions/{id}` at the Event Hubs-compatible endpoint, to which
   * the hub leads by a redirect of `/messages/events/$management`; there is no REST operation for it.
   */
  async *receiveEvents(options: ReceiveEventsOptions = {}): AsyncGenerator<ReceivedEvent, void, undefined> {
    checkReceiveEventsOptions(options);
    const { consumerGroup = "$Default", partitionIds, from = "latest", maxWaitTimeInMs } = options;
    const reader = await channelOf(this).openReceiver(
      viewOf(this),
      facts.receiveEvents,
      options,
      (connection, call) => connection.openEventReader({ ...call, consumerGroup, partitionIds, from }),
    );
    try {
      for (;;) {
        const event = await reader.next(maxWaitTimeInMs);
        if (event === undefined) return;
        yield event;
      }
    } finally {
      reader.close();
    }
  }

  /**
   * Finds out where the hub's events can be read with a client of Event Hubs, such as `@azure/event-hubs`.
   *
   * @param options Options for this call.
   * @returns The host, the name of the event hub, its partitions, and a connection string with the client's policy and key.
   * @throws {TypeError} When an option has the wrong type.
   * @throws {IoTHubError} `InvalidOperation` when the client has no policy, but a token credential or a ready signature.
   * @throws {IoTHubError} `Unauthorized` when the policy lacks the right `ServiceConnect`.
   * @throws {IoTHubError} `Timeout` when the hub or its event hub was out of reach.
   *
   * @example Name the partitions
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub({ hostName: "localhost", events: { partitions: 2 } });
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { eventHubName, partitionIds } = await registry.getEventHubEndpoint();
   * console.assert(eventHubName === "localhost" && partitionIds.join() === "0,1");
   * ```
   *
   * Wire: AMQP 1.0, the redirect of `/messages/events/$management`, and the node `$management` of the event hub; there is no
   * REST operation for it.
   */
  async getEventHubEndpoint(options: OperationOptions = {}): Promise<EventHubEndpoint> {
    return await channelOf(this).ask(
      viewOf(this),
      facts.getEventHubEndpoint,
      options,
      (connection, call) => connection.findEventHub(call),
    );
  }
}
