import type { CryptoKey } from "../../values/crypto_key.ts";
import type { Policy } from "./authorization.ts";

/** The keys of policies as they are needed to verify. Those of each policy are imported once, when it is used first. */
export class ImportedKeys {
  readonly #import: (key: string) => Promise<CryptoKey>;
  readonly #keys = new Map<Policy, Promise<CryptoKey[]>>();

  /** @param importKey Imports one key. */
  constructor(importKey: (key: string) => Promise<CryptoKey>) {
    this.#import = importKey;
  }

  /** Returns both keys of a policy. */
  of(policy: Policy): Promise<CryptoKey[]> {
    let keys = this.#keys.get(policy);
    if (keys === undefined) {
      keys = Promise.all([policy.primaryKey, policy.secondaryKey].map((key) => this.#import(key)));
      this.#keys.set(policy, keys);
    }
    return keys;
  }
}
