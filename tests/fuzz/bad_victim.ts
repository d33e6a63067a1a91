/** A victim that does what none must: whoever watches over victims has to notice. `run.ts` starts it on each runtime. */
import process from "node:process";
import { cpuTimeInMs, Victim } from "./victim.ts";

const kept: Uint8Array[] = [];
const victim = new Victim();

await victim.serve({
  freeze(): void {
    const began = cpuTimeInMs();
    while (cpuTimeInMs() - began < 1_300);
  },
  async grow(): Promise<void> {
    // In pieces, since on a busy machine the whole takes so long that it would be found frozen first.
    for (let piece = 0; piece < 40; piece++) {
      kept.push(new Uint8Array(10 * 2 ** 20).fill(1));
      await nextTurn();
    }
  },
  async reject(): Promise<void> {
    void Promise.reject(new Error("Nobody catches this"));
    await nextTurn();
  },
  async throw(): Promise<void> {
    setTimeout(() => {
      throw new Error("Nobody catches this");
    });
    await nextTurn();
  },
  fail(): never {
    throw new Error("A command has failed");
  },
  die(): void {
    process.exit(0);
  },
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
