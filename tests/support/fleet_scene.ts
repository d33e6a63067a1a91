import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import type { FleetOutcome, FleetRun } from "../../lib/fleet/mod.ts";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";

/** Reads all outcomes of a run. */
export async function outcomesOf<T>(run: FleetRun<T>): Promise<FleetOutcome<T>[]> {
  const outcomes: FleetOutcome<T>[] = [];
  for await (const outcome of run) outcomes.push(outcome);
  return outcomes;
}

/** A local hub and its manager, with the requests counted. `intercept` may answer in place of the hub. */
export class FleetScene implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly registry: IoTHubRegistryManager;
  requests = 0;

  constructor(
    hubOptions: LocalHubOptions = {},
    intercept: (ask: () => Promise<Response>) => Promise<Response> = (ask) => ask(),
    clientOptions: ClientOptions = {},
  ) {
    this.hub = new LocalHub(hubOptions);
    const { fetch, ...others } = this.hub.clientOptions;
    this.registry = IoTHubRegistryManager.fromConnectionString(this.hub.connectionString, {
      ...others,
      ...clientOptions,
      fetch: (url, init) => {
        this.requests++;
        return intercept(() => fetch(url, init));
      },
    });
  }

  /** Entries for so many devices. */
  entries(count: number): { id: string }[] {
    return Array.from({ length: count }, (_, index) => ({ id: `device-${index}` }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    await this.hub.close();
  }
}
