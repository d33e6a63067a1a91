import type {
  Configuration,
  ConfigurationContent,
  ConfigurationQueriesTestInput,
  ConfigurationRequest,
} from "../../gen/types.gen.ts";
import { checkNumber, checkType, wrongType } from "../values/checks.ts";
import { checkConfigurationId } from "../values/ids.ts";
import { checkJson, isMerged, isObject, isSame, withoutNulls } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** The members that the hub reads of a configuration. */
const MEMBERS = ["id", "schemaVersion", "labels", "content", "targetCondition", "priority", "metrics"];

/** Members of a configuration that only the hub writes. */
const READ_ONLY = ["createdTimeUtc", "lastUpdatedTimeUtc", "systemMetrics", "etag"];

const CONTENTS = ["deviceContent", "modulesContent", "moduleContent"];

/** Priorities are whole numbers of 32 bits. */
function isPriority(priority: number): boolean {
  return Number.isInteger(priority) && Math.abs(priority) < 2 ** 31;
}

/**
 * Returns the body of a request that writes a configuration, without what only the hub writes. Throws unless it is a legal
 * configuration.
 */
export function configurationBody(configuration: ConfigurationRequest): ConfigurationRequest {
  checkMembers("configuration", configuration, [...MEMBERS, ...READ_ONLY]);
  const { id, content } = configuration;
  const { schemaVersion, labels, targetCondition, priority, metrics } = withoutNulls(configuration);
  checkConfigurationId("configuration.id", id);
  checkContent("configuration.content", content);
  checkTexts("configuration.labels", labels);
  if (schemaVersion !== undefined) checkType("configuration.schemaVersion", schemaVersion, "string");
  if (targetCondition !== undefined) checkType("configuration.targetCondition", targetCondition, "string");
  if (priority !== undefined) {
    checkNumber("configuration.priority", priority, isPriority, "a whole number of 32 bits");
  }
  if (metrics !== undefined) checkMembers("configuration.metrics", metrics, ["queries", "results"]);
  // The hub itself writes the results of the queries.
  const queries = metrics && { queries: metrics.queries };
  checkTexts("configuration.metrics.queries", metrics?.queries);
  const body = { id, schemaVersion, labels, content, targetCondition, priority, metrics: queries };
  checkJson("configuration", body);
  return body;
}

/** Throws unless an argument is the content of a configuration. */
export function checkContent(name: string, content: unknown): asserts content is ConfigurationContent {
  checkMembers(name, content, CONTENTS);
  for (const member of CONTENTS) {
    checkObject(`${name}.${member}`, (content as Record<string, unknown>)[member]);
  }
  checkJson(name, content);
}

/** Throws unless a member is an object, or is not there. Some hubs return null for those that are not. */
function checkObject(name: string, member: unknown): void {
  if (!isObject(member ?? {})) throw wrongType(name, "an object", member);
}

/** Throws unless a member is an object of texts, or is not there. */
function checkTexts(name: string, member: unknown): void {
  checkObject(name, member);
  for (const [key, text] of Object.entries(member ?? {})) {
    if (text !== undefined) checkType(`${name}.${key}`, text, "string");
  }
}

/** Throws unless an argument can be the input of a test of queries. */
export function checkTestInput(input: ConfigurationQueriesTestInput): void {
  checkMembers("input", input, ["targetCondition", "customMetricQueries"]);
  const { targetCondition, customMetricQueries } = input;
  if (targetCondition !== undefined) checkType("input.targetCondition", targetCondition, "string");
  checkTexts("input.customMetricQueries", customMetricQueries);
}

/** Whether a configuration that was found is the one that a create has sent. */
export function isCreated(sent: ConfigurationRequest, found: Configuration): boolean {
  return isSame(sent.content, found.content) && isUpdated(sent, found);
}

/**
 * Whether a configuration that was found is the result of this update. The content is not compared: the hub takes it, and
 * leaves it as it was created.
 */
export function isUpdated(sent: ConfigurationRequest, found: Configuration): boolean {
  // What is left out is reset, so that a value of somebody else tells the two apart.
  const { schemaVersion, targetCondition = "", priority = 0 } = sent;
  return isMerged({ schemaVersion }, found) &&
    targetCondition === (found.targetCondition ?? "") && priority === (found.priority ?? 0) &&
    isSame(sent.labels ?? {}, found.labels ?? {}) &&
    isSame(sent.metrics?.queries ?? {}, found.metrics?.queries ?? {});
}
