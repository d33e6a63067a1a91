import process from "node:process";

/** Where whatever is random in a test starts: another one in each run. */
export const SEED: number = Number(process.env["TEST_SEED"] ?? Date.now() % 0x7fffffff);

console.log(`TEST_SEED=${SEED} in the environment repeats this run`);
