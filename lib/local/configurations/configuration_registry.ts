import type {
  Configuration,
  ConfigurationQueriesTestInput,
  ConfigurationQueriesTestResponse,
} from "../../../gen/index.ts";
import { wrongArgument } from "../argument_faults.ts";
import { HubFault } from "../hub_fault.ts";
import { utcTime } from "../hub_time.ts";
import type { JsonObject } from "../json.ts";
import type { QueryPages } from "../queries/pages.ts";
import type { HubStorage, Keeper } from "../storage/hub_storage.ts";
import type { Table } from "../storage/table.ts";
import type { TwinDocuments } from "../twins/twin_documents.ts";
import { configurationEtag, type ConfigurationRecord, type ConfigurationSettings } from "./configuration_record.ts";
import { type Content, readContent } from "./content.ts";
import {
  checkMetricQueries,
  checkTargetedCount,
  metricResults,
  problemsWithMetricQueries,
  systemMetricQueries,
} from "./metrics.ts";
import { readSettings } from "./settings.ts";
import { type Target, TargetConditions } from "./target_condition.ts";

const ID = /^[a-z0-9\-+%_*!']{1,128}$/;
const ID_RULE = "1 to 128 characters of a-z0-9-+%_*!'";
const MAX_CONFIGURATIONS = 100;

/** What is kept of a configuration: what it is made of again. */
interface ConfigurationRow extends Omit<ConfigurationRecord, "content" | "target"> {
  readonly content: JsonObject;
  readonly condition: string;
}

/** Keeps the configurations of the hub, by its rules. It does not carry them out. */
export class ConfigurationRegistry implements Keeper {
  readonly #now: () => number;
  readonly #queries: QueryPages;
  readonly #targets: TargetConditions;
  readonly #table: Table<ConfigurationRecord>;
  readonly #records = new Map<string, ConfigurationRecord>();
  /** The ids of the configurations whose metrics have results. */
  readonly #evaluated = new Set<string>();
  #listener: () => void = () => {};
  #lastSequence = 0;

  constructor(now: () => number, queries: QueryPages, documents: TwinDocuments, storage: HubStorage) {
    this.#now = now;
    this.#queries = queries;
    this.#targets = new TargetConditions(documents);
    this.#table = storage.table({
      name: "configurations",
      keyOf: ({ id }) => id,
      valueOf: ({ content, target, ...rest }): ConfigurationRow => ({
        ...rest,
        content: content.json,
        condition: target.condition,
      }),
      items: () => this.#records.values(),
    });
  }

  /** The number of configurations. */
  get size(): number {
    return this.#records.size;
  }

  /** Calls a listener whenever a configuration was created, replaced or deleted. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  /** Returns all configurations in the order of their creation. */
  all(): Iterable<ConfigurationRecord> {
    return this.#records.values();
  }

  /** Returns a configuration; `undefined` when it does not exist. */
  find(id: string): ConfigurationRecord | undefined {
    return this.#records.get(id);
  }

  /**
   * Returns a configuration.
   *
   * @throws {HubFault} `ConfigurationNotFound` (404) when it does not exist.
   */
  require(id: string): ConfigurationRecord {
    const record = this.find(id);
    if (record === undefined) throw new HubFault("ConfigurationNotFound", 404, `There is no configuration ${id}`);
    return record;
  }

  /**
   * Creates a configuration.
   *
   * @throws {HubFault} `ConfigurationAlreadyExists` (409), `ConfigurationCountLimitExceeded` (413), or 400 when the body
   * breaks a rule.
   */
  create(id: string, body: JsonObject): ConfigurationRecord {
    if (!ID.test(id)) throw wrongArgument("the id of the configuration", id, ID_RULE);
    if (this.#records.has(id)) {
      throw new HubFault("ConfigurationAlreadyExists", 409, `A configuration with ID '${id}' already exists.`);
    }
    const content = readContent(body["content"]);
    const settings = this.#settingsOf(body, content);
    if (this.#records.size >= MAX_CONFIGURATIONS) {
      throw new HubFault(
        "ConfigurationCountLimitExceeded",
        413,
        `The hub has ${MAX_CONFIGURATIONS} configurations and cannot have more`,
      );
    }
    const now = this.#now();
    return this.#put({
      ...settings,
      id,
      sequence: ++this.#lastSequence,
      content,
      createdTime: now,
      lastUpdatedTime: now,
      etagCounter: 1,
    });
  }

  /**
   * Replaces what can be changed of a configuration. The content must be there, and stays as it was created.
   *
   * @throws {HubFault} 400 when the body breaks a rule.
   */
  replace(record: ConfigurationRecord, body: JsonObject): ConfigurationRecord {
    readContent(body["content"]);
    const settings = this.#settingsOf(body, record.content);
    return this.#put({
      ...record,
      ...settings,
      lastUpdatedTime: this.#now(),
      etagCounter: record.etagCounter + 1,
    });
  }

  /** Deletes a configuration. What it has set in twins stays there. */
  delete(record: ConfigurationRecord): void {
    this.#records.delete(record.id);
    this.#evaluated.delete(record.id);
    this.#table.delete(record);
    this.#listener();
  }

  clear(): void {
    this.#records.clear();
    this.#evaluated.clear();
    this.#lastSequence = 0;
  }

  /** All twins are looked at again. */
  load(): void {
    for (const { value } of this.#table.read()) {
      const { content: json, condition, ...rest } = value as ConfigurationRow;
      const content = readContent(json);
      this.#records.set(rest.id, { ...rest, content, target: this.#targetOf(condition, content) });
      this.#lastSequence = Math.max(this.#lastSequence, rest.sequence);
    }
    this.#listener();
  }

  /** Must be called when twins are as the configurations say. From then on, their metrics have results. */
  markEvaluated(): void {
    for (const id of this.#records.keys()) this.#evaluated.add(id);
  }

  /** Returns the document of a configuration, as the hub answers reads and writes. */
  documentOf(record: ConfigurationRecord): Configuration {
    return {
      id: record.id,
      schemaVersion: record.schemaVersion,
      labels: record.labels,
      content: record.content.json,
      targetCondition: record.target.condition,
      createdTimeUtc: utcTime(record.createdTime),
      lastUpdatedTimeUtc: utcTime(record.lastUpdatedTime),
      priority: record.priority,
      systemMetrics: this.#metricsOf(record, systemMetricQueries(record)),
      metrics: this.#metricsOf(record, record.metricQueries),
      etag: configurationEtag(record),
    };
  }

  /** Returns what is wrong with a target condition and with queries of metrics. */
  testQueries(
    { targetCondition, customMetricQueries }: ConfigurationQueriesTestInput,
  ): ConfigurationQueriesTestResponse {
    const targetConditionError = targetCondition === undefined ? undefined : this.#targets.problemWith(targetCondition);
    return {
      ...(targetConditionError !== undefined && { targetConditionError }),
      customMetricQueryErrors: problemsWithMetricQueries(customMetricQueries ?? {}, this.#queries),
    };
  }

  #settingsOf(body: JsonObject, content: Content): ConfigurationSettings {
    const { targetCondition, ...settings } = readSettings(body);
    const target = this.#targetOf(targetCondition, content);
    checkMetricQueries(settings.metricQueries, this.#queries);
    return { ...settings, target };
  }

  #targetOf(condition: string, { kind }: Content): Target {
    return this.#targets.read(condition, kind === "moduleContent" ? "devices.modules" : "devices");
  }

  #put(record: ConfigurationRecord): ConfigurationRecord {
    checkTargetedCount(systemMetricQueries(record)["targetedCount"]!, this.#queries);
    this.#records.set(record.id, record);
    this.#table.put(record);
    this.#listener();
    return record;
  }

  #metricsOf({ id }: ConfigurationRecord, queries: Readonly<Record<string, string>>): Configuration["metrics"] {
    const results = this.#evaluated.has(id) ? metricResults(queries, this.#queries) : {};
    return { results, queries };
  }
}
