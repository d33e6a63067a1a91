import type { ConformanceTarget } from "../../tests/conformance/check.ts";
import type { ConformanceResult } from "../../tests/conformance/suite.ts";
import type { Bundles } from "./bundles.ts";
import type { EdgeTools, Miniflare } from "./tools.ts";

const COMPATIBILITY_DATE = "2026-07-01";

/** Which Worker to make: the entry decides whether it needs Node compatibility. */
export type Entry = "." | "/http";

/** Runs the suite in a Worker with the module's entry bundled. */
export async function conformInWorkerd(
  { Miniflare }: EdgeTools,
  bundles: Bundles,
  entry: Entry,
  target: ConformanceTarget,
): Promise<ConformanceResult[]> {
  const program = `
    import * as module from "@iothub/registry-manager${entry === "." ? "" : entry}";
    import { runConformance } from "./tests/conformance/suite.ts";
    export default {
      fetch: async (request: Request) => Response.json(await runConformance(module, await request.json())),
    };`;
  const script = await bundles.build(program, entry === "." ? "worker with Node" : "web");
  const worker = startWorker(Miniflare, script, entry, {});
  try {
    const response = await worker.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(target) });
    if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${await response.text()}`);
    return await response.json() as ConformanceResult[];
  } finally {
    await worker.dispose();
  }
}

/** Whether a manager that requests share fails the messages of some of them. */
export async function isSharedManagerRefused(
  { Miniflare }: EdgeTools,
  bundles: Bundles,
  { connectionString, endpoint, webSocket }: Required<ConformanceTarget>,
): Promise<boolean> {
  const program = `
    import { IoTHubRegistryManager } from "@iothub/registry-manager";
    let registry: IoTHubRegistryManager | undefined;
    export default {
      async fetch(request: Request, { connectionString, endpoint, amqpEndpoint }: Record<string, string>) {
        const isFirst = registry === undefined;
        registry ??= IoTHubRegistryManager.fromConnectionString(connectionString, { endpoint, amqpEndpoint });
        if (isFirst) await registry.createDeviceWithSas("d");
        const sent = registry.sendC2dMessage("d", "hello", {}, { timeoutInMs: 3000 });
        return new Response(await sent.then(() => "sent", (error) => error.code));
      },
    };`;
  const bindings = { connectionString, endpoint, amqpEndpoint: webSocket };
  const script = await bundles.build(program, "worker with Node");
  const worker = startWorker(Miniflare, script, ".", bindings, { handleRuntimeStdio: ignoreWarnings });
  try {
    const first = await ask(worker);
    if (first !== "sent") throw new Error(`The first message's outcome was ${first}`);
    const others = await Promise.all(Array.from({ length: 5 }, () => ask(worker)));
    return others.some((outcome) => outcome !== "sent");
  } finally {
    await worker.dispose();
  }
}

/** What the runtime has to say of the failure is known. */
function ignoreWarnings(...streams: { resume(): void }[]): void {
  for (const stream of streams) stream.resume();
}

async function ask(worker: Miniflare): Promise<string> {
  return await (await worker.dispatchFetch("http://worker/")).text();
}

/** Starts a Worker whose environment holds `bindings`. */
export function startWorker(
  Miniflare: EdgeTools["Miniflare"],
  script: string,
  entry: Entry,
  bindings: Record<string, string>,
  options: Record<string, unknown> = {},
): Miniflare {
  return new Miniflare({
    modules: true,
    script,
    bindings,
    ...options,
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: entry === "." ? ["nodejs_compat"] : [],
  });
}
