import { wrongArgument } from "../argument_faults.ts";
import type { ConfigurationRegistry } from "../configurations/configuration_registry.ts";
import { configurationEtag } from "../configurations/configuration_record.ts";
import { CONFIGURATION_SHAPE } from "../configurations/configuration_shape.ts";
import { preconditionFailed } from "../hub_fault.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { objectOf, readServiceJson } from "../service_json.ts";
import { readChoice } from "./choices.ts";

const LINE_SHAPE = objectOf({ ...CONFIGURATION_SHAPE, etag: "any", importMode: "any" });
const IF_MATCH = "createOrUpdateIfMatchETag";
const MODES = ["createOrUpdate", IF_MATCH] as const;
/** The members whose own members are the hub's, too; the names in all others are their owner's. */
const NESTED: readonly string[] = ["content", "metrics", "systemMetrics"];

/** Copies configurations to lines of a file and from them. Unlike all other JSON of the hub, these begin names in upper case. */
export class ConfigurationCopies {
  readonly #configurations: ConfigurationRegistry;

  constructor(configurations: ConfigurationRegistry) {
    this.#configurations = configurations;
  }

  /** Returns all configurations, each as its line. */
  *exported(): Generator<JsonObject> {
    for (const record of this.#configurations.all()) {
      const { etag, ...document } = this.#configurations.documentOf(record);
      yield { ...inUpperCase(JSON.parse(JSON.stringify(document))), ETag: etag! };
    }
  }

  /**
   * Creates or replaces a configuration as a line says.
   *
   * @throws {HubFault} When it breaks a rule.
   */
  take(line: JsonObject): void {
    const body = readServiceJson(line, LINE_SHAPE) as JsonObject;
    const { id, etag, importMode } = body;
    if (typeof id !== "string") throw wrongArgument("Id", id, "a string");
    const mode = readChoice("importMode", importMode ?? MODES[0], MODES);
    const record = this.#configurations.find(id);
    if (record === undefined) return void this.#configurations.create(id, body);
    if (mode === IF_MATCH && etag !== configurationEtag(record)) {
      throw preconditionFailed(`ETag mismatch for configuration ID '${id}'`);
    }
    this.#configurations.replace(record, body);
  }
}

function inUpperCase(document: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(document).map(([name, value]): [string, JsonValue] => [
      name.charAt(0).toUpperCase() + name.slice(1),
      NESTED.includes(name) && isJsonObject(value) ? inUpperCase(value) : value,
    ]),
  );
}
