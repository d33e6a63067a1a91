import { isJsonObject, type JsonValue } from "../json.ts";

/** What a device reports of a property that the service may write: its value, and how it took the one that was wanted. */
export interface Acknowledgement {
  readonly value: JsonValue | undefined;
  readonly code: number;
  readonly version: number;
  readonly description: JsonValue | undefined;
}

/** Reads a reported property as an acknowledgement; `undefined` when it is a plain value. */
export function readAcknowledgement(reported: JsonValue | undefined): Acknowledgement | undefined {
  if (!isJsonObject(reported)) return undefined;
  const { value, ac, av, ad } = reported;
  if (typeof ac !== "number" || typeof av !== "number") return undefined;
  return { value, code: ac, version: av, description: ad };
}

/** Returns the value that a device reports of a property. */
export function reportedValue(reported: JsonValue | undefined): JsonValue | undefined {
  const acknowledgement = readAcknowledgement(reported);
  return acknowledgement === undefined ? reported : acknowledgement.value;
}
