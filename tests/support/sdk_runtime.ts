import process from "node:process";
import { test } from "node:test";

/** The vendor's package is made for Node, and one version of it will do. */
const IS_NODE_24 = !("Deno" in globalThis) && !("Bun" in globalThis) && /^v24\./.test(process.version);

/** Defines tests of the vendor's package where it runs, and elsewhere one that is skipped. */
export function describeSdk(what: string, define: () => void | Promise<void>): void | Promise<void> {
  if (IS_NODE_24) return define();
  const reason = "azure-iothub is tested on Node 24 only";
  test(`${what} are skipped: ${reason}`, { skip: reason }, () => {});
}
