import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import * as http from "../../lib/http.ts";
import * as entry from "../../mod.ts";
import {
  C2dMessages,
  C2dQueues,
  Configurations,
  DeviceIdentities,
  DigitalTwinClient,
  DigitalTwins,
  DirectMethods,
  HubClient,
  ImportExportJobs,
  IoTHubConfigurationManager,
  IoTHubJobManager,
  IoTHubRegistryManager,
  ModuleIdentities,
  ModuleTwins,
  Queries,
  ScheduledJobs,
  Statistics,
  Twins,
} from "../../mod.ts";
import { EventLog } from "../support/event_log.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const HTTP_NOUNS = {
  Statistics,
  DeviceIdentities,
  ModuleIdentities,
  Twins,
  ModuleTwins,
  Queries,
  DirectMethods,
  C2dQueues,
};

/** The nouns that only belong to one of the other managers. */
const OTHER_NOUNS = {
  Configurations: [Configurations, "IoTHubConfigurationManager"],
  ScheduledJobs: [ScheduledJobs, "IoTHubJobManager"],
  ImportExportJobs: [ImportExportJobs, "IoTHubJobManager"],
  DigitalTwins: [DigitalTwins, "DigitalTwinClient"],
} as const;

/** A fetch that never answers, and says when it was asked. */
function silentFetch(log: EventLog): (url: string, init?: RequestInit) => Promise<Response> {
  return (_url, init) => {
    log.add("asked");
    return new Promise((_, reject) => init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason)));
  };
}

/** A signal with a list of those who listen, which no runtime takes for one of its own. */
function countingSignal(): { signal: AbortSignal; abort: (reason: unknown) => void; listeners: Set<() => void> } {
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    throwIfAborted(): void {
      if (signal.aborted) throw signal.reason;
    },
    addEventListener: (_type: string, listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: string, listener: () => void) => void listeners.delete(listener),
  };
  const abort = (reason: unknown): void => {
    signal.aborted = true;
    signal.reason = reason;
    for (const listener of [...listeners]) listener();
  };
  return { signal: signal as unknown as AbortSignal, abort, listeners };
}

describe("a noun", () => {
  test("stands alone, with any of the factories", async () => {
    await using hub = new LocalHub();
    await using devices = DeviceIdentities.fromConnectionString(hub.connectionString, hub.clientOptions);
    await devices.createDeviceWithSas("d1");

    await using byPolicy = Twins.fromConnectionString(hub.connectionString, hub.clientOptions);
    await using byIdentity = Twins.fromTokenCredential(hub.hostName, hub.tokenCredential(), hub.clientOptions);
    await using shared = Twins.fromManager(devices);
    for (const twins of [byPolicy, byIdentity, shared]) {
      assert.ok(twins instanceof Twins && twins instanceof HubClient);
      assert.equal((await twins.getTwin("d1")).deviceId, "d1");
    }
  });

  const nouns = [
    ...Object.entries(HTTP_NOUNS).map(([name, noun]) => [name, noun, "IoTHubRegistryManager"] as const),
    ...Object.entries(OTHER_NOUNS).map(([name, [noun, manager]]) => [name, noun, manager] as const),
  ];
  for (const [name, noun, manager] of nouns) {
    test(`${name} knows no other noun, and ${manager} has its methods in both entries`, () => {
      assert.equal(Object.getPrototypeOf(noun), HubClient);
      for (const method of Object.getOwnPropertyNames(noun.prototype)) {
        if (method === "constructor") continue;
        for (const { [manager]: { prototype } } of [http, entry]) {
          assert.equal(
            (prototype as unknown as Record<string, unknown>)[method],
            (noun.prototype as unknown as Record<string, unknown>)[method],
          );
        }
      }
    });
  }

  test("is the same class in both entries; messages are in the one for all only", () => {
    for (const [name, noun] of nouns) {
      assert.equal((http as unknown as Record<string, unknown>)[name], noun);
    }
    assert.ok(!("C2dMessages" in http));
    assert.ok(!("sendC2dMessage" in http.IoTHubRegistryManager.prototype));
    assert.equal(IoTHubRegistryManager.prototype.sendC2dMessage, C2dMessages.prototype.sendC2dMessage);
  });

  test("cannot be constructed but by a factory", () => {
    const managers = [IoTHubRegistryManager, IoTHubConfigurationManager, IoTHubJobManager, DigitalTwinClient];
    for (
      const noun of [HubClient, Twins, C2dMessages, http.IoTHubRegistryManager, http.IoTHubJobManager, ...managers]
    ) {
      const construct = noun as unknown as new (view?: unknown) => unknown;
      assert.throws(() => new construct(), { name: "TypeError", message: /fromConnectionString/ });
      assert.throws(() => new construct({ hub: {} }), TypeError);
    }
  });

  test("messages stand alone too", async () => {
    await using hub = new LocalHub();
    await using devices = DeviceIdentities.fromConnectionString(hub.connectionString, hub.clientOptions);
    await devices.createDeviceWithSas("d1");
    await using messages = C2dMessages.fromConnectionString(hub.connectionString, hub.clientOptions);
    const arrived = new Promise((resolve) => hub.device("d1").onMessage(({ text }) => resolve(text)));
    await messages.sendC2dMessage("d1", "hello");
    assert.equal(await arrived, "hello");
  });
});

