import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LineProcess } from "../support/line_process.ts";
import { within } from "./within.ts";
import type { VictimAnswer, VictimReport, VictimRequest } from "./victim.ts";

/** How late the victim's tick of 100 ms may be. */
const LONGEST_GAP_IN_MS = 1_000;
/** How much memory a victim may take, all that a runtime needs by itself included. */
const MOST_BYTES = 300 * 2 ** 20;
/** A victim that says nothing while it works for so long is frozen, however busy the machine is. */
const MOST_WORK_IN_MS = 5_000;
/** The same by the clock, where nobody tells how long a process has worked. */
const PATIENCE_IN_MS = 60_000;

/** The project's root. */
export const ROOT: string = join(import.meta.dirname!, "..", "..");

/** How a runtime is started, before the path of a script. */
export type RuntimeCommand = readonly [string, ...string[]];

/** What a victim must not do, and did. */
export class VictimFailure extends Error {
  override readonly name = "VictimFailure";
}

/** An attacked process, which can be asked how it is. */
export class VictimProcess implements AsyncDisposable {
  readonly #process: LineProcess;
  #isDead = false;
  /** What the process has last told of itself. */
  report: VictimReport = { longestGapInMs: 0, sizeInBytes: 0, peakInBytes: 0, faults: [] };

  /** `command` is how a runtime is started, before the path of a script. */
  constructor(command: RuntimeCommand, script: string) {
    this.#process = new LineProcess([...command, join("tests", "fuzz", script)], {
      cwd: ROOT,
      env: { NODE_NO_WARNINGS: "1" },
    });
  }

  /** Whether it can go on, after all that has happened. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /**
   * Has the victim do something.
   *
   * @throws {VictimFailure} If it fails, does not answer, or has done since the last time what it must not do.
   */
  async ask<T>(command: string, argument?: unknown): Promise<T> {
    const request: VictimRequest = { command, argument };
    let answer: VictimAnswer;
    try {
      answer = await this.#watch(this.#exchange(request));
    } catch (error) {
      throw await this.#end(`${command}: ${(error as Error).message}`);
    }
    this.report = answer.report;
    const { longestGapInMs, peakInBytes, faults } = answer.report;
    if (faults.length > 0) throw await this.#end(faults.join("\n"));
    if (longestGapInMs > LONGEST_GAP_IN_MS) throw await this.#end(`Its tick was late by ${longestGapInMs} ms`);
    if (peakInBytes > MOST_BYTES) throw await this.#end(`It has taken ${peakInBytes} bytes`);
    if (answer.error !== undefined) throw await this.#end(`${command}: ${answer.error}`);
    return answer.result as T;
  }

  /** Waits for an answer, and sees to it that the victim does not work on it for ever. */
  async #watch(answer: Promise<VictimAnswer>): Promise<VictimAnswer> {
    const worked = workOf(this.#process.pid);
    let watch: ReturnType<typeof setInterval> | undefined;
    const frozen = new Promise<never>((_resolve, reject) => {
      watch = setInterval(() => {
        if (workOf(this.#process.pid) - worked > MOST_WORK_IN_MS) reject(new Error("It is frozen"));
      }, 500);
    });
    try {
      return await within(Promise.race([answer, frozen]), PATIENCE_IN_MS, "It has not answered");
    } finally {
      clearInterval(watch);
    }
  }

  async #exchange(request: VictimRequest): Promise<VictimAnswer> {
    await this.#process.write(JSON.stringify(request));
    return await this.#process.read();
  }

  /** After a failure nobody knows what it is worth. */
  async #end(reason: string): Promise<VictimFailure> {
    this.#isDead = true;
    await this.#process.kill();
    return new VictimFailure(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDead = true;
    await this.#process.kill();
  }
}

/** How long a process has worked, in milliseconds; always 0 where the operating system does not tell so. */
function workOf(pid: number): number {
  try {
    // After the name of the program, which may have spaces, and in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}
