import type { Journal } from "../../lib/fleet/mod.ts";

/** A journal in memory, of which any beginning can be looked at. */
export class MemoryJournal implements Journal {
  readonly lines: string[] = [];

  async *read(): AsyncGenerator<string> {
    yield* this.lines;
  }

  append(lines: string[]): Promise<void> {
    this.lines.push(...lines);
    return Promise.resolve();
  }
}
