import { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import type { Entry, Work } from "./fleet_operation.ts";
import type { FleetOptions } from "./fleet_options.ts";
import type { Settlement } from "./fleet_outcome.ts";
import { illegalEntry } from "./illegal_entry.ts";
import { CallFailure, isOfDevice, type PatientRequest } from "./patient_calls.ts";

/** The options of a run whose entries must not be carried out twice. */
export interface FleetOnceOptions extends FleetOptions {
  /**
   * Whether to carry out again what an earlier run with the same journal may have carried out. Otherwise it is reported as
   * `"unknown"`.
   * @default {false}
   */
  repeatUnknown?: boolean | undefined;
}

/** Carries out an entry that must not be carried out twice. */
export async function carryOutOnce<Item, Result>(
  operation: string,
  [entry]: readonly Entry<Item>[],
  work: Work<Item, Result>,
  repeatUnknown: boolean,
  request: Omit<PatientRequest<Result>, "mayRepeat">,
): Promise<void> {
  await work.settle(entry!, await settlementOf(operation, entry!, work, repeatUnknown, request));
}

async function settlementOf<Item, Result>(
  operation: string,
  entry: Entry<Item>,
  work: Work<Item, Result>,
  repeatUnknown: boolean,
  request: Omit<PatientRequest<Result>, "mayRepeat">,
): Promise<Settlement<Result>> {
  const { deviceId, moduleId, earlier } = entry;
  if (earlier !== undefined && !repeatUnknown) {
    const call = { operation, deviceId, ...(moduleId !== undefined && { moduleId }) };
    const reason = "an earlier run may have carried it out; repeatUnknown carries it out again";
    return { status: "unknown", error: failure(call, "OperationNotAllowedInCurrentState", reason) };
  }
  let isNoted = false;
  const send = async (options: object): Promise<Result> => {
    // As late as possible, so that what waits for its turn is not taken for sent.
    if (!isNoted) await work.sent([entry]);
    isNoted = true;
    return await request.send(options);
  };
  try {
    const { value } = await work.calls.make({ ...request, send, mayRepeat: false });
    return { status: "done", ...(value !== undefined && { result: value }) };
  } catch (error) {
    if (!(error instanceof CallFailure) || !error.concernsRequest) throw error;
    const { reason, mayHaveRun } = error;
    if (!(reason instanceof IoTHubError)) return illegalEntry(operation, reason);
    const isUnknown = mayHaveRun || isOfDevice(reason.errorNumber);
    return { status: isUnknown ? "unknown" : "failed", error: reason };
  }
}
