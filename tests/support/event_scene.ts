import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager, type ReceiveEventsOptions } from "../../mod.ts";

/** A hub with devices, and a manager that reads what they send. */
export class EventScene implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly registry: IoTHubRegistryManager;
  readonly deviceIds: readonly string[];

  constructor(hub: LocalHub, registry: IoTHubRegistryManager, deviceIds: readonly string[]) {
    this.hub = hub;
    this.registry = registry;
    this.deviceIds = deviceIds;
  }

  /** Starts a hub with some devices. */
  static async start(
    { devices = 1, hub: hubOptions = {}, client = {} }: {
      devices?: number;
      hub?: LocalHubOptions;
      client?: ClientOptions;
    } = {},
  ): Promise<EventScene> {
    const hub = new LocalHub(hubOptions);
    const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...hub.clientOptions,
      ...client,
    });
    const deviceIds = Array.from({ length: devices }, (_, index) => `d${index}`);
    for (const id of deviceIds) await registry.createDeviceWithSas(id);
    return new EventScene(hub, registry, deviceIds);
  }

  /** Lets a device send texts. */
  async send(texts: readonly string[], deviceId: string = "d0"): Promise<void> {
    for (const text of texts) await this.hub.device(deviceId).sendTelemetry(text);
  }

  /** The texts of as many events as are wanted, or as come soon. */
  async read(options: ReceiveEventsOptions = {}, count: number = Infinity): Promise<string[]> {
    const texts: string[] = [];
    for await (
      const { text } of this.registry.receiveEvents({
        from: "earliest",
        maxWaitTimeInMs: count === Infinity ? 400 : 20_000,
        ...options,
      })
    ) {
      if (texts.push(text) === count) break;
    }
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    await this.hub.close();
  }
}
