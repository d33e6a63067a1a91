import assert from "node:assert/strict";
import { test } from "node:test";
import { connectEventHubs, loadEventHubs, LostRenewals } from "../support/event_hubs_sdk.ts";
import { EventScene } from "../support/event_scene.ts";
import { choose, seededRandom } from "../support/random.ts";
import type { Json } from "../support/rest_caller.ts";
import { SEED } from "../support/seed.ts";
import { IS_LARGE, sized } from "../support/test_size.ts";

const EVENTS = sized(2_000, 50_000);
const FAULTS = sized(4, 20);
const DEVICES = 10;

/** Reads with the vendor's client, which goes on where it was after each loss, as the module's own does. */
function readWithSdk(connectionString: string): AsyncDisposable & { until(count: number): Promise<void> } {
  const { earliestEventPosition } = loadEventHubs();
  const texts = new Set<string>();
  const client = connectEventHubs("sdk", connectionString, 1_000);
  let wake = (): void => {};
  const subscription = client.subscribe({
    processEvents(events: Json[]) {
      for (const { body } of events) texts.add(String(body));
      wake();
      return Promise.resolve();
    },
    processError: () => Promise.resolve(),
  }, { startPosition: earliestEventPosition, maxBatchSize: 100, maxWaitTimeInSeconds: 1 });
  return {
    /** Resolves when so many different events have come. */
    async until(count) {
      while (texts.size < count) await new Promise<void>((resolve) => wake = resolve);
    },
    async [Symbol.asyncDispose]() {
      await subscription.close();
      await client.close();
    },
  };
}

const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);

test(`${EVENTS} events come once and in order through ${FAULTS} faults`, async () => {
  const random = seededRandom(SEED);
  await using scene = await EventScene.start({
    devices: DEVICES,
    client: { retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 20 } },
  });
  const { hub, registry } = scene;
  const { connectionString } = await registry.getEventHubEndpoint();
  using _renewals = new LostRenewals();
  await using sdk = isNode && IS_LARGE ? readWithSdk(connectionString!) : undefined;
  const faults = [
    () => hub.faults.drop(),
    () => hub.faults.detach(),
    () => hub.faults.expire(),
    () => {
      hub.faults.stall();
      setTimeout(() => hub.faults.resume(), 30);
    },
  ];
  const numbers = Array.from({ length: DEVICES }, () => 0);
  const send = (device: number): Promise<void> =>
    hub.device(`d${device}`).sendTelemetry(`${device}/${numbers[device]!++}`);
  for (let device = 0; device < DEVICES; device++) await send(device);
  await sdk?.until(DEVICES);
  const sending = (async () => {
    const round = Math.floor(EVENTS / FAULTS);
    for (let index = DEVICES; index < EVENTS; index++) {
      await send(Math.floor(random() * DEVICES));
      if (index % round === Math.floor(round / 2)) choose(random, faults)();
      // The vendor's client needs a minute when a fault meets it on its way back from another one.
      if (index % round === 0) await sdk?.until(index + 1);
      // Readers have their turn.
      if (index % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const next = Array.from({ length: DEVICES }, () => 0);
  let count = 0;
  for await (const { text, deviceId } of registry.receiveEvents({ from: "earliest" })) {
    const [device = "", number] = text.split("/");
    assert.equal(deviceId, `d${device}`);
    assert.equal(Number(number), next[Number(device)]!++, `the next event of ${deviceId}`);
    if (++count === EVENTS) break;
  }
  await sending;
  assert.deepEqual(next, numbers);
  await sdk?.until(EVENTS);
});
