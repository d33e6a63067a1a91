import { HubFault } from "../hub_fault.ts";
import type { Documents } from "../queries/collection.ts";
import { compileCondition, parseCondition } from "../queries/conditions.ts";
import { pathsOf, resolvePath } from "../queries/paths.ts";
import { invalidQuery, QueryFault } from "../queries/query_fault.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { TwinDocuments } from "../twins/twin_documents.ts";

/** Which twins a configuration is for. */
export interface Target {
  /** The condition as it was sent. */
  readonly condition: string;
  /** Whether it is for this twin, provided that its content is for twins of this kind. */
  readonly includes: (record: AnyRecord) => boolean;
}

/** The twins that a condition can be about. */
export type TargetSource = "devices" | "devices.modules";

const MODULES = "devices.modules";

/** The members of twins that a condition can be about. */
const PATHS: Readonly<Record<TargetSource, readonly string[]>> = {
  devices: ["deviceId", "tags", "properties.reported"],
  "devices.modules": ["deviceId", "moduleId", "tags", "properties.reported"],
};

/** Reads the target conditions of configurations. */
export class TargetConditions {
  readonly #shape: TwinDocuments["queried"];

  constructor({ queried }: TwinDocuments) {
    this.#shape = queried;
  }

  /**
   * Reads a condition: `*` for all twins of the source, nothing for none.
   *
   * @throws {HubFault} `InvalidConfigurationTargetCondition` (400) when it is not valid.
   */
  read(condition: string, source: TargetSource): Target {
    if (condition.trim() === "") return { condition, includes: () => false };
    if (condition.trim() === "*") return { condition, includes: () => true };
    return { condition, includes: this.#compile(condition, source) };
  }

  /**
   * Returns what is wrong with a condition for twins of whatever source; `undefined` for nothing. Unlike a configuration,
   * this does not know the condition `*`.
   */
  problemWith(condition: string): string | undefined {
    try {
      this.#compile(condition, undefined);
      return undefined;
    } catch (error) {
      if (error instanceof HubFault) return error.message;
      throw error;
    }
  }

  #compile(condition: string, expected: TargetSource | undefined): (record: AnyRecord) => boolean {
    try {
      const parsed = parseCondition(condition, expected === "devices" ? [] : [MODULES]);
      const source = parsed.source === undefined ? "devices" : MODULES;
      if (expected !== undefined && source !== expected) {
        throw invalidQuery(`it must start with FROM ${MODULES} WHERE, as its content is for modules`);
      }
      const documents: Documents<AnyRecord> = { name: source, shape: this.#shape };
      for (const path of pathsOf(parsed.expression)) {
        const name = resolvePath(path, documents).join(".");
        const isLegal = PATHS[source].some((start) => name === start || name.startsWith(`${start}.`));
        if (!isLegal) throw invalidQuery(`it names ${path.join(".")}`);
      }
      return compileCondition(parsed.expression, documents);
    } catch (error) {
      throw error instanceof QueryFault ? invalidTarget(error.reason) : error;
    }
  }
}

/** 400 `InvalidConfigurationTargetCondition`, in the words of the real hub. The local hub adds the reason. */
export function invalidTarget(reason: string): HubFault {
  return new HubFault(
    "InvalidConfigurationTargetCondition",
    400,
    "Invalid targetCondition. It must be a filter condition based on 'deviceId', 'tags', or 'properties.reported'. " +
      `Here ${reason}`,
  );
}
