import { createRequire } from "node:module";
import { IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "./hub_clients.ts";

/** Reads the same events, whoever it is. */
export interface EventClient {
  /** Reads that many of the hub's events, from the oldest on. */
  read(count: number): Promise<void>;
}

/** The client that a contender's name stands for, of the hub of events at a port for AMQP. */
export function eventClient(contender: string, port: number): EventClient {
  switch (contender) {
    case "module":
      return moduleClient(port);
    case "@azure/event-hubs":
      return sdkClient(port);
    default:
      throw new RangeError(`There is no contender ${contender}`);
  }
}

/** This module. */
function moduleClient(port: number): EventClient {
  const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    amqpEndpoint: `amqp://localhost:${port}`,
  });
  return {
    async read(count) {
      let read = 0;
      for await (const { deviceId } of registry.receiveEvents({ from: "earliest" })) {
        if (deviceId !== "" && ++read === count) return;
      }
    },
  };
}

/** The part of `@azure/event-hubs` that is used here. */
interface SdkEvent {
  readonly systemProperties?: Record<string, unknown>;
}
interface SdkHandlers {
  processEvents(events: readonly SdkEvent[]): Promise<void>;
  processError(error: Error): Promise<void>;
}
interface SdkClient {
  subscribe(handlers: SdkHandlers, options: object): { close(): Promise<void> };
  close(): Promise<void>;
}
interface SdkModule {
  readonly EventHubConsumerClient: new (consumerGroup: string, connectionString: string, options: object) => SdkClient;
  readonly earliestEventPosition: unknown;
}

/** The vendor's client, as it is, with batches as large as it is fast with. */
function sdkClient(port: number): EventClient {
  const { EventHubConsumerClient, earliestEventPosition } = createRequire(import.meta.url)(
    "@azure/event-hubs",
  ) as SdkModule;
  const [, policy] = /^HostName=[^;]*;(.*)$/.exec(CONNECTION_STRING)!;
  const connectionString =
    `Endpoint=sb://localhost:${port}/;EntityPath=localhost;${policy};UseDevelopmentEmulator=true`;
  return {
    async read(count) {
      const client = new EventHubConsumerClient("$Default", connectionString, {
        // By default it takes one partition every ten seconds.
        loadBalancingOptions: { strategy: "greedy" },
      });
      let read = 0;
      await new Promise<void>((resolve, reject) => {
        const subscription = client.subscribe({
          async processEvents(events) {
            for (const { systemProperties } of events) if (systemProperties !== undefined) read++;
            if (read < count) return;
            resolve();
            await subscription.close();
          },
          processError: (error) => Promise.resolve(reject(error)),
        }, { startPosition: earliestEventPosition, maxBatchSize: MAX_BATCH_SIZE });
      });
      void client.close();
    },
  };
}

const MAX_BATCH_SIZE = 500;
