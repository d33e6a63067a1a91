import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { SEED } from "../support/seed.ts";
import { sized } from "../support/test_size.ts";

const DEVICES = 50;
const ROUNDS = sized(1, 10);
/** Long enough for a busy machine, and shorter than some stalls. */
const ATTEMPT_TIMEOUT_IN_MS = 1_000;
/** Of one device, so that its queue of 50 has room, also for what comes twice. */
const MESSAGES_AT_ONCE = 12;

/** Everything the hub can do to a connection. What returns a promise is over when that has settled. */
const EVENTS: Record<string, (hub: LocalHub, random: Random) => Promise<void>> = {
  drop: (hub) => Promise.resolve(hub.faults.drop()),
  detach: (hub) => Promise.resolve(hub.faults.detach()),
  expire: (hub) => Promise.resolve(hub.faults.expire()),
  restart: (hub, random) => hub.faults.restart(random() * 100),
  async stall(hub, random) {
    hub.faults.stall();
    await new Promise((resolve) => setTimeout(resolve, (0.2 + 1.3 * random()) * ATTEMPT_TIMEOUT_IN_MS));
    hub.faults.resume();
  },
};
const NAMES = Object.keys(EVENTS);

/** What devices got: of each, the numbers and ids of its messages as they came. */
type Arrivals = Map<string, { number: number; messageId: string | undefined }[]>;

/** Sends `count` messages to one device, in order, some of them at once. */
async function feed(registry: IoTHubRegistryManager, deviceId: string, count: number): Promise<void> {
  const underWay = new Set<Promise<void>>();
  for (let number = 0; number < count; number++) {
    const send = registry.sendC2dMessage(deviceId, `${number}`, { messageId: `${deviceId}:${number}` });
    underWay.add(send);
    void send.then(() => underWay.delete(send), () => {});
    if (underWay.size >= MESSAGES_AT_ONCE) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

async function runChaos(
  messagesOfADevice: number,
  events: number,
  optionsOf: (hub: LocalHub) => Promise<ClientOptions>,
  seed: number,
): Promise<void> {
  const random = seededRandom(seed);
  await using hub = new LocalHub();
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    fetch: hub.clientOptions.fetch,
    ...await optionsOf(hub),
    attemptTimeoutInMs: ATTEMPT_TIMEOUT_IN_MS,
    timeoutInMs: 60_000,
    retryOptions: { maxRetries: 50, retryDelayInMs: 10, maxRetryDelayInMs: 100 },
  });
  const ids = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
  await registry.bulkCreateOrUpdateDevices(ids.map((id) => ({ id, importMode: "create" })));

  const arrivals: Arrivals = new Map(ids.map((id) => [id, []]));
  const done: Record<string, number> = {};
  const total = DEVICES * messagesOfADevice;
  let arrived = 0;
  let isQuiet = Promise.resolve();
  let started = 0;
  for (const id of ids) {
    hub.device(id).onMessage(({ text, messageId }) => {
      arrivals.get(id)!.push({ number: Number(text), messageId });
      // Events are spread over the whole, and each begins when the one before is over.
      if (++arrived < (started + 1) * total / (events + 2) || started === events) return;
      const name = NAMES[started++ % NAMES.length]!;
      done[name] = (done[name] ?? 0) + 1;
      isQuiet = isQuiet.then(() => EVENTS[name]!(hub, random));
    });
  }
  const begun = performance.now();
  await Promise.all(ids.map((id) => feed(registry, id, messagesOfADevice)));
  await isQuiet;
  const seconds = (performance.now() - begun) / 1000;

  assert.equal(Object.values(done).reduce((sum, count) => sum + count, 0), events);
  let duplicates = 0;
  for (const [id, messages] of arrivals) {
    const first = new Map<number, string | undefined>();
    for (const { number, messageId } of messages) {
      assert.equal(messageId, `${id}:${number}`, "each copy has the message's own id");
      if (first.has(number)) duplicates++;
      else first.set(number, messageId);
    }
    const expected = Array.from({ length: messagesOfADevice }, (_, number) => number);
    assert.deepEqual([...first.keys()], expected, `every message came to ${id}, in order`);
  }
  console.log(
    `c2d chaos: ${total} messages to ${DEVICES} devices in ${seconds.toFixed(1)} s, ${duplicates} of them twice, ` +
      `through ${Object.entries(done).map(([name, count]) => `${count} × ${name}`).join(", ")}`,
  );
}

interface Wire {
  name: string;
  messagesOfADevice: number;
  events: number;
  optionsOf: (hub: LocalHub) => Promise<ClientOptions>;
}

const WIRES: Wire[] = [
  {
    name: "TLS",
    messagesOfADevice: sized(20, 100),
    events: sized(5, 25),
    async optionsOf(hub) {
      const { amqps, certificate } = await hub.listen({ amqps: 0 });
      return { amqpEndpoint: amqps!, tls: { ca: certificate! } };
    },
  },
  {
    name: "WebSocket",
    messagesOfADevice: sized(10, 20),
    // A stall, which comes last, takes a second; the gate has one over TLS.
    events: sized(4, 10),
    async optionsOf(hub) {
      const { ws } = await hub.listen({ http: 0 });
      return { amqpEndpoint: ws! };
    },
  },
];

for (const { name, messagesOfADevice, events, optionsOf } of WIRES) {
  const messages = DEVICES * messagesOfADevice;
  for (let round = 1; round <= ROUNDS; round++) {
    const what = `${messages} messages to ${DEVICES} devices arrive in order, whatever becomes of the connection`;
    test(`${what}: ${name}, round ${round}`, async () => {
      await runChaos(messagesOfADevice, events, optionsOf, SEED + round);
    });
  }
}
