import { isSame } from "../../values/json.ts";
import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import { HubFault } from "../hub_fault.ts";
import type { ModuleRegistry } from "../identities/module_registry.ts";
import { batches } from "../records/batches.ts";
import { isPresent } from "../records/find_identity.ts";
import type { AnyRecord, ConfigurationStates, DeviceRecord, ModuleRecord } from "../records/identity_records.ts";
import type { WatchedIdentityStore } from "../records/watched_identity_store.ts";
import type { TwinWrites } from "../twins/twin_writes.ts";
import { assign, type Assignment } from "./assignments.ts";
import { compareRank, type ConfigurationRecord, stampOf } from "./configuration_record.ts";
import type { ConfigurationRegistry } from "./configuration_registry.ts";
import type { Content } from "./content.ts";
import { addModules, deploymentFor, type EdgeConfiguration, type EdgeDeployment } from "./edge_deployment.ts";

/** What the evaluation works with. */
export interface EvaluationParts {
  readonly now: () => number;
  readonly alarm: HubAlarm;
  readonly store: WatchedIdentityStore;
  readonly modules: ModuleRegistry;
  readonly twins: TwinWrites;
  readonly configurations: ConfigurationRegistry;
}

/** How many are looked at before others have their turn: some hundredths of a second. */
const RECORDS_A_TURN = 2_000;

/** A configuration that is meant for a twin, and what it gives to it. */
interface Claim {
  readonly configuration: ConfigurationRecord;
  readonly isApplied: boolean;
  readonly assignments: readonly Assignment[];
}

/** All configurations by the kind of their contents, the lowest rank first. */
interface Ranked {
  readonly ofDevices: readonly ConfigurationRecord[];
  readonly ofModules: readonly ConfigurationRecord[];
  readonly ofEdge: readonly EdgeConfiguration[];
}

/**
 * Carries out configurations in the background: after each change of a configuration it looks at all twins, and after a
 * change of a twin at that one. What a configuration has set, and somebody else has changed, it sets again.
 */
