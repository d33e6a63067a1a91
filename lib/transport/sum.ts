import type { HubClient } from "./hub_client.ts";

/** A class of clients, whoever may construct it. */
export interface ClientClass {
  readonly prototype: HubClient;
}

/**
 * A class that extends `base` and takes over the methods of all `nouns`.
 *
 * It changes nothing outside itself, so that a call marked `@__PURE__` drops out of bundles that do not use the result, and
 * the nouns with it.
 */
export function sum(base: ClientClass, ...nouns: readonly ClientClass[]): unknown {
  const Sum = class extends (base as unknown as new (view: unknown) => HubClient) {};
  for (const { prototype } of nouns) {
    const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(prototype);
    Object.defineProperties(Sum.prototype, methods as PropertyDescriptorMap);
  }
  return Sum;
}
