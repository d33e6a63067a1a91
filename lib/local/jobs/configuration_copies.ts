import { notInThisVersion } from "../hub_fault.ts";
import type { JsonObject } from "../json.ts";

/** What a job that includes configurations needs of them. */
export interface ConfigurationCopies {
  /** Returns all configurations, each as its line in the file. */
  exported(): Iterable<JsonObject>;
  /**
   * Takes a configuration from a line of the file.
   *
   * @throws {HubFault} When it breaks a rule.
   */
  take(line: JsonObject): void;
}

/** The copies of a hub without configurations. */
export const NO_CONFIGURATIONS: ConfigurationCopies = {
  exported: () => [],
  take() {
    throw notInThisVersion("The import of configurations");
  },
};
