import process from "node:process";

/** Set by the task `prove`; without it the gate's sample runs, which takes seconds. */
export const IS_LARGE: boolean = process.env["TEST_SIZE"] === "large";

/** How much of a test is done: the gate does a sample of it, `deno task prove` does all. */
export function sized(sample: number, large: number): number {
  return IS_LARGE ? large : sample;
}
