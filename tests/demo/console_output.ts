import type { Output } from "./steps.ts";

const PROGRESS_INTERVAL_IN_MS = { terminal: 100, file: 5_000 };

/** What the demo needs of `process.stdout` and `process.stderr`. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
}

/**
 * Writes lines to `out` and progress to `progress`: in a terminal on one line that is written over, elsewhere on a line
 * of its own every few seconds.
 */
export function consoleOutput(out: TextStream, progress: TextStream): Output {
  const clearLine = progress.isTTY ? "\r\x1b[K" : "";
  const interval = progress.isTTY ? PROGRESS_INTERVAL_IN_MS.terminal : PROGRESS_INTERVAL_IN_MS.file;
  let last = performance.now();
  let shown = false;
  return {
    line(text = "") {
      if (shown) progress.write(clearLine);
      shown = false;
      out.write(`${text}\n`);
    },
    progress(text) {
      if (performance.now() - last < interval) return;
      last = performance.now();
      shown = true;
      progress.write(progress.isTTY ? `${clearLine}${text}` : `${text}\n`);
    },
  };
}
