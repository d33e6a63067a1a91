import type { FleetOptions, FleetOutcome, FleetProgress, FleetRun } from "../../lib/fleet/mod.ts";
import type { Run } from "./run.ts";

const BAR_LENGTH = 20;

/** Runs a step over devices, shows how far it is, and hands on what each outcome is that is done. Failures are noted. */
export async function fleetStep<Result>(
  run: Run,
  title: string,
  total: number,
  begin: (options: FleetOptions) => FleetRun<Result>,
  onDone: (outcome: FleetOutcome<Result>) => void = () => {},
  onFailure: (outcome: FleetOutcome<Result>) => void = ({ deviceId, error }) =>
    void run.failures.push({ deviceId, reason: error?.message ?? "it may have been done" }),
): Promise<void> {
  const { abortSignal } = run.options;
  const onProgress = (progress: FleetProgress): void => run.output.progress(`${title}: ${progressText(progress)}`);
  await run.steps.run(title, total, async (advance) => {
    for await (const outcome of begin({ total, onProgress, abortSignal })) {
      advance(1);
      if (outcome.status === "done") onDone(outcome);
      else onFailure(outcome);
    }
  });
}

/** How far a run is: a bar, the counts, the time left, and what it waits for. */
export function progressText({ done, failed, unknown, total = 0, remainingInMs, waitingFor }: FleetProgress): string {
  const finished = done + failed + unknown;
  const filled = total === 0 ? BAR_LENGTH : Math.floor(finished / total * BAR_LENGTH);
  return [
    `${"█".repeat(filled)}${"░".repeat(BAR_LENGTH - filled)} ${finished} of ${total}`,
    failed + unknown > 0 && `${failed + unknown} failed`,
    remainingInMs !== undefined && remainingInMs > 0 && `${Math.ceil(remainingInMs / 1000)} s left`,
    waitingFor && `waiting for the ${waitingFor}`,
  ].filter(Boolean).join(", ");
}
