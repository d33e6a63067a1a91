import { cannotUse, quote, wrongType } from "../values/checks.ts";
import { type HubFault, invalidArgument } from "./hub_fault.ts";

/**
 * 400 `ArgumentInvalid` for a value that breaks a rule, in the sentence that the client has for its own arguments. Text,
 * numbers and booleans are shown; of anything else only the type is.
 */
export function wrongArgument(name: string, value: unknown, expected: string): HubFault {
  switch (typeof value) {
    case "string":
      return invalidArgument(cannotUse(`${name} ${quote(value)}`, expected));
    case "number":
    case "boolean":
      return invalidArgument(cannotUse(`${name} ${value}`, expected));
    default:
      return wrongArgumentType(name, value, expected);
  }
}

/** 400 `ArgumentInvalid` for a value of the wrong type. The value is not shown, so that it may hold a secret. */
export function wrongArgumentType(name: string, value: unknown, expected: string): HubFault {
  return invalidArgument(wrongType(name, expected, value).message);
}
