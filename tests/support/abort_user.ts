/** A program that aborts calls in all phases; run by a test, which sees that it ends by itself. */
import { DEAF_FETCH, PHASES } from "./abort_phases.ts";

const results: { name: string; milliseconds: number; isReason: boolean }[] = [];
for (const phase of [...PHASES, DEAF_FETCH]) {
  for (const options of [{}, { fetch: (url: string, init?: RequestInit) => fetch(url, init) }]) {
    const { error, reason, milliseconds } = await phase.run(options);
    results.push({ name: phase.name, milliseconds, isReason: error === reason });
  }
}
console.log(JSON.stringify(results));
