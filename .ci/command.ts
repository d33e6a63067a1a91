/** What came of a check. */
export interface Outcome {
  success: boolean;
  output: string;
  /** Figures worth telling, also of a success. */
  note?: string | undefined;
}

/** A program that hangs has failed; it must not hold up the rest for ever. */
const TIME_LIMIT_IN_MS = 480_000;

/** Runs a program to its end, in the current folder. */
export function command(program: string, ...args: string[]): Promise<Outcome> {
  return commandIn(".", program, ...args);
}

/** Runs a program to its end, in a folder of its own. */
export async function commandIn(folder: string, program: string, ...args: string[]): Promise<Outcome> {
  const signal = AbortSignal.timeout(TIME_LIMIT_IN_MS);
  const options = { args, cwd: folder, env: { NO_COLOR: "1" }, stdin: "null", signal } as const;
  const { success, stdout, stderr } = await new Deno.Command(program, options).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  return { success, output: signal.aborted ? `${output}\nEnded after ${TIME_LIMIT_IN_MS / 1000} s` : output };
}

/** Several outcomes as one; the output is that of the failures. */
export function together(outcomes: readonly Outcome[]): Outcome {
  const failures = outcomes.filter(({ success }) => !success);
  return { success: failures.length === 0, output: failures.map(({ output }) => output).join("\n") };
}
