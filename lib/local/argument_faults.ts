import { cannotUse, quote, wrongType } from "../values/checks.ts";
import { type HubFault, invalidArgument } from "./hub_fault.ts";

/**
 * 400 `ArgumentInvalid`: a value breaks one of the hub's rules. The text reads as the client's own checks do. It shows
 * texts, numbers and booleans, and only the type of anything else.
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

/** 400 `ArgumentInvalid`: a value has the wrong type. The text does not show the value, which may be a secret. */
export function wrongArgumentType(name: string, value: unknown, expected: string): HubFault {
  return invalidArgument(wrongType(name, expected, value).message);
}