describe("a method without its client", () => {
  const CALLS: Record<string, () => unknown> = {
    "a method taken off its object": () => Reflect.apply(Twins.prototype.getTwin, undefined, ["d1"]),
    "a method of another object": () => Reflect.apply(C2dMessages.prototype.sendC2dMessage, {}, ["d1", "hello"]),
    "a method called through a proxy": () => new Proxy(Twins.fromConnectionString(CONNECTION_STRING), {}).getTwin("d1"),
    "close() taken off its object": () => Reflect.apply(Twins.prototype.close, undefined, []),
  };
  for (const [name, call] of Object.entries(CALLS)) {
    test(`fails with an error that says so: ${name}`, async () => {
      await assert.rejects(async () => await call(), {
        name: "TypeError",
        message: /^Cannot use this: it must be .*, got /,
      });
    });
  }
});

describe("a manager", () => {
  test("is an instance of its class and of the one for HTTP", () => {
    const manager = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING);
    assert.ok(manager instanceof IoTHubRegistryManager);
    assert.ok(manager instanceof http.IoTHubRegistryManager);
    assert.ok(manager instanceof HubClient);
    assert.equal(manager.constructor.name, "IoTHubRegistryManager");
    return manager.close();
  });

  for (const name of ["IoTHubConfigurationManager", "IoTHubJobManager", "DigitalTwinClient"] as const) {
    test(`${name} of either entry is made by each of the factories, and closed by itself`, async () => {
      await using hub = new LocalHub();
      for (const { [name]: managerClass } of [http, entry]) {
        const manager: typeof HubClient = managerClass;
        const byPolicy = manager.fromConnectionString(hub.connectionString, hub.clientOptions);
        const byIdentity = manager.fromTokenCredential(hub.hostName, hub.tokenCredential(), hub.clientOptions);
        for (const client of [byPolicy, byIdentity, manager.fromManager(byPolicy)]) {
          assert.ok(client instanceof manager && client instanceof HubClient && client instanceof http[name]);
          assert.equal(client.constructor.name, name);
          await client.close();
          await client[Symbol.asyncDispose]();
        }
      }
    });
  }
});

