import { IoTHubError } from "../errors/errors.ts";
import { follow, unfollow } from "../timing/abort_listeners.ts";
import { abortReason } from "../timing/deadline.ts";
import { type HubClient, viewOf } from "../transport/hub_client.ts";
import { checkType, wrongType } from "../values/checks.ts";
import { DeviceOrder } from "./device_order.ts";
import type { Entry, FleetOperation, Work } from "./fleet_operation.ts";
import { checkFleetOptions, type FleetOptions, type FleetSource } from "./fleet_options.ts";
import type { FleetOutcome, Settlement } from "./fleet_outcome.ts";
import { type FleetProgress, ProgressReport } from "./fleet_progress.ts";
import { illegalEntry } from "./illegal_entry.ts";
import { LimitPace } from "./limit_pace.ts";
import { paceOf } from "./pace.ts";
import { type KnownOutcome, OutcomeQueue } from "./outcome_queue.ts";
import { CallFailure, PatientCalls, type RequestPace } from "./patient_calls.ts";
import { RunLog } from "./run_log.ts";
import { SourceReader } from "./source_reader.ts";

/**
 * A run over many devices: an async iterable of outcomes, which begins with the loop over it and can be looped over once.
 * The outcomes come in the order in which they are known.
 *
 * The source is read only as fast as the hub takes its entries, and the run goes on only as fast as the loop reads its
 * outcomes. A `break` lets the requests end that are in progress, and sends no more. If the run cannot go on, the loop gets
 * the outcomes that are known, and then throws.
 */
export interface FleetRun<Result = unknown> extends AsyncIterable<FleetOutcome<Result>> {
  /** How far the run is. */
  readonly progress: FleetProgress;
  /** Begins the run. */
  [Symbol.asyncIterator](): AsyncIterableIterator<FleetOutcome<Result>>;
}

/** Begins a run, of which nothing happens before its outcomes are asked for. Throws unless the options are legal. */
export function newRun<Item, Result>(
  registry: HubClient,
  operation: FleetOperation<Item, Result>,
  source: FleetSource<Item>,
  options: FleetOptions,
  ownOptions: readonly string[] = [],
): FleetRun<Result> {
  checkFleetOptions(options, ownOptions);
  const { hub } = viewOf(registry, "registry");
  // Another noun, or the manager of the entry without messages, would fail each entry.
  for (const name of operation.methods) {
    checkType(`registry.${name}`, (registry as unknown as Record<string, unknown>)[name], "function");
  }
  const { throttle, limits } = options;
  const iterable = source as Partial<Iterable<Item> & AsyncIterable<Item>> | null | undefined;
  const iterates = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
  if (typeof source === "string" || typeof iterates !== "function") {
    throw wrongType("the source", "an iterable or async iterable", source);
  }
  const pace = paceOf(hub);
  if (throttle !== undefined) pace.document(throttle);
  const paces = limits?.maxRequestsPerSecond === undefined
    ? [pace]
    : [pace, new LimitPace(limits.maxRequestsPerSecond)];
  const concurrency = limits?.maxConcurrentRequests ?? operation.concurrency;
  return new Run(operation, source, options, { hostName: hub.access.hostName, concurrency, paces });
}

/** What a run needs of its hub. */
interface Means {
  readonly hostName: string;
  readonly concurrency: number;
  readonly paces: readonly RequestPace[];
}

class Run<Item, Result> implements FleetRun<Result>, AsyncIterableIterator<FleetOutcome<Result>> {
  readonly #operation: FleetOperation<Item, Result>;
  readonly #source: SourceReader<Item>;
  readonly #signal: AbortSignal | undefined;
  readonly #concurrency: number;
  readonly #report: ProgressReport;
  readonly #log: RunLog;
  readonly #work: Work<Item, Result>;
  readonly #order = new DeviceOrder<Entry<Item>>();
  readonly #running = new Set<Promise<void>>();
  readonly #known = new OutcomeQueue<Result>();
  /** How many entries may be read whose outcomes the loop has not read. */
  readonly #mostOpen: number;
  #open = 0;
  #position = 0;
  /** What the loop has read last. It has dealt with it when it asks for the next. */
  #last: KnownOutcome<Result> | undefined;
  #reading: Promise<void> | undefined;
  /** Whether the reader will bring more entries without delay. */
  #isFilling = false;
  #isStopped = false;
  #isOver = false;
  #hasEnded = false;
  #failure: { readonly reason: unknown } | undefined;
  #onChange: (() => void)[] = [];

