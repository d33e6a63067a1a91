import { BackgroundTimer } from "../../timing/background_timer.ts";

/** What a token allows. */
export interface AmqpGrant {
  /** Milliseconds since the epoch, by the clock of the hub. */
  readonly expiresOn: number;
  readonly rights: ReadonlySet<string>;
  /** The segments of the path to which it is confined. Default: none, it is good for the whole hub. */
  readonly pathPrefix?: readonly string[];
}

/** A clock that stands still must not make the timer run hot. */
const SHORTEST_WAIT_IN_MS = 20;

/** The tokens that one connection has shown. One for a path takes the place of the one before it. */
export class AmqpGrants {
  readonly #now: () => number;
  readonly #onExpiry: () => void;
  readonly #grants = new Map<string, AmqpGrant>();
  readonly #timer: BackgroundTimer = new BackgroundTimer();

  /** @param onExpiry is called when a token has run out, by the clock of the hub */
  constructor(now: () => number, onExpiry: () => void) {
    this.#now = now;
    this.#onExpiry = onExpiry;
  }

  add(grant: AmqpGrant): void {
    this.#grants.set((grant.pathPrefix ?? []).join("/"), grant);
    this.#setTimer();
  }

  /** Whether a token that is still good gives the right to what is at the path. */
  covers(right: string, path: readonly string[]): boolean {
    const now = this.#now();
    for (const { expiresOn, rights, pathPrefix = [] } of this.#grants.values()) {
      if (expiresOn > now && rights.has(right) && pathPrefix.every((segment, i) => segment === path[i])) return true;
    }
    return false;
  }

  /** Forgets every token, and the timer with them. */
  clear(): void {
    this.#grants.clear();
    this.#timer.clear();
  }

  #setTimer(): void {
    const next = Math.min(...[...this.#grants.values()].map(({ expiresOn }) => expiresOn));
    if (next === Infinity) return this.#timer.clear();
    // The hub's clock tells how long, the timer can only count by the real one.
    this.#timer.setAt(Date.now() + Math.max(SHORTEST_WAIT_IN_MS, next - this.#now()), () => this.#dropExpired());
  }

  #dropExpired(): void {
    const now = this.#now();
    const expired = [...this.#grants].filter(([, { expiresOn }]) => expiresOn <= now);
    for (const [path] of expired) this.#grants.delete(path);
    this.#setTimer();
    if (expired.length > 0) this.#onExpiry();
  }
}
