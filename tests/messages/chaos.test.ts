import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { type Random, seededRandom } from "../support/random.ts";

const DEVICES = 50;
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
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 400));
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
  console.log(`c2d chaos: seed ${seed}; C2D_CHAOS_SEED=${seed} in the environment repeats the events`);
  await using hub = new LocalHub();
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    fetch: hub.clientOptions.fetch,
    ...await optionsOf(hub),
    attemptTimeoutInMs: 300,
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

const seed = Number(process.env.C2D_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));

test("5,000 messages to 50 devices arrive in order, whatever becomes of the connection: TLS", async () => {
  await runChaos(100, 25, async (hub) => {
    const { amqps, certificate } = await hub.listen({ amqps: 0 });
    return { amqpEndpoint: amqps!, amqpTls: { ca: certificate! } };
  }, seed);
});

test("1,000 messages to 50 devices arrive in order, whatever becomes of the connection: WebSocket", async () => {
  await runChaos(20, 10, async (hub) => {
    const { ws } = await hub.listen({ http: 0 });
    return { amqpEndpoint: ws! };
  }, seed + 1);
});
