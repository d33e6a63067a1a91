import type { HubClient } from "./hub_client.ts";

/** A class of clients. Its constructor need not be public. */
export interface ClientClass {
  readonly prototype: HubClient;
}

/**
 * Creates a class that extends `base` and takes over the methods of all `nouns`.
 *
 * The function has no side effects. So a bundler can leave out a call that is marked `@__PURE__` if its result is not used,
 * and the nouns with it.
 */
export function sum(base: ClientClass, ...nouns: readonly ClientClass[]): unknown {
  const Sum = class extends (base as unknown as new (view: unknown) => HubClient) {};
  for (const { prototype } of nouns) {
    const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(prototype);
    Object.defineProperties(Sum.prototype, methods as PropertyDescriptorMap);
  }
  return Sum;
}
