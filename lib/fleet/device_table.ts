/** How many chains there are. With more devices than that they get longer, and nothing else. */
const CHAINS = 4096;

interface Link<V> {
  readonly deviceId: string;
  value: V;
  next: Link<V> | undefined;
}

/**
 * A table by device. It does what a `Map` would, whose deletions and string keys take several times as long: a run adds and
 * removes millions of devices, and has few at a time.
 */
export class DeviceTable<V> {
  readonly #chains: (Link<V> | undefined)[] = Array.from({ length: CHAINS }, () => undefined);

  get(deviceId: string): V | undefined {
    for (let link = this.#chains[chainOf(deviceId)]; link !== undefined; link = link.next) {
      if (link.deviceId === deviceId) return link.value;
    }
    return undefined;
  }

  set(deviceId: string, value: V): void {
    const chain = chainOf(deviceId);
    const first = this.#chains[chain];
    for (let link = first; link !== undefined; link = link.next) {
      if (link.deviceId !== deviceId) continue;
      link.value = value;
      return;
    }
    this.#chains[chain] = { deviceId, value, next: first };
  }

  delete(deviceId: string): void {
    const chain = chainOf(deviceId);
    let before: Link<V> | undefined;
    for (let link = this.#chains[chain]; link !== undefined; link = link.next) {
      if (link.deviceId !== deviceId) {
        before = link;
        continue;
      }
      if (before === undefined) this.#chains[chain] = link.next;
      else before.next = link.next;
      return;
    }
  }
}

/** Ids differ anywhere, so that each character counts. */
function chainOf(deviceId: string): number {
  let hash = 0;
  for (let index = 0; index < deviceId.length; index++) hash = (Math.imul(hash, 31) + deviceId.charCodeAt(index)) | 0;
  return (hash ^ (hash >>> 12)) & (CHAINS - 1);
}
