import assert from "node:assert/strict";
import { type RuntimeCommand, VictimFailure, VictimProcess } from "./victim_process.ts";

const MISDEEDS: Readonly<Record<string, RegExp>> = {
  freeze: /Its tick was late by/,
  grow: /It has taken \d+ bytes/,
  reject: /unhandled rejection: .*Nobody catches this/,
  throw: /uncaught exception: .*Nobody catches this/,
  fail: /A command has failed/,
  die: /A process has ended by itself/,
};

/** Throws unless each thing that a victim must not do is noticed on a runtime. */
export async function checkAlarms(command: RuntimeCommand): Promise<void> {
  await Promise.all(
    Object.entries(MISDEEDS).map(async ([misdeed, message]) => {
      await using victim = new VictimProcess(command, "bad_victim.ts");
      await victim.ask("report");
      await assert.rejects(victim.ask(misdeed), (error) => {
        assert.ok(error instanceof VictimFailure, String(error));
        assert.match(error.message, message);
        return true;
      });
    }),
  );
}
