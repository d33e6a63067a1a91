import type { IoTHubError } from "../errors/errors.ts";

/** What became of one entry of a run. */
export interface FleetOutcome<Result = unknown> {
  /** The id of the device. */
  readonly deviceId: string;
  /** The id of the module, if the entry is about one. */
  readonly moduleId?: string | undefined;
  /**
   * `"done"`: the hub has done it; `"skipped"`: an earlier run with the same journal did it; `"failed"`: it was not done;
   * `"unknown"`: it may have been done, and nothing tells.
   */
  readonly status: "done" | "skipped" | "failed" | "unknown";
  /** What came of it, where the operation has a result and it is done. */
  readonly result?: Result | undefined;
  /** Why it failed, or is not known. */
  readonly error?: IoTHubError | undefined;
}

/** What an operation knows of an entry in the end. */
export type Settlement<Result> = Pick<FleetOutcome<Result>, "status" | "result" | "error">;