  constructor(
    operation: FleetOperation<Item, Result>,
    source: FleetSource<Item>,
    options: FleetOptions,
    { hostName, concurrency, paces }: Means,
  ) {
    this.#operation = operation;
    this.#concurrency = concurrency;
    this.#signal = options.abortSignal;
    this.#mostOpen = (concurrency + 2) * operation.batchSize;
    const size = Array.isArray(source) ? source.length : source instanceof Set ? source.size : undefined;
    this.#report = new ProgressReport(options.total ?? size, options.onProgress, (error) => this.#fail(error));
    const { waits } = this.#report;
    this.#source = new SourceReader(source, waits);
    this.#log = new RunLog(options.journal, { hostName, operation: operation.name, settings: operation.settings });
    this.#work = {
      calls: new PatientCalls(paces, waits, this.#signal),
      keepsFacts: options.journal !== undefined,
      sent: async (entries, facts) => {
        if (options.journal !== undefined) {
          await this.#log.sent(entries.map(({ position }, index) => [position, facts?.[index] ?? ""]));
        }
        for (const entry of entries) entry.isSent = true;
      },
      settle: (entry, settlement) => this.#settle(entry, settlement),
    };
  }

  get progress(): FleetProgress {
    return this.#report.current;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<FleetOutcome<Result>, undefined>> {
    this.#reading ??= this.#read();
    this.#acknowledge();
    const known = this.#take();
    return known === undefined ? this.#nextOrEnd() : Promise.resolve(known);
  }

