import { digest } from "./digest.ts";
import type { Journal } from "./journal.ts";
import { checkedLine, readCheckedLine } from "./journal_line.ts";
import { PositionSet } from "./position_set.ts";

/** What a line of a journal says. */
type Line =
  /** A run begins: for this hub, with this operation and settings. */
  | ["run", hostName: string, operation: string, settings: string]
  /** Entries of the source were read, from this position on; their digest. */
  | ["read", start: number, count: number, digest: string]
  /** Entries are about to be sent, each with what tells later whether the hub has it. */
  | ["sent", ...entries: [position: number, fact: string][]]
  /** Entries are done for good. */
  | ["done", ...positions: number[]]
  /** Entries were certainly not done. */
  | ["failed", ...positions: number[]];

/** A part of the source that an earlier run has read. */
interface KnownBlock {
  readonly count: number;
  readonly digest: string;
}

/** What a run is about. A journal serves runs that are about the same only. */
export interface RunSubject {
  readonly hostName: string;
  readonly operation: string;
  readonly settings: unknown;
}

/** What a run keeps in its journal, and finds there of earlier runs. Without a journal it keeps nothing. */
export class RunLog {
  readonly #journal: Journal | undefined;
  readonly #subject: RunSubject;
  readonly #done = new PositionSet();
  /** What was sent and has no end, by its position. */
  readonly #sent = new Map<number, string[]>();
  readonly #blocks: KnownBlock[] = [];
  #block = 0;
  #position = 0;
  #lines: string[] = [];
  /** The write that is under way, and the one after it. */
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #acknowledged: number[] = [];

  constructor(journal: Journal | undefined, subject: RunSubject) {
    this.#journal = journal;
    this.#subject = subject;
  }

  /** Reads what earlier runs have written. Throws if they were about something else, or the journal is damaged. */
  async open(): Promise<void> {
    if (this.#journal === undefined) return;
    const { hostName, operation, settings } = this.#subject;
    const beginning: Line = ["run", hostName, operation, await digest(JSON.stringify(settings) ?? "")];
    let torn: number | undefined;
    let number = 0;
    for await (const text of this.#journal.read()) {
      number++;
      if (text === "") continue;
      const line = readCheckedLine(text) as Line | undefined;
      // A run that was killed may have left its last line incomplete. The next one begins with a line of its own.
      if (torn !== undefined && line?.[0] !== "run") throw damaged(torn);
      torn = line === undefined ? number : undefined;
      if (line === undefined) continue;
      if (number === 1 && line[0] !== "run") throw damaged(number);
      if (line[0] === "run") checkBeginning(line, beginning as string[]);
      else this.#take(line);
    }
    await this.#append(beginning);
  }

  /** How many entries an earlier run has read together at this point of the source, if there was one. */
  get knownCount(): number | undefined {
    return this.#blocks[this.#block]?.count;
  }

  /** Notes that entries were read, or checks that they are those that an earlier run has read here. */
  async read(items: readonly unknown[]): Promise<void> {
    if (this.#journal === undefined) return;
    const start = this.#position;
    this.#position += items.length;
    const found = await digest(JSON.stringify(items));
    const known = this.#blocks[this.#block++];
    if (known === undefined) return await this.#append(["read", start, items.length, found]);
    if (known.count === items.length && known.digest === found) return;
    throw otherSource(`other entries from ${start} to ${start + known.count - 1}`);
  }

  /** Checks, at the end of the source, that an earlier run has read no more. */
  checkEnd(): void {
    if (this.knownCount !== undefined) throw otherSource(`more than ${this.#position} entries`);
  }

  /** Whether an earlier run has done an entry. */
  isDone(position: number): boolean {
    return this.#done.has(position);
  }

  /** What earlier runs have noted when they sent an entry, unless it was never sent or its end is known. */
  earlier(position: number): readonly string[] | undefined {
    return this.#sent.get(position);
  }

  /** Notes what is about to be sent. It may be sent when this resolves. */
  sent(entries: readonly [position: number, fact: string][]): Promise<void> | undefined {
    return this.#journal && this.#append(["sent", ...entries]);
  }

  /** Notes at once that an entry is done, or was certainly not done. */
  ended(position: number, how: "done" | "failed"): Promise<void> | undefined {
    return this.#journal && this.#append([how, position]);
  }

  /** Notes with the next line that an entry is done. Until then it counts as sent. */
  acknowledge(position: number): void {
    if (this.#journal !== undefined) this.#acknowledged.push(position);
  }

  /** Writes what is not yet written. */
  async close(): Promise<void> {
    if (this.#acknowledged.length > 0) await this.#append();
  }

  #take(line: Line): void {
    if (line[0] === "read") this.#blocks.push({ count: line[2], digest: line[3] });
    if (line[0] === "sent") {
      for (const [position, fact] of line.slice(1) as [number, string][]) {
        this.#sent.set(position, [...this.#sent.get(position) ?? [], fact]);
      }
    }
    if (line[0] === "done") { for (const position of line.slice(1) as number[]) this.#done.add(position); }
    if (line[0] === "done" || line[0] === "failed") {
      for (const position of line.slice(1) as number[]) this.#sent.delete(position);
    }
  }

  /** Adds a line, with all others that come up while the store is busy. */
  #append(line?: Line): Promise<void> {
    if (this.#acknowledged.length > 0) {
      this.#lines.push(checkedLine(["done", ...this.#acknowledged]));
      this.#acknowledged = [];
    }
    if (line !== undefined) this.#lines.push(checkedLine(line));
    return this.#next ??= this.#write(this.#writing);
  }

  async #write(before: Promise<void> | undefined): Promise<void> {
    await before;
    this.#writing = this.#next;
    this.#next = undefined;
    const lines = this.#lines;
    this.#lines = [];
    await this.#journal!.append(lines);
  }
}

function checkBeginning(found: readonly string[], wanted: readonly string[]): void {
  const [what, was, is] = found[1] !== wanted[1]
    ? ["the hub", found[1], wanted[1]]
    : found[2] !== wanted[2]
    ? ["the operation", found[2], wanted[2]]
    : ["a run with", "other settings", "these"];
  if (found.some((word, index) => word !== wanted[index])) {
    throw new RangeError(`Cannot use journal: it is about ${what} ${was}, not ${is}; begin a new journal`);
  }
}

function otherSource(whatItHad: string): RangeError {
  return new RangeError(
    `Cannot use journal: its source had ${whatItHad}; ` +
      "use it with the source that it was begun with, or begin a new journal",
  );
}

function damaged(line: number): RangeError {
  return new RangeError(
    `Cannot use journal: line ${line} is damaged, or was not written by a run; begin a new journal`,
  );
}
