/** What the order of entries depends on. */
interface Ordered {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** The entries for one device that are not done, and those of them that have begun. */
interface Line<T> {
  readonly begun: Set<T>;
  readonly waiting: T[];
}

/**
 * Keeps the order of entries for the same device. An entry begins when all earlier ones for the same identity are done. A
 * module is part of its device, so an entry for the device waits for those of its modules too, and the other way round.
 */
export class DeviceOrder<T extends Ordered> {
  readonly #lines = new Map<string, Line<T>>();
  #ready: T[] = [];

  /** How many entries may begin. */
  get ready(): number {
    return this.#ready.length;
  }

  add(entry: T): void {
    let line = this.#lines.get(entry.deviceId);
    if (line === undefined) this.#lines.set(entry.deviceId, line = { begun: new Set(), waiting: [] });
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
    const line = this.#lines.get(entry.deviceId)!;
    line.begun.delete(entry);
    this.#advance(line);
    if (line.begun.size === 0) this.#lines.delete(entry.deviceId);
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
