import { HubFault } from "../hub_fault.ts";
import type { QueryPages } from "../queries/pages.ts";
import { QueryFault } from "../queries/query_fault.ts";
import type { ConfigurationRecord } from "./configuration_record.ts";
import { invalidTarget } from "./target_condition.ts";

/** Queries by the names of their metrics. */
type MetricQueries = Readonly<Record<string, string>>;

const MAX_METRICS = 5;
const SOURCES = ["devices", "devices.modules"];

/**
 * Checks the queries of the owner's metrics.
 *
 * @throws {HubFault} `InvalidConfigurationCustomMetricsQuery` (400) when one is not valid, or there are too many.
 */
export function checkMetricQueries(queries: MetricQueries, pages: QueryPages): void {
  const count = Object.keys(queries).length;
  if (count > MAX_METRICS) throw invalidMetric(`there are ${count} metrics, and at most ${MAX_METRICS} are allowed`);
  for (const [name, problem] of Object.entries(problemsWithMetricQueries(queries, pages))) {
    throw invalidMetric(`${JSON.stringify(name)}: ${problem}`);
  }
}

/** Returns what is wrong with queries of metrics, by the names of these. */
export function problemsWithMetricQueries(queries: MetricQueries, pages: QueryPages): Record<string, string> {
  const problems: [name: string, problem: string][] = [];
  for (const [name, query] of Object.entries(queries)) {
    try {
      pages.check(query, SOURCES);
    } catch (error) {
      if (!(error instanceof QueryFault)) throw error;
      problems.push([name, error.reason]);
    }
  }
  return Object.fromEntries(problems);
}

/** Returns the queries of the metrics that the hub itself keeps of a configuration. */
export function systemMetricQueries({ id, content, target: { condition } }: ConfigurationRecord): MetricQueries {
  const isApplied = `configurations.[[${id}]].status = 'Applied'`;
  switch (content.kind) {
    case "deviceContent":
      return {
        targetedCount: `select deviceId from devices${where(condition)}`,
        appliedCount: `select deviceId from devices where ${isApplied}`,
      };
    case "moduleContent": {
      const from = /^\s*from\s/i.test(condition) ? condition : `from devices.modules${where(condition)}`;
      return {
        targetedCount: `select deviceId, moduleId ${from}`,
        appliedCount: `select deviceId, moduleId from devices.modules where ${isApplied}`,
      };
    }
    case "modulesContent": {
      const isEdge = "capabilities.iotEdge = true";
      const applied = `select deviceId from devices.modules where moduleId = '$edgeAgent' and ${isApplied}`;
      const reported = `${applied} and properties.desired.$version = properties.reported.lastDesiredVersion and ` +
        "properties.reported.lastDesiredStatus.code";
      return {
        targetedCount: `select deviceId from devices${where(condition, isEdge)}`,
        appliedCount: applied,
        reportedSuccessfulCount: `${reported} = 200`,
        reportedFailedCount: `${reported} != 200`,
      };
    }
  }
}

/**
 * Checks the query that counts the twins that a configuration is meant for: it is longer than the condition in it.
 *
 * @throws {HubFault} `InvalidConfigurationTargetCondition` (400) when it is too long.
 */
export function checkTargetedCount(query: string, pages: QueryPages): void {
  try {
    pages.check(query, SOURCES);
  } catch (error) {
    throw error instanceof QueryFault ? invalidTarget(error.reason) : error;
  }
}

/** Runs the queries of metrics. */
export function metricResults(queries: MetricQueries, pages: QueryPages): Record<string, number> {
  return Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, pages.count(query)]));
}

/** Returns the part of a query from WHERE on. */
function where(condition: string, before?: string): string {
  if (condition.trim() === "*") return before === undefined ? "" : ` where ${before}`;
  const own = condition.trim() === "" ? "false" : condition;
  return before === undefined ? ` where ${own}` : ` where ${before} and (${own})`;
}

function invalidMetric(problem: string): HubFault {
  return new HubFault("InvalidConfigurationCustomMetricsQuery", 400, `Invalid custom metrics: ${problem}`);
}
