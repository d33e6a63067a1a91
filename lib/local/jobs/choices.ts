import { quote } from "../../values/checks.ts";
import { wrongArgument } from "../argument_faults.ts";

/**
 * Reads a value that is one of several words, whose case does not matter.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is none of them.
 */
export function readChoice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  const wanted = typeof value === "string" ? value.toLowerCase() : undefined;
  const choice = choices.find((candidate) => candidate.toLowerCase() === wanted);
  if (choice === undefined) throw wrongArgument(name, value, choices.map(quote).join(" or "));
  return choice;
}