export class ConfigurationEvaluation implements Sleeper {
  readonly #parts: EvaluationParts;
  /** The records to look at, beside those of a sweep. */
  #due: Set<AnyRecord> = new Set();
  /** What a sweep over all devices has not looked at yet; `undefined` while there is no sweep. */
  #sweep: Iterator<readonly DeviceRecord[], undefined> | undefined;
  #isAlarmSet = false;

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
    parts.store.onWrite((record) => this.#noteWrite(record));
    parts.configurations.onChange(() => this.#noteChange());
  }

  wake(): void {
    this.#isAlarmSet = false;
    const { configurations } = this.#parts;
    const ranked = rank(configurations.all());
    this.#lookAtDue(ranked);
    this.#goOnWithSweep(ranked);
    if (this.#due.size > 0 || this.#sweep !== undefined) this.#setAlarm();
    if (this.#sweep === undefined) configurations.markEvaluated();
  }

  #noteWrite(record: AnyRecord): void {
    if (this.#parts.configurations.size === 0) return;
    this.#due.add(record);
    this.#setAlarm();
  }

  #noteChange(): void {
    // So it is when a new hub reads what it has.
    if (this.#parts.configurations.size === 0 && this.#parts.store.devices.size === 0) return;
    this.#sweep = batches(this.#parts.store.devices, RECORDS_A_TURN);
    this.#setAlarm();
  }

  #setAlarm(): void {
    if (this.#isAlarmSet) return;
    this.#isAlarmSet = true;
    this.#parts.alarm.set(this, this.#parts.now());
  }

  #lookAtDue(ranked: Ranked): void {
    // Taken beforehand, since what is written meanwhile is due again.
    const records = [...take(this.#due, RECORDS_A_TURN)];
    for (const record of records) this.#due.delete(record);
    for (const record of records) {
      if (!isPresent(this.#parts.store, record)) continue;
      if (record.kind === "device") this.#evaluateDevice(record, ranked);
      else this.#evaluateModule(record, deploymentFor(record.device, ranked.ofEdge), ranked);
    }
  }

  /** Looks at the next devices, each with its modules. */
  #goOnWithSweep(ranked: Ranked): void {
    const devices = this.#sweep?.next().value ?? [];
    for (const device of devices) this.#evaluateDevice(device, ranked);
    if (devices.length < RECORDS_A_TURN) this.#sweep = undefined;
  }

  #evaluateDevice(device: DeviceRecord, ranked: Ranked): void {
    const deployment = deploymentFor(device, ranked.ofEdge);
    addModules(this.#parts.modules, device, deployment.applied.map(({ content }) => content));
    const claims = [
      ...claimsOf(device, ranked.ofDevices),
      ...claimsOfDeployment(deployment, () => []),
    ];
    this.#carryOut(device, claims);
    for (const module of device.modules.values()) this.#evaluateModule(module, deployment, ranked);
  }

  #evaluateModule(module: ModuleRecord, deployment: EdgeDeployment, ranked: Ranked): void {
    const { moduleId } = module;
    const ofDeployment = claimsOfDeployment(deployment, ({ modules }) => {
      // The metrics of a deployment look at $edgeAgent, whether or not it is given anything.
      return modules.get(moduleId) ?? (moduleId === "$edgeAgent" ? [] : undefined);
    });
    this.#carryOut(module, [...claimsOf(module, ranked.ofModules), ...ofDeployment]);
  }

  #carryOut(record: AnyRecord, claims: readonly Claim[]): void {
    const { store } = this.#parts;
    const configurations = this.#apply(record, claims);
    if (isSame(configurations, record.twin.configurations)) return;
    store.update(record, { twin: { ...record.twin, configurations } });
  }

  /** Gives a twin what the claims say. One that cannot take it, since it would be too large, stays as it is. */
  #apply(record: AnyRecord, claims: readonly Claim[]): ConfigurationStates {
    const applied = claims.filter(({ isApplied, assignments }) => isApplied && assignments.length > 0)
      .sort((one, other) => compareRank(one.configuration, other.configuration));
    let isWritten = true;
    if (applied.length > 0) {
      try {
        const desired = assign(record.twin.desired.values, applied.flatMap(({ assignments }) => assignments));
        this.#parts.twins.configure(record, desired, stampOf(applied.at(-1)!.configuration));
      } catch (error) {
        if (!(error instanceof HubFault)) throw error;
        isWritten = false;
      }
    }
    return Object.fromEntries(
      claims.map(({ configuration, isApplied }) => {
        return [configuration.id, { status: isApplied && isWritten ? "Applied" : "Targeted" }];
      }),
    );
  }
}

function* take<T>(items: Iterable<T>, count: number): Iterable<T> {
  for (const item of items) {
    if (count-- === 0) return;
    yield item;
  }
}

function rank(configurations: Iterable<ConfigurationRecord>): Ranked {
  const ranked = [...configurations].sort(compareRank);
  return {
    ofDevices: ranked.filter(({ content }) => content.kind === "deviceContent"),
    ofModules: ranked.filter(({ content }) => content.kind === "moduleContent"),
    ofEdge: ranked.filter((one): one is EdgeConfiguration => one.content.kind === "modulesContent"),
  };
}

/** The highest of the configurations that are meant for a twin is applied, and no other one. */
function claimsOf(record: AnyRecord, ranked: readonly ConfigurationRecord[]): Claim[] {
  const targeted = ranked.filter(({ target }) => target.includes(record));
  return targeted.map((configuration, index) => ({
    configuration,
    isApplied: index === targeted.length - 1,
    assignments: assignmentsOf(configuration.content),
  }));
}

/** A deployment has a claim to a twin where `find` returns what it gives to it. */
function claimsOfDeployment(
  { targeted, applied }: EdgeDeployment,
  find: (content: EdgeConfiguration["content"]) => readonly Assignment[] | undefined,
): Claim[] {
  return targeted.flatMap((configuration) => {
    const assignments = find(configuration.content);
    return assignments === undefined
      ? []
      : [{ configuration, isApplied: applied.includes(configuration), assignments }];
  });
}

function assignmentsOf(content: Content): readonly Assignment[] {
  return content.kind === "modulesContent" ? [] : content.assignments;
}
