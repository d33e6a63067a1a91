import { setTimeout as delay } from "node:timers/promises";
import type { FleetDevice } from "./fleet_file.ts";
import type { Run } from "./run.ts";
import { type Cell, tableLines } from "./table.ts";

const MAX_ROWS_SHOWN = 6;
const MAX_QUERY_WIDTH = 90;
/** A hub's index follows its twins after a second or two, and a small hub allows twenty queries a minute. */
const INDEX_POLL_IN_MS = 3_000;
const INDEX_PATIENCE_IN_MS = 60_000;

/** A text as a literal of the query language. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** Waits until queries find the fleet: they lag behind the twins. */
export async function waitForIndex(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  const query = `SELECT COUNT() AS devices FROM devices WHERE tags.demoRun = ${
    literal(run.runId)
  } AND IS_DEFINED(tags.site)`;
  await run.steps.run("Wait for the query index", devices.length, async (advance) => {
    const end = performance.now() + INDEX_PATIENCE_IN_MS;
    let found = 0;
    while (true) {
      const { items: [row] } = await run.registry.queryIotHub<{ devices: number }>(query, run.options);
      advance((row?.devices ?? 0) - found);
      found = row?.devices ?? 0;
      if (found >= devices.length || performance.now() > end) return;
      await delay(INDEX_POLL_IN_MS, undefined, { signal: run.options.abortSignal });
    }
  });
}

/** Asks the hub about the fleet, and shows the first rows of each answer. */
export async function showQueries(run: Run, devices: readonly FleetDevice[]): Promise<void> {
  const site = devices[0]?.site;
  if (site === undefined) return;
  const ours = `tags.demoRun = ${literal(run.runId)}`;
  await run.steps.run("Query", 4, async (advance) => {
    const queries: [title: string, query: string][] = [
      [
        `The gateways of ${site}`,
        "SELECT deviceId, tags.hall AS hall, tags.floor AS floor, authenticationType FROM devices" +
        ` WHERE ${ours} AND tags.site = ${literal(site)} AND capabilities.iotEdge = true`,
      ],
      [
        "What is switched off, and why",
        `SELECT deviceId, tags.site AS site, statusReason FROM devices WHERE ${ours} AND status = 'disabled'`,
      ],
      [
        "How many there are of each model",
        `SELECT tags.model AS model, COUNT() AS devices FROM devices WHERE ${ours} GROUP BY tags.model`,
      ],
      [
        "What does not run the firmware it should",
        "SELECT deviceId, properties.desired.firmware.channel AS wanted, properties.reported.firmware.channel AS running" +
        ` FROM devices WHERE ${ours} AND properties.desired.firmware.channel != properties.reported.firmware.channel`,
      ],
    ];
    for (const [title, query] of queries) {
      await showQuery(run, title, query);
      advance(1);
    }
  });
}

async function showQuery(run: Run, title: string, query: string): Promise<void> {
  const { output, registry, options } = run;
  const rows: Record<string, Cell>[] = [];
  for await (const row of registry.query<Record<string, Cell>>(query, options)) rows.push(row);
  output.line();
  output.line(`${title}:`);
  for (const line of queryLines(query)) output.line(`    ${line}`);
  const header = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0) return output.line("  none");
  const shown = rows.slice(0, MAX_ROWS_SHOWN);
  for (const line of tableLines(header, shown.map((row) => header.map((name) => row[name])))) output.line(`  ${line}`);
  if (shown.length < rows.length) output.line(`  … and ${rows.length - shown.length} more`);
}

/** A query laid out for people: a line for each clause, a long one broken at its commas and ANDs. */
function queryLines(query: string): string[] {
  return query.split(/ (?=FROM |WHERE |GROUP )/).flatMap((clause) =>
    clause.length <= MAX_QUERY_WIDTH
      ? [clause]
      : clause.split(/(?<=,) | (?=AND )/).map((part, index) => index === 0 ? part : `  ${part}`)
  );
}
