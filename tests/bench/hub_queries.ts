import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";

/** How many twins there are. */
const TWINS = 100_000;
/** How many of them the rare match finds: fewer than a page has rows, so that it has to look at all of them. */
const RARE = 5;
const SITES = ["berlin", "madrid", "oslo", "paris", "rome"];

/** The queries, by the name of the part. */
const QUERIES: Readonly<Record<string, string>> = {
  "hub-page": "SELECT * FROM devices WHERE tags.rare = true",
  "hub-groups": "SELECT tags.site AS site, COUNT() AS n FROM devices GROUP BY tags.site",
};

/** Fills a local hub with twins; returns a call that reads the first page of a part's query. */
export async function openHubQuery(part: string): Promise<() => Promise<unknown>> {
  const hub = new LocalHub();
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  for (let first = 0; first < TWINS; first += 100) {
    await registry.bulkCreateOrUpdateDevices(Array.from({ length: 100 }, (_, index) => twinOf(first + index)));
  }
  const rows = part === "hub-page" ? RARE : SITES.length;
  return async () => {
    const { items } = await registry.queryIotHub(QUERIES[part]!);
    if (items.length !== rows) throw new Error(`${part} found ${items.length} rows in place of ${rows}`);
  };
}

function twinOf(index: number) {
  return {
    id: `device-${index}`,
    importMode: "create" as const,
    authentication: { type: "certificateAuthority" as const },
    tags: { site: SITES[index % SITES.length], floor: index % 40, rare: index % (TWINS / RARE) === 0 },
    properties: { desired: { firmware: `1.${index % 7}`, telemetry: { intervalInSeconds: 60 } } },
  };
}
