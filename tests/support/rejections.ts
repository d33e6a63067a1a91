import assert from "node:assert/strict";
import type { IoTHubRegistryManager } from "../../mod.ts";
import { Recorder } from "./recorder.ts";

/** A call that must not get as far as a request. */
export type BadCall = (registry: IoTHubRegistryManager) => unknown;

/**
 * Asserts that a call returns a promise, that this rejects with exactly the error class `kind` and a message that names
 * the argument, and that nothing was sent.
 */
export async function assertRefused(
  call: BadCall,
  kind: typeof TypeError | typeof RangeError,
  argument: string,
): Promise<void> {
  const recorder = new Recorder({ body: {} });
  await using registry = recorder.connect();
  const promise = call(registry);
  assert.ok(promise instanceof Promise, "the call must return a promise");
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.constructor, kind, `${error}`);
    assert.ok(error.message.startsWith(`Cannot use ${argument}`), error.message);
    return true;
  });
  assert.equal(recorder.requests.length, 0);
}
