import { LocalHub } from "../../lib/local/mod.ts";
import { type Json, RestCaller } from "./rest_caller.ts";

/** A hub whose clock stands still, and what tests of configurations do with it. */
export class ConfigurationScene {
  #time = Date.UTC(2026, 0, 1);
  readonly hub: LocalHub;
  readonly rest: RestCaller;

  constructor({ queryLagInMs = 0 }: { queryLagInMs?: number } = {}) {
    this.hub = new LocalHub({ now: () => this.#time, clockSkewInSeconds: 1e9, queryLagInMs });
    this.rest = new RestCaller(this.hub);
  }

  /** Sets the clock on. */
  wait(milliseconds: number): void {
    this.#time += milliseconds;
  }

  /** Creates a configuration, or updates it, and waits until it is carried out. */
  async put(id: string, configuration: Json, headers: Record<string, string> = {}): Promise<Json> {
    const answer = await this.rest.do("PUT", `/configurations/${encodeURIComponent(id)}`, configuration, headers);
    await this.hub.settled();
    return answer;
  }

  /** Updates a configuration in whatever version, and waits until that is carried out. */
  update(id: string, configuration: Json): Promise<Json> {
    return this.put(id, configuration, { "if-match": "*" });
  }

  /** Creates a configuration that sets desired properties of devices. */
  forDevices(id: string, condition: string, value: Json, priority: number = 0): Promise<Json> {
    return this.put(id, {
      targetCondition: condition,
      priority,
      content: { deviceContent: { "properties.desired.value": value } },
    });
  }

  /** Writes a twin, and waits until the configurations have followed. */
  async patch(path: string, patch: Json): Promise<void> {
    await this.rest.do("PATCH", `/twins/${path}`, patch);
    await this.hub.settled();
  }

  /** The desired properties in the twin of a device or module, without what the hub adds. */
  async desired(path: string): Promise<Json> {
    const { properties } = await this.rest.do("GET", `/twins/${path}`);
    const { $metadata: _, $version: __, ...values } = properties.desired;
    return values;
  }

  /** The configurations in the twin of a device or module with their states; none when it names none. */
  async states(path: string): Promise<Json> {
    const { configurations = {} } = await this.rest.do("GET", `/twins/${path}`);
    return Object.fromEntries(Object.entries<Json>(configurations).map(([id, { status }]) => [id, status]));
  }

  /** The results of the metrics of a configuration. */
  async results(id: string): Promise<{ system: Json; own: Json }> {
    const { systemMetrics, metrics } = await this.rest.do("GET", `/configurations/${encodeURIComponent(id)}`);
    return { system: systemMetrics.results, own: metrics.results };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.close();
  }
}