  #take(): IteratorResult<FleetOutcome<Result>, undefined> | undefined {
    const known = this.#known.take();
    if (known === undefined) return undefined;
    this.#last = known;
    return { done: false, value: known.outcome };
  }

  async #nextOrEnd(): Promise<IteratorResult<FleetOutcome<Result>, undefined>> {
    while (!this.#isOver) {
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
      const known = this.#take();
      if (known !== undefined) return known;
    }
    await this.#end();
    const failed = this.#failure;
    this.#failure = undefined;
    if (failed !== undefined) throw failed.reason;
    return { done: true, value: undefined };
  }

  /** Ends the run when the loop is left. The outcome that the loop has read last counts as dealt with. */
  async return(): Promise<IteratorResult<FleetOutcome<Result>, undefined>> {
    this.#acknowledge();
    this.#stop();
    await (this.#reading ?? this.#source.close());
    await this.#end().catch(() => {});
    return { done: true, value: undefined };
  }

  /** Reads the source to its end, and sends its entries. It never rejects. */
  async #read(): Promise<void> {
    const abort = (): void => this.#fail(abortReason(this.#signal));
    try {
      if (this.#signal?.aborted) abort();
      else if (this.#signal !== undefined) follow(this.#signal, abort);
      if (!this.#isStopped) await this.#log.open();
      while (!this.#isStopped) {
        const size = this.#log.knownCount ?? this.#operation.batchSize;
        this.#isFilling = true;
        const items = await this.#source.read(size, this.#log.knownCount !== undefined, () => this.#pause());
        if (items.length === 0 || this.#isStopped) break;
        await this.#log.read(items);
        for (const item of items) this.#add(item);
        this.#dispatch();
        await this.#room();
      }
      if (!this.#isStopped) {
        this.#log.checkEnd();
        this.#report.total = this.#position;
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#pause();
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
      this.#pause();
    }
    await this.#source.close().catch((error) => this.#fail(error));
    if (this.#signal !== undefined) unfollow(this.#signal, abort);
    this.#isOver = true;
    this.#changed();
  }

  #add(item: Item): void {
    const position = this.#position++;
    this.#open++;
    try {
      const target = this.#operation.targetOf(item);
      if (this.#log.isDone(position)) {
        this.#report.count("skipped");
        this.#known.add({ ...target, status: "skipped" }, undefined);
        this.#changed();
      } else {
        const { deviceId, moduleId } = target;
        this.#order.add({ deviceId, moduleId, item, position, earlier: this.#log.earlier(position), isSent: false });
      }
    } catch (error) {
      const outcome = { deviceId: nameOf(item), ...illegalEntry(this.#operation.name, error) };
      this.#report.count("failed");
      this.#known.add(outcome, undefined);
      this.#changed();
    }
  }

  /** Sends what there is: nothing more will come at once. */
  #pause(): void {
    this.#isFilling = false;
    this.#dispatch();
  }

  /** Waits until there is room for more entries. */
  async #room(): Promise<void> {
    while (this.#open >= this.#mostOpen && !this.#isStopped) {
      this.#pause();
      const { waits } = this.#report;
      const wait = !this.#known.isEmpty && this.#running.size === 0 ? "consumer" : undefined;
      const change = new Promise<void>((resolve) => this.#onChange.push(resolve));
      await (wait === undefined ? change : waits.during(wait, change));
    }
  }

  #dispatch(): void {
    const { batchSize } = this.#operation;
    while (!this.#isStopped && this.#running.size < this.#concurrency) {
      const { ready } = this.#order;
      // A request that is not full is better filled, if more entries are about to come.
      if (ready === 0 || (ready < batchSize && this.#isFilling && this.#running.size > 0)) return;
      const running = this.#carryOut(this.#order.take(batchSize)).then(() => {
        this.#running.delete(running);
        this.#dispatch();
        this.#changed();
      });
      this.#running.add(running);
    }
  }

  /** Carries out some entries. It never rejects. */
  async #carryOut(entries: readonly Entry<Item>[]): Promise<void> {
    try {
      await this.#operation.carryOut(entries, this.#work);
    } catch (error) {
      const isCallFailure = error instanceof CallFailure;
      const reason = isCallFailure ? error.reason : error;
      this.#fail(reason);
      for (const entry of entries) {
        const { isSent } = entry;
        entry.isSent = false;
        if (!isSent || (isCallFailure && !error.mayHaveRun)) continue;
        this.#tell(entry, { status: "unknown", ...(reason instanceof IoTHubError && { error: reason }) }, undefined);
      }
    }
  }

  /** Reports what has become of an entry, once the journal has what it must have. */
  #settle(entry: Entry<Item>, settlement: Settlement<Result>): Promise<void> | undefined {
    const { status } = settlement;
    const isDone = status === "done";
    const { runsOnce } = this.#operation;
    const isNoted = status === "failed" || (isDone && runsOnce);
    const noting = isNoted ? this.#log.ended(entry.position, isDone ? "done" : "failed") : undefined;
    return noting === undefined
      ? this.#settled(entry, settlement)
      : noting.then(() => this.#settled(entry, settlement));
  }

  #settled(entry: Entry<Item>, settlement: Settlement<Result>): undefined {
    entry.isSent = false;
    const isToAcknowledge = settlement.status === "done" && !this.#operation.runsOnce;
    this.#tell(entry, settlement, isToAcknowledge ? entry.position : undefined);
    this.#order.done(entry);
  }

  #tell(entry: Entry<Item>, settlement: Settlement<Result>, position: number | undefined): void {
    this.#report.count(settlement.status);
    this.#known.add(outcomeOf(entry, settlement), position);
    this.#changed();
  }

  #acknowledge(): void {
    if (this.#last === undefined) return;
    const { position } = this.#last;
    this.#last = undefined;
    if (position !== undefined) this.#log.acknowledge(position);
    this.#open--;
    if (this.#open === this.#mostOpen - this.#operation.batchSize) this.#changed();
  }

  /** Ends the run in order: nothing more is sent, and what is known is told. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#stop();
  }

  #stop(): void {
    this.#isStopped = true;
    this.#source.stop();
    this.#changed();
  }

  async #end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#report.end();
    try {
      await this.#log.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  #changed(): void {
    if (this.#onChange.length === 0) return;
    const waiting = this.#onChange;
    this.#onChange = [];
    for (const go of waiting) go();
  }
}

function outcomeOf<Result>(
  { deviceId, moduleId }: Entry<unknown>,
  settlement: Settlement<Result>,
): FleetOutcome<Result> {
  const { status, result, error } = settlement;
  // Nearly all are one of the first two, which a spread would make ten times as dear.
  if (moduleId === undefined && error === undefined) {
    return result === undefined ? { deviceId, status } : { deviceId, status, result };
  }
  return moduleId === undefined ? { deviceId, ...settlement } : { deviceId, moduleId, ...settlement };
}

/** Returns what an entry that is not legal calls its device, if it does. */
function nameOf(item: unknown): string {
  const { deviceId, id = item } = (item ?? {}) as { deviceId?: unknown; id?: unknown };
  const name = deviceId ?? id;
  return typeof name === "string" ? name : "";
}
