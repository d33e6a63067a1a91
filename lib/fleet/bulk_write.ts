import type { BulkRegistryOperationResult, ExportImportDevice } from "../../gen/types.gen.ts";
import { errorNumberOf } from "../errors/error_codes.ts";
import { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import type { DeviceIdentities } from "../identities/device_identities.ts";
import type { Entry, Target, Work } from "./fleet_operation.ts";
import { illegalEntry } from "./illegal_entry.ts";
import { CallFailure } from "./patient_calls.ts";

/** What all runs have in common that write in bulk. The hub takes no more in one request. */
export const IN_BULK = {
  methods: ["bulkCreateOrUpdateDevices"],
  settings: null,
  batchSize: 100,
  concurrency: 16,
  runsOnce: false,
} as const;

/** What is to be written for an entry. */
export interface BulkElement<Item, Result> {
  readonly entry: Entry<Item>;
  readonly body: ExportImportDevice;
  /** What an entry has for a result that is done. */
  readonly result: Result;
}

/** Tells whether the hub has an element, when it refuses what may have been done before. */
export type FindEarlier<Item, Result> = (
  element: BulkElement<Item, Result>,
  code: string,
) => Promise<Settlement<Result> | undefined>;

type Settlement<Result> = { readonly status: "done"; readonly result?: Result };

/** Writes elements in bulk, and settles each of their entries. */
export async function writeInBulk<Item, Result>(
  registry: DeviceIdentities,
  operation: string,
  elements: readonly BulkElement<Item, Result>[],
  work: Work<Item, Result>,
  findEarlier: FindEarlier<Item, Result>,
): Promise<void> {
  await new BulkWrite(registry, operation, elements, work, findEarlier).write(elements);
}

class BulkWrite<Item, Result> {
  readonly #registry: DeviceIdentities;
  readonly #operation: string;
  readonly #work: Work<Item, Result>;
  readonly #findEarlier: FindEarlier<Item, Result>;
  /** What the hub may have done before. */
  readonly #unsure = new Set<BulkElement<Item, Result>>();

  constructor(
    registry: DeviceIdentities,
    operation: string,
    elements: readonly BulkElement<Item, Result>[],
    work: Work<Item, Result>,
    findEarlier: FindEarlier<Item, Result>,
  ) {
    this.#registry = registry;
    this.#operation = operation;
    this.#work = work;
    this.#findEarlier = findEarlier;
    for (const element of elements) if (element.entry.earlier !== undefined) this.#unsure.add(element);
  }

  /** Sends elements until each has an answer. */
  async write(elements: readonly BulkElement<Item, Result>[]): Promise<void> {
    for (let open = elements; open.length > 0;) {
      let answer: BulkRegistryOperationResult;
      try {
        answer = await this.#send(open);
      } catch (error) {
        if (!(error instanceof CallFailure) || !error.concernsRequest) throw error;
        return await this.#writeApart(open, error);
      }
      open = await this.#settleAll(open, errorsIn(answer));
    }
  }

  async #send(elements: readonly BulkElement<Item, Result>[]): Promise<BulkRegistryOperationResult> {
    const { value, wasUnsure } = await this.#work.calls.make({
      operation: elements.every(({ body }) => body.importMode?.startsWith("updateTwin")) ? "twinUpdates" : "registry",
      devices: elements.length,
      isBulk: true,
      mayRepeat: true,
      send: (options) => this.#registry.bulkCreateOrUpdateDevices(elements.map(({ body }) => body), options),
    });
    if (wasUnsure) this.#doubt(elements);
    return value;
  }

  /** Finds the one that spoils a request for the others. */
  async #writeApart(elements: readonly BulkElement<Item, Result>[], failed: CallFailure): Promise<void> {
    if (failed.mayHaveRun) this.#doubt(elements);
    if (elements.length > 1) {
      const middle = Math.ceil(elements.length / 2);
      await this.write(elements.slice(0, middle));
      return await this.write(elements.slice(middle));
    }
    const { reason, mayHaveRun } = failed;
    const settlement = reason instanceof IoTHubError
      ? { status: mayHaveRun ? "unknown" : "failed", error: reason } as const
      : illegalEntry(this.#operation, reason);
    await this.#work.settle(elements[0]!.entry, settlement);
  }

  /** Settles elements by the errors in an answer. Returns those for which the hub was too busy. */
  async #settleAll(
    elements: readonly BulkElement<Item, Result>[],
    errors: ReadonlyMap<string, ElementError>,
  ): Promise<BulkElement<Item, Result>[]> {
    const again: BulkElement<Item, Result>[] = [];
    const settling: Promise<void>[] = [];
    for (const element of elements) {
      const error = errors.size === 0 ? undefined : errors.get(keyOf(element.entry));
      if (error !== undefined && isPassing(error)) {
        again.push(element);
        continue;
      }
      const settled = error === undefined
        ? this.#work.settle(element.entry, doneWith(element.result))
        : this.#settleRefused(element, error);
      if (settled !== undefined) settling.push(settled);
    }
    await Promise.all(settling);
    this.#doubt(again);
    return again;
  }

  async #settleRefused(element: BulkElement<Item, Result>, error: ElementError): Promise<void> {
    const found = this.#unsure.has(element) ? await this.#findEarlier(element, error.errorCode) : undefined;
    const refused = { status: "failed", error: elementError(this.#operation, element.entry, error) } as const;
    await this.#work.settle(element.entry, found ?? refused);
  }

  #doubt(elements: readonly BulkElement<Item, Result>[]): void {
    for (const element of elements) this.#unsure.add(element);
  }
}

/** Why an element was not written, or not in full. */
interface ElementError extends Target {
  readonly errorCode: string;
  readonly errorStatus: string;
}

function errorsIn({ errors, warnings }: BulkRegistryOperationResult): Map<string, ElementError> {
  const found = new Map<string, ElementError>();
  // An identity without its twin is not what was asked for.
  for (const { deviceId, warningCode, warningStatus } of warnings ?? []) {
    found.set(keyOf({ deviceId }), { deviceId, errorCode: warningCode, errorStatus: warningStatus });
  }
  for (const error of errors) found.set(keyOf(error), error);
  return found;
}

function doneWith<Result>(result: Result): Settlement<Result> {
  return result === undefined ? { status: "done" } : { status: "done", result };
}

function keyOf({ deviceId, moduleId }: Target): string {
  return `${deviceId}/${moduleId ?? ""}`;
}

/** Whether the hub was too busy for one element of a request. */
function isPassing({ errorCode }: ElementError): boolean {
  const status = Math.floor((errorNumberOf(errorCode) ?? 0) / 1000);
  return status === 429 || status === 500 || status === 503;
}

function elementError(
  operation: string,
  { deviceId, moduleId }: Target,
  { errorCode, errorStatus }: ElementError,
): IoTHubError {
  const errorNumber = errorNumberOf(errorCode);
  const call = { operation, deviceId, ...(moduleId !== undefined && { moduleId }) };
  return failure(call, errorCode, `the hub answered ${errorCode}${errorStatus ? `: ${errorStatus}` : ""}`, {
    ...(errorNumber !== undefined && { errorNumber, statusCode: Math.floor(errorNumber / 1000) }),
  });
}
