import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { isJsonObject, type JsonObject } from "../json.ts";

const MAX_PRIORITY = 2 ** 31 - 1;

/** The members of a configuration that can be changed, read one by one. */
export interface SentSettings {
  readonly schemaVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly targetCondition: string;
  readonly priority: number;
  readonly metricQueries: Readonly<Record<string, string>>;
}

/**
 * Reads what a configuration has besides its id and its content. What is left out has its default.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when a member has the wrong type.
 */
export function readSettings(body: JsonObject): SentSettings {
  return {
    schemaVersion: readText("schemaVersion", body["schemaVersion"]) ?? "1.0",
    labels: readTexts("labels", body["labels"]),
    targetCondition: readText("targetCondition", body["targetCondition"]) ?? "",
    priority: readPriority(body["priority"]),
    metricQueries: readTexts("metrics.queries", readMetrics(body["metrics"])["queries"]),
  };
}

/** Reads a text; `undefined` when it is left out. */
export function readText(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrongArgument(name, value, "a string");
}

/** Reads texts with names; none when they are left out. */
export function readTexts(name: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw wrongArgumentType(name, value, "an object");
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      if (typeof text === "string") return [key, text];
      throw wrongArgument(`${name}.${key}`, text, "a string");
    }),
  );
}

function readMetrics(value: unknown): JsonObject {
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  throw wrongArgumentType("metrics", value, "an object");
}

function readPriority(value: unknown): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_PRIORITY) return value;
  throw wrongArgument("priority", value, `a whole number from 0 to ${MAX_PRIORITY}`);
}
