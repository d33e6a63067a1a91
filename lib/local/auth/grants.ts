import type { HubAlarm, Sleeper } from "../hub_alarm.ts";

/** What a token allows. */
export interface ClientGrant {
  /** The policy whose key has signed the token; left out for a key of an identity, and for a bearer token. */
  readonly policyName?: string | undefined;
  /** When the token expires, in milliseconds since the epoch on the hub's clock. */
  readonly expiresOn: number;
  readonly rights: ReadonlySet<string>;
  /** The segments of the path that the token is limited to; left out when it is valid for the whole hub. */
  readonly pathPrefix?: readonly string[] | undefined;
  /** Whether the key that has signed the token has not been replaced; left out when it cannot be. */
  readonly isCurrent?: (() => boolean) | undefined;
}

/** What the tokens put on one connection allow. A new token for a path replaces the previous one. */
export class ClientGrants implements Sleeper {
  readonly #alarm: HubAlarm;
  readonly #now: () => number;
  readonly #onExpiry: (expired: readonly ClientGrant[]) => void;
  readonly #guard: (work: () => void) => void;
  readonly #grants = new Map<string, ClientGrant>();

  /**
   * @param now The hub's clock.
   * @param guard Catches what the work throws when a token expires.
   * @param onExpiry Called with the tokens that have expired.
   */
  constructor(
    alarm: HubAlarm,
    now: () => number,
    guard: (work: () => void) => void,
    onExpiry: (expired: readonly ClientGrant[]) => void,
  ) {
    this.#alarm = alarm;
    this.#guard = guard;
    this.#now = now;
    this.#onExpiry = onExpiry;
  }

  add(grant: ClientGrant): void {
    this.#grants.set(JSON.stringify(grant.pathPrefix ?? []), grant);
    this.#setAlarm();
  }

  /** Returns an unexpired token that grants a right at a path; `undefined` when there is none. */
  find(right: string, path: readonly string[]): ClientGrant | undefined {
    const now = this.#now();
    for (const grant of this.#grants.values()) {
      const { expiresOn, rights, pathPrefix = [], isCurrent } = grant;
      if (expiresOn <= now || !rights.has(right) || !pathPrefix.every((segment, i) => segment === path[i])) continue;
      if (isCurrent === undefined || isCurrent()) return grant;
    }
    return undefined;
  }

  wake(now: number): void {
    this.#guard(() => this.#dropExpired(now));
  }

  /** Drops every token. Returns those that were there. */
  clear(): ClientGrant[] {
    const dropped = [...this.#grants.values()];
    this.#grants.clear();
    this.#alarm.forget(this);
    return dropped;
  }

  #setAlarm(): void {
    const next = Math.min(...[...this.#grants.values()].map(({ expiresOn }) => expiresOn));
    if (next === Infinity) this.#alarm.forget(this);
    else this.#alarm.set(this, next);
  }

  #dropExpired(now: number): void {
    const expired = [...this.#grants].filter(([, { expiresOn }]) => expiresOn <= now);
    for (const [path] of expired) this.#grants.delete(path);
    this.#setAlarm();
    if (expired.length > 0) this.#onExpiry(expired.map(([, grant]) => grant));
  }
}
