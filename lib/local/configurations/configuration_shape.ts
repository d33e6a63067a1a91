import { objectOf, type Shape } from "../service_json.ts";

/** The content of a configuration. The keys in it are paths to properties: their case matters. */
export const CONTENT_SHAPE: Shape = objectOf({ deviceContent: "any", moduleContent: "any", modulesContent: "any" });

/** What can be written of a configuration. */
export const CONFIGURATION_SHAPE: Readonly<Record<string, Shape>> = {
  id: "any",
  schemaVersion: "any",
  labels: "any",
  content: CONTENT_SHAPE,
  targetCondition: "any",
  priority: "number",
  metrics: objectOf({ queries: "any" }),
};
