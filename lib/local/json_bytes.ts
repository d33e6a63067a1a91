import { cannotUse } from "../values/checks.ts";
import { invalidArgument } from "./hub_fault.ts";
import { type JsonValue, MAX_JSON_DEPTH, parseOutsideJson } from "./json.ts";

/**
 * Returns the JSON that a message holds; `undefined` when there is nothing.
 *
 * @param name Says in an error what the JSON is.
 * @throws {HubFault} `ArgumentInvalid` (400) when it is not JSON, or nested too deep.
 */
export function readJsonBytes(name: string, bytes: Uint8Array): JsonValue | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.trim() === "" ? undefined : parseOutsideJson(text);
  } catch (error) {
    if (error instanceof RangeError) {
      throw invalidArgument(cannotUse(name, `nested at most ${MAX_JSON_DEPTH} levels deep`));
    }
    throw invalidArgument(cannotUse(name, "JSON in UTF-8"));
  }
}
