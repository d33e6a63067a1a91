import { checkId } from "../values/ids.ts";
import { wrongType } from "../values/checks.ts";
import type { Settlement } from "./fleet_outcome.ts";
import type { FleetTarget } from "./fleet_options.ts";
import type { PatientCalls } from "./patient_calls.ts";

/** Names a device, or a module of it. */
export interface Target {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** An entry of the source that is to be carried out. */
export interface Entry<Item> extends Target {
  readonly item: Item;
  readonly position: number;
  /** What earlier runs have noted when they sent it, if its end is not known. */
  readonly earlier: readonly string[] | undefined;
  /** Whether it was sent and is not settled. */
  isSent: boolean;
}

/** What a run gives an operation to work with. */
export interface Work<Item, Result> {
  readonly calls: PatientCalls;
  /** Whether there is a journal, for which facts are worth the trouble. */
  readonly keepsFacts: boolean;
  /** Notes that entries are about to be sent, each with a fact that will tell whether the hub has it, if there is one. */
  sent(entries: readonly Entry<Item>[], facts?: readonly string[]): Promise<void>;
  /** Reports what has become of an entry. */
  settle(entry: Entry<Item>, settlement: Settlement<Result>): Promise<void> | undefined;
}

/** What a run does with each entry. */
export interface FleetOperation<Item, Result> {
  /** The function's name, for errors and the journal. */
  readonly name: string;
  /** The methods of the manager without which it cannot begin. */
  readonly methods: readonly string[];
  /** What else the entries depend on, for the journal. */
  readonly settings: unknown;
  /** How many entries go into one request. */
  readonly batchSize: number;
  /** How many requests may be in progress by default. */
  readonly concurrency: number;
  /** Whether an entry must not be carried out twice, so that it counts as done as soon as it is. */
  readonly runsOnce: boolean;
  /** Returns what an entry is about. Throws if it is not legal. */
  targetOf(item: Item): Target;
  /** Carries out some entries, of which no two are about the same. Each is settled, unless this throws. */
  carryOut(entries: readonly Entry<Item>[], work: Work<Item, Result>): Promise<void>;
}

/** Reads what names a device or module. Throws unless it is legal. */
export function readTarget(target: FleetTarget): Target {
  if (typeof target === "string") return checkTarget({ deviceId: target });
  if (typeof target !== "object" || target === null) {
    throw wrongType("the entry", "an id or an object with a deviceId", target);
  }
  return checkTarget(target);
}

/** Throws unless the ids are legal. */
export function checkTarget({ deviceId, moduleId }: Target): Target {
  checkId("deviceId", deviceId);
  if (moduleId === undefined || moduleId === null) return { deviceId };
  checkId("moduleId", moduleId);
  return { deviceId, moduleId };
}