describe("fromManager()", () => {
  test("makes a client of each class from any other", async () => {
    await using hub = new LocalHub();
    await using first = Statistics.fromConnectionString(hub.connectionString, hub.clientOptions);
    await using registry = IoTHubRegistryManager.fromManager(first);
    await using small = http.IoTHubRegistryManager.fromManager(registry);
    await using messages = C2dMessages.fromManager(small);
    await registry.createDeviceWithSas("d1");
    assert.equal((await small.getDevice("d1")).deviceId, "d1");
    await messages.sendC2dMessage("d1", "hello");
    await registry.sendC2dMessage("d1", "hello again");
    assert.equal((await registry.purgeC2dMessages("d1")).totalMessagesPurged, 2);
  });

  test("refuses what is no client", () => {
    for (const other of [undefined, null, {}, "manager", Twins.prototype]) {
      assert.throws(() => Twins.fromManager(other as unknown as HubClient), {
        name: "TypeError",
        message: /Cannot use other: it must be a client of this module, got /,
      });
    }
  });

  test("shares token, limits and connections", async () => {
    await using hub = new LocalHub();
    const tokens = new Set<string | null>();
    let inFlight = 0;
    let most = 0;
    let endpoints = 0;
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      fetch: async (url, init) => {
        most = Math.max(most, ++inFlight);
        tokens.add(new Headers(init?.headers).get("authorization"));
        await new Promise((resolve) => setImmediate(resolve));
        inFlight--;
        return hub.clientOptions.fetch(url, init);
      },
      amqpEndpoint: () => {
        endpoints++;
        return hub.clientOptions.amqpEndpoint();
      },
      limits: { maxConcurrentRequests: 1 },
    });
    await registry.createDeviceWithSas("d1");
    await using twins = Twins.fromManager(registry);
    await using messages = C2dMessages.fromManager(registry);
    await Promise.all([twins.getTwin("d1"), registry.getDevice("d1"), twins.getTwin("d1")]);
    await Promise.all([messages.sendC2dMessage("d1", "1"), registry.sendC2dMessage("d1", "2")]);
    assert.equal(most, 1);
    assert.equal(tokens.size, 1);
    assert.equal(endpoints, 1);
  });

  test("gives a client whose close() ends its own calls and no others", async () => {
    const log = new EventLog();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch: silentFetch(log) });
    const twins = Twins.fromManager(registry);
    const own = assert.rejects(twins.getTwin("d1"), { code: "Closed", operation: "getTwin" });
    const other = registry.getTwin("d1");
    await log.until("asked", 2);
    await twins.close();
    await own;
    await assert.rejects(twins.getTwin("d1"), { code: "Closed" });
    await twins.close();
    assert.equal(
      await Promise.race([other.catch(() => "ended"), new Promise((r) => setImmediate(r, "waits"))]),
      "waits",
    );
    await registry.close();
    await assert.rejects(other, { code: "Closed" });
  });

  test("gives a client that is closed with the one that it was made from", async () => {
    const log = new EventLog();
    const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch: silentFetch(log) });
    const twins = Twins.fromManager(registry);
    const own = assert.rejects(twins.getTwin("d1"), { code: "Closed" });
    await log.until("asked");
    await registry.close();
    await own;
    await assert.rejects(twins.getTwin("d1"), { code: "Closed" });
    const messages = C2dMessages.fromManager(twins);
    await assert.rejects(messages.sendC2dMessage("d1", "late"), { code: "Closed", operation: "sendC2dMessage" });
  });

  test("gives a client that goes on when one in between is closed, and ends with the first", async () => {
    await using hub = new LocalHub();
    const first = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await first.createDeviceWithSas("d1");
    const between = Twins.fromManager(first);
    const last = C2dMessages.fromManager(between);
    await between.close();
    await last.sendC2dMessage("d1", "hello");
    await first.close();
    const message = 'Cannot complete sendC2dMessage of device "d1": the client is closed; create a new one';
    await assert.rejects(last.sendC2dMessage("d1", "late"), { code: "Closed", message });
  });

  test("gives the same reason for a client's end over HTTP and AMQP, under way or late", async () => {
    await using hub = new LocalHub();
    const first = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await first.createDeviceWithSas("d1");
    hub.faults.refuseCredit(true);
    const message = 'Cannot complete sendC2dMessage of device "d1": the client is closed; create a new one';
    const sending = assert.rejects(first.sendC2dMessage("d1", "hello"), { code: "Closed", message });
    await first.close();
    await sending;
    await assert.rejects(first.getTwin("d1"), { message: /: the client is closed; create a new one$/ });
  });

  test("ends the sends and receivers of a closed client, and leaves those of others", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await registry.createDeviceWithSas("d1");
    const messages = C2dMessages.fromManager(registry);
    hub.faults.refuseCredit(true);
    const own = assert.rejects(messages.sendC2dMessage("d1", "1"), { code: "Closed", operation: "sendC2dMessage" });
    const other = registry.sendC2dMessage("d1", "2");
    const receiving = assert.rejects(messages.receiveFeedback().next(), {
      code: "Closed",
      operation: "receiveFeedback",
    });
    // By then all three wait for the hub.
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = assert.rejects(messages.sendC2dMessage("d1", "3", {}, { abortSignal: controller.signal }), reason);
    controller.abort(reason);
    await aborted;
    await messages.close();
    await Promise.all([own, receiving]);
    hub.faults.refuseCredit(false);
    await other;
    await assert.rejects(messages.sendC2dMessage("d1", "4"), { code: "Closed" });
    await assert.rejects(messages.receiveFeedback().next(), { code: "Closed" });
    assert.equal((await registry.purgeC2dMessages("d1")).totalMessagesPurged, 1);
  });

  test("gives a client that leaves nothing in a caller's signal when its sends and receivers are over", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await registry.createDeviceWithSas("d1");
    await using messages = C2dMessages.fromManager(registry);
    const { signal, abort, listeners } = countingSignal();
    await messages.sendC2dMessage("d1", "1", {}, { abortSignal: signal });
    for await (const _ of messages.receiveFeedback({ abortSignal: signal, maxWaitTimeInMs: 1 })) assert.fail();
    assert.equal(listeners.size, 0);

    hub.faults.refuseCredit(true);
    const reason = new Error("enough");
    const sending = assert.rejects(messages.sendC2dMessage("d1", "2", {}, { abortSignal: signal }), reason);
    const receiving = assert.rejects(messages.receiveFeedback({ abortSignal: signal }).next(), reason);
    assert.ok(listeners.size > 0);
    abort(reason);
    await Promise.all([sending, receiving]);
    assert.equal(listeners.size, 0);
  });
});
