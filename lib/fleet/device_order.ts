/** What the order of entries depends on. */
interface Ordered {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** Several entries for one device that are not done: those that have begun, and those that wait for them. */
class Line<T extends Ordered> {
  readonly begun: Set<T>;
  readonly waiting: T[] = [];

  constructor(first: T) {
    this.begun = new Set([first]);
  }
}

/**
 * Keeps the order of entries for the same device. An entry begins when all earlier ones for the same identity are done. A
 * module is part of its device, so an entry for the device waits for those of its modules too, and the other way round.
 */
export class DeviceOrder<T extends Ordered> {
  /** What has begun or waits, by device. Most devices have one entry alone. */
  readonly #open = new Map<string, T | Line<T>>();
  #ready: T[] = [];
  /** How many devices have several. */
  #lines = 0;

  /** How many entries may begin. */
  get ready(): number {
    return this.#ready.length;
  }

  add(entry: T): void {
    const open = this.#open.get(entry.deviceId);
    if (open === undefined) {
      this.#open.set(entry.deviceId, entry);
      this.#ready.push(entry);
      return;
    }
    let line = open;
    if (!(line instanceof Line)) {
      this.#open.set(entry.deviceId, line = new Line(line));
      this.#lines++;
    }
    line.waiting.push(entry);
    this.#advance(line);
  }

  /** Takes up to `count` entries that may begin. */
  take(count: number): T[] {
    const rest = this.#ready.splice(count);
    const taken = this.#ready;
    this.#ready = rest;
    return taken;
  }

  /** Lets the entries begin that waited for this one. */
  done(entry: T): void {
    const open = this.#lines === 0 ? undefined : this.#open.get(entry.deviceId);
    if (open instanceof Line) {
      open.begun.delete(entry);
      this.#advance(open);
      if (open.begun.size > 0) return;
      this.#lines--;
    }
    this.#open.delete(entry.deviceId);
  }

  #advance({ begun, waiting }: Line<T>): void {
    while (waiting.length > 0) {
      for (const other of begun) if (areOrdered(other, waiting[0]!)) return;
      const entry = waiting.shift()!;
      begun.add(entry);
      this.#ready.push(entry);
    }
  }
}

/** Whether one of two entries for the same device must be done before the other begins. */
function areOrdered(one: Ordered, other: Ordered): boolean {
  return one.moduleId === undefined || other.moduleId === undefined || one.moduleId === other.moduleId;
}
