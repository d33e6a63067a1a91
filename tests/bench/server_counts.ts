import type { ServerCounts, ServerPorts } from "./server.ts";

/** Asks a server of the benchmarks what it has accepted and taken so far. */
export async function countsOf({ control }: Pick<ServerPorts, "control">): Promise<ServerCounts> {
  return await (await fetch(`http://127.0.0.1:${control}/`)).json();
}
