import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubConfigurationManager, IoTHubJobManager, IoTHubRegistryManager, type TwinPatch } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { hubError } from "../support/faults.ts";

/** What becomes of a write: whether the hub runs it, and what the caller hears. */
interface Fate {
  runs: boolean;
  hears: "reset" | 429 | 500 | 503;
}

const RAN_AND_RESET: Fate = { runs: true, hears: "reset" };
const RAN_AND_500: Fate = { runs: true, hears: 500 };
const RAN_AND_503: Fate = { runs: true, hears: 503 };
const RESET: Fate = { runs: false, hears: "reset" };
const REFUSED_503: Fate = { runs: false, hears: 503 };
const REFUSED_429: Fate = { runs: false, hears: 429 };

const KEYS = { primaryKey: btoa("a".repeat(32)), secondaryKey: btoa("b".repeat(32)) };
const OTHER_KEYS = { primaryKey: btoa("c".repeat(32)), secondaryKey: btoa("d".repeat(32)) };
const THUMBPRINT = { primaryThumbprint: "A".repeat(40) };
const OTHER_THUMBPRINT = { primaryThumbprint: "B".repeat(40) };

/** A hub, a manager that reaches it well, and one whose first write meets a fate; `between` happens right after that. */
class UnluckyHub {
  readonly hub: LocalHub = new LocalHub();
  readonly others: IoTHubRegistryManager;
  readonly registry: IoTHubRegistryManager;
  between: () => Promise<unknown> = () => Promise.resolve();
  onRead: () => Response | undefined = () => undefined;
  writes = 0;
  reads = 0;

  constructor(fate: Fate) {
    const { connectionString, clientOptions } = this.hub;
    const send = clientOptions.fetch!;
    this.others = IoTHubRegistryManager.fromConnectionString(connectionString, clientOptions);
    this.registry = IoTHubRegistryManager.fromConnectionString(connectionString, {
      ...clientOptions,
      retryOptions: { retryDelayInMs: 1 },
      fetch: async (url, init) => {
        if (init!.method === "GET") {
          this.reads++;
          return this.onRead() ?? await send(url, init);
        }
        if (this.writes++ > 0) return await send(url, init);
        if (fate.runs) assert.ok((await send(url, init)).ok, "the first attempt does its work");
        await this.between();
        if (fate.hears === "reset") throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
        return await hubError(fate.hears, "Whatever")(init!.signal!);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.others.close(), this.registry.close()]);
    await this.hub.close();
  }
}

/** A device d1 with a module m1, and a configuration c1, made by others. */
async function prepared(fate: Fate): Promise<UnluckyHub> {
  const unlucky = new UnluckyHub(fate);
  await unlucky.others.createDeviceWithSas("d1", KEYS);
  await unlucky.others.createModuleWithSas("d1", "m1", KEYS);
  await configurations(unlucky.others).createConfiguration({ ...CONFIGURATION, id: "c1" });
  return unlucky;
}

type Manager = IoTHubRegistryManager;

function configurations(registry: Manager): IoTHubConfigurationManager {
  return IoTHubConfigurationManager.fromManager(registry);
}

function jobs(registry: Manager): IoTHubJobManager {
  return IoTHubJobManager.fromManager(registry);
}

const CONFIGURATION = { id: "new", content: { deviceContent: { "properties.desired.rate": { max: 5 } } } };
const LATER = { startTime: new Date(Date.now() + 3_600_000), maxExecutionTimeInSeconds: 60 };
const PATCH = { tags: { site: "berlin", floor: null }, properties: { desired: { rate: { max: 5 }, list: [1, "2"] } } };
const OTHER_PATCH = { tags: { site: "bonn" } };

interface Creation {
  name: string;
  create: (registry: Manager) => Promise<object>;
  read: (registry: Manager) => Promise<object>;
  /** The same id for somebody else. */
  createOther: (registry: Manager) => Promise<unknown>;
  taken: string;
}

const DEVICE = { read: (r: Manager) => r.getDevice("new"), taken: "DeviceAlreadyExists" };
const MODULE = { read: (r: Manager) => r.getModule("d1", "new"), taken: "ModuleAlreadyExistsOnDevice" };
const CONFIGURATION_FACTS = {
  read: (r: Manager) => configurations(r).getConfiguration("new") as Promise<object>,
  taken: "ConfigurationAlreadyExists",
};
const JOB = { read: (r: Manager) => jobs(r).getScheduledJob("new") as Promise<object>, taken: "JobAlreadyExists" };
const CREATIONS: readonly Creation[] = [
  {
    name: "a device with keys",
    create: (r) => r.createDeviceWithSas("new", KEYS),
    createOther: (r) => r.createDeviceWithSas("new", OTHER_KEYS),
    ...DEVICE,
  },
  {
    name: "a device with thumbprints",
    create: (r) => r.createDeviceWithX509("new", { ...THUMBPRINT, statusReason: "On trial", iotEdge: true }),
    createOther: (r) => r.createDeviceWithX509("new", OTHER_THUMBPRINT),
    ...DEVICE,
  },
  {
    name: "a device with a certificate authority",
    create: (r) => r.createDeviceWithCertificateAuthority("new"),
    createOther: (r) => r.createDeviceWithCertificateAuthority("new", { status: "disabled" }),
    ...DEVICE,
  },
  {
    name: "a module with keys",
    create: (r) => r.createModuleWithSas("d1", "new", KEYS),
    createOther: (r) => r.createModuleWithSas("d1", "new", OTHER_KEYS),
    ...MODULE,
  },
  {
    name: "a module with thumbprints",
    create: (r) => r.createModuleWithX509("d1", "new", THUMBPRINT),
    createOther: (r) => r.createModuleWithX509("d1", "new", OTHER_THUMBPRINT),
    ...MODULE,
  },
  {
    name: "a configuration",
    create: (r) => configurations(r).createConfiguration({ ...CONFIGURATION, labels: { site: "berlin" }, priority: 5 }),
    createOther: (r) => configurations(r).createConfiguration({ ...CONFIGURATION, priority: 5 }),
    ...CONFIGURATION_FACTS,
  },
  {
    name: "a configuration with the hub's defaults",
    create: (r) => configurations(r).createConfiguration(CONFIGURATION),
    createOther: (r) => configurations(r).createConfiguration({ ...CONFIGURATION, priority: 5 }),
    ...CONFIGURATION_FACTS,
  },
  {
    name: "a configuration without a condition",
    create: (r) => configurations(r).createConfiguration({ ...CONFIGURATION, targetCondition: undefined }),
    createOther: (r) => configurations(r).createConfiguration({ ...CONFIGURATION, targetCondition: "*" }),
    ...CONFIGURATION_FACTS,
  },
  {
    name: "a job with a date in tags",
    create: (r) => jobs(r).scheduleTwinUpdate("new", { twin: { tags: { since: new Date(0) } }, ...LATER }),
    createOther: (r) => jobs(r).scheduleTwinUpdate("new", { twin: { tags: { since: new Date(1) } }, ...LATER }),
    ...JOB,
  },
  {
    name: "a job",
    create: (r) => jobs(r).createScheduledJob("new", { type: "scheduleUpdateTwin", updateTwin: PATCH, ...LATER }),
    createOther: (r) => jobs(r).scheduleTwinUpdate("new", { twin: OTHER_PATCH, ...LATER }),
    ...JOB,
  },
  {
    name: "an update of twins",
    create: (r) => jobs(r).scheduleTwinUpdate("new", { twin: PATCH, ...LATER, queryCondition: "deviceId = 'd1'" }),
    createOther: (r) => jobs(r).scheduleTwinUpdate("new", { twin: PATCH, ...LATER }),
    ...JOB,
  },
  {
    name: "calls of a method",
    create: (r) => jobs(r).scheduleDeviceMethod("new", { method: { methodName: "m", payload: { a: 1 } }, ...LATER }),
    createOther: (r) =>
      jobs(r).scheduleDeviceMethod("new", { method: { methodName: "m", payload: { a: 2 } }, ...LATER }),
    ...JOB,
  },
  {
    name: "calls of a method without a payload",
    create: (r) => jobs(r).scheduleDeviceMethod("new", { method: { methodName: "m" }, ...LATER }),
    createOther: (r) => jobs(r).scheduleDeviceMethod("new", { method: { methodName: "n" }, ...LATER }),
    ...JOB,
  },
];

for (const { name, create, createOther, read, taken } of CREATIONS) {
  describe(`creating ${name}`, () => {
    test("succeeds when the repetition finds what the first attempt made", async () => {
      await using unlucky = await prepared(RAN_AND_503);
      const created = await create(unlucky.registry);
      assert.deepEqual(created, await read(unlucky.others));
      assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
    });

    test("is refused when somebody else took the id meanwhile", async () => {
      await using unlucky = await prepared(REFUSED_503);
      unlucky.between = () => createOther(unlucky.others);
      await assert.rejects(create(unlucky.registry), { code: taken, statusCode: 409 });
      assert.equal(unlucky.writes, 2);
    });

    test("is refused when the id was taken and the first attempt cannot have run, be it by the same", async () => {
      await using unlucky = await prepared(REFUSED_429);
      await create(unlucky.others);
      await assert.rejects(create(unlucky.registry), { code: taken });
      assert.deepEqual([unlucky.writes, unlucky.reads], [2, 0]);
    });

    test("is not repeated when the first attempt may well have run", async () => {
      await using unlucky = await prepared(RAN_AND_RESET);
      await assert.rejects(create(unlucky.registry), { code: "NetworkError", retryable: false });
      assert.deepEqual([unlucky.writes, unlucky.reads], [1, 0]);
    });
  });
}

test("an identity whose keys the hub made is not known again", async () => {
  await using unlucky = await prepared(RAN_AND_503);
  await assert.rejects(unlucky.registry.createDeviceWithSas("new"), { code: "DeviceAlreadyExists" });
  await using another = await prepared(RAN_AND_503);
  await assert.rejects(another.registry.createModuleWithSas("d1", "new"), { code: "ModuleAlreadyExistsOnDevice" });
});

const DELETIONS: readonly [string, (registry: Manager) => Promise<void>, RegExp][] = [
  ["a device", (r) => r.deleteDevice("d1"), /^DeviceNotFound$/],
  ["a module", (r) => r.deleteModule("d1", "m1"), /^(Module|Device)NotFound$/],
  ["a configuration", (r) => configurations(r).deleteConfiguration("c1"), /^ConfigurationNotFound$/],
];

for (const [name, remove, code] of DELETIONS) {
  describe(`deleting ${name}`, () => {
    for (const fate of [RAN_AND_RESET, RAN_AND_500, RAN_AND_503]) {
      test(`succeeds when the first attempt has done it, and ${fate.hears} was heard`, async () => {
        await using unlucky = await prepared(fate);
        await remove(unlucky.registry);
        assert.equal(unlucky.writes, 2);
        await assert.rejects(remove(unlucky.others), { code });
      });
    }

    test("is refused when there is nothing to delete", async () => {
      await using unlucky = await prepared(REFUSED_429);
      unlucky.writes = 1;
      await remove(unlucky.others);
      await assert.rejects(remove(unlucky.registry), { code, statusCode: 404 });
      assert.equal(unlucky.writes, 2);
    });

    test("is refused when there is nothing to delete and the first attempt cannot have run", async () => {
      await using unlucky = await prepared(REFUSED_429);
      await remove(unlucky.others);
      await assert.rejects(remove(unlucky.registry), { code });
      assert.equal(unlucky.writes, 2);
    });
  });
}

interface Write {
  name: string;
  read: (registry: Manager) => Promise<{ etag?: string | undefined }>;
  write: (registry: Manager, etag: string | undefined) => Promise<{ etag?: string | undefined }>;
  /** What somebody else writes. */
  writeOther: (registry: Manager) => Promise<unknown>;
}

const OF_DEVICE = { read: (r: Manager) => r.getDevice("d1") };
const OF_MODULE = { read: (r: Manager) => r.getModule("d1", "m1") };
const OF_TWIN = { read: (r: Manager) => r.getTwin("d1"), writeOther: (r: Manager) => r.updateTwin("d1", OTHER_PATCH) };
const OF_MODULE_TWIN = {
  read: (r: Manager) => r.getModuleTwin("d1", "m1"),
  writeOther: (r: Manager) => r.updateModuleTwin("d1", "m1", OTHER_PATCH),
};
const WRITES: readonly Write[] = [
  {
    name: "updateDeviceWithSas",
    write: (r, etag) =>
      r.updateDeviceWithSas("d1", { ...OTHER_KEYS, status: "enabled", statusReason: "New keys", etag }),
    writeOther: (r) => r.updateDeviceWithSas("d1", { ...KEYS, status: "enabled" }),
    ...OF_DEVICE,
  },
  {
    name: "updateDeviceWithX509",
    write: (r, etag) => r.updateDeviceWithX509("d1", { ...THUMBPRINT, status: "enabled", etag }),
    writeOther: (r) => r.updateDeviceWithX509("d1", { ...OTHER_THUMBPRINT, status: "enabled" }),
    ...OF_DEVICE,
  },
  {
    name: "updateDeviceWithCertificateAuthority",
    write: (r, etag) => r.updateDeviceWithCertificateAuthority("d1", { status: "disabled", etag }),
    writeOther: (r) => r.updateDeviceWithCertificateAuthority("d1", { status: "enabled" }),
    ...OF_DEVICE,
  },
  {
    name: "updateModuleWithSas",
    write: (r, etag) => r.updateModuleWithSas("d1", "m1", { ...OTHER_KEYS, managedBy: "us", etag }),
    writeOther: (r) => r.updateModuleWithSas("d1", "m1", KEYS),
    ...OF_MODULE,
  },
  {
    name: "updateModuleWithX509",
    write: (r, etag) => r.updateModuleWithX509("d1", "m1", { ...THUMBPRINT, etag }),
    writeOther: (r) => r.updateModuleWithX509("d1", "m1", OTHER_THUMBPRINT),
    ...OF_MODULE,
  },
  {
    name: "updateModuleWithCertificateAuthority",
    write: (r, etag) => r.updateModuleWithCertificateAuthority("d1", "m1", { managedBy: "us", etag }),
    writeOther: (r) => r.updateModuleWithCertificateAuthority("d1", "m1", { managedBy: "them" }),
    ...OF_MODULE,
  },
  {
    name: "updateConfiguration",
    read: (r) => configurations(r).getConfiguration("c1"),
    write: (r, etag) =>
      configurations(r).updateConfiguration(
        { ...CONFIGURATION, id: "c1", priority: 7, labels: { site: "berlin" }, targetCondition: "tags.site = 'bonn'" },
        { etag },
      ),
    writeOther: (r) => configurations(r).updateConfiguration({ ...CONFIGURATION, id: "c1", priority: 8 }),
  },
  { name: "updateTwin", write: (r, etag) => r.updateTwin("d1", PATCH, { etag }), ...OF_TWIN },
  {
    name: "replaceTwin",
    write: (r, etag) => r.replaceTwin("d1", { tags: { site: "berlin" } }, { etag }),
    ...OF_TWIN,
  },
  {
    name: "updateModuleTwin",
    write: (r, etag) => r.updateModuleTwin("d1", "m1", PATCH, { etag }),
    ...OF_MODULE_TWIN,
  },
  {
    name: "replaceModuleTwin",
    write: (r, etag) => r.replaceModuleTwin("d1", "m1", { tags: { site: "berlin" } }, { etag }),
    ...OF_MODULE_TWIN,
  },
];

for (const { name, read, write, writeOther } of WRITES) {
  describe(`${name} with an etag`, () => {
    for (const fate of [RAN_AND_RESET, RAN_AND_500]) {
      test(`succeeds when the first attempt has done it, and ${fate.hears} was heard`, async () => {
        await using unlucky = await prepared(fate);
        const { etag } = await read(unlucky.others);
        const written = await write(unlucky.registry, etag);
        assert.deepEqual(written, await read(unlucky.others));
        assert.notEqual(written.etag, etag);
        assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
      });
    }

    test("is refused when somebody else has written meanwhile", async () => {
      for (const fate of [RESET, RAN_AND_RESET, REFUSED_503]) {
        await using unlucky = await prepared(fate);
        const { etag } = await read(unlucky.others);
        unlucky.between = () => writeOther(unlucky.others);
        await assert.rejects(write(unlucky.registry, etag), { code: "PreconditionFailed", statusCode: 412 });
        assert.equal(unlucky.writes, 2);
      }
    });

    test("is refused at once when the etag is stale from the beginning, be it that the same is there", async () => {
      await using unlucky = await prepared(REFUSED_429);
      const { etag } = await read(unlucky.others);
      await write(unlucky.others, etag);
      await assert.rejects(write(unlucky.registry, etag), { code: "PreconditionFailed" });
      assert.deepEqual([unlucky.writes, unlucky.reads], [2, 0]);
    });

    test("stays refused when it cannot be found out who has written", async () => {
      await using unlucky = await prepared(RAN_AND_RESET);
      const { etag } = await read(unlucky.others);
      unlucky.onRead = () => new Response(null, { status: 403 });
      await assert.rejects(write(unlucky.registry, etag), { code: "PreconditionFailed" });
      assert.equal(unlucky.reads, 1);
    });
  });

  test(`${name} without an etag is written again`, async () => {
    await using unlucky = await prepared(RAN_AND_RESET);
    const written = await write(unlucky.registry, undefined);
    assert.deepEqual(written, await read(unlucky.others));
    assert.deepEqual([unlucky.writes, unlucky.reads], [2, 0]);
  });
}

const LIST = [{ at: 1, to: [2, { there: true }] }, "3"];

/** Writes of a twin's tags that must be known again, however they stand there. */
const KNOWN: readonly [string, "updateTwin" | "replaceTwin", Record<string, unknown>][] = [
  ["a list of objects", "updateTwin", { list: LIST }],
  ["a list of objects", "replaceTwin", { list: LIST }],
  ["a date", "updateTwin", { since: new Date(0) }],
  ["a date", "replaceTwin", { since: new Date(0) }],
  ["what is undefined", "updateTwin", { site: "berlin", floor: undefined }],
  ["what is undefined", "replaceTwin", { site: "berlin", floor: undefined }],
  ["what every object inherits, deleted", "updateTwin", { constructor: null, toString: null }],
  ["what was not there, deleted", "updateTwin", { here: { site: "berlin" }, there: null }],
];

for (const [what, method, tags] of KNOWN) {
  test(`${method} with an etag knows its own work again: ${what}`, async () => {
    await using unlucky = await prepared(RAN_AND_RESET);
    const { etag } = await unlucky.others.getTwin("d1");
    const written = await unlucky.registry[method]("d1", { tags }, { etag });
    assert.deepEqual(written, await unlucky.others.getTwin("d1"));
    assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
  });
}

test("replaceTwin with an etag knows a twin again that was read before and has new versions now", async () => {
  await using unlucky = await prepared(RAN_AND_RESET);
  const before = await unlucky.others.updateTwin("d1", { properties: { desired: { rate: 5, list: LIST } } });
  const written = await unlucky.registry.replaceTwin("d1", before as TwinPatch, { etag: before.etag });
  assert.notEqual(written.properties.desired.$version, before.properties.desired.$version);
  assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
});

/** Writes of a twin's tags, and what others make of them, so that they are not what was written any more. */
const CHANGED: readonly [string, "updateTwin" | "replaceTwin", Record<string, unknown>, Record<string, unknown>][] = [
  ["a list has grown", "updateTwin", { list: [1] }, { list: [1, 2] }],
  ["an object in a list has one more member", "updateTwin", { list: [{ a: 1 }] }, { list: [{ a: 1, b: 2 }] }],
  ["an object in a list has one member less", "updateTwin", { list: [{ a: 1, b: 2 }] }, { list: [{ a: 1 }] }],
  ["what was deleted is back", "updateTwin", { site: null }, { site: "bonn" }],
  ["there is a tag more", "replaceTwin", { site: "berlin" }, { floor: 3 }],
  ["there is a tag less", "replaceTwin", { site: "berlin", floor: 3 }, { floor: null }],
  ["there is a member more", "replaceTwin", { site: { floor: 3 } }, { site: { hall: 4 } }],
];

for (const [what, method, tags, others] of CHANGED) {
  test(`${method} with an etag does not take the work of others for its own: ${what}`, async () => {
    await using unlucky = await prepared(RAN_AND_RESET);
    const { etag } = await unlucky.others.getTwin("d1");
    unlucky.between = () => unlucky.others.updateTwin("d1", { tags: others });
    await assert.rejects(unlucky.registry[method]("d1", { tags }, { etag }), { code: "PreconditionFailed" });
    assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
  });
}

test("a call that is aborted while it finds out who has written rejects with the signal's reason", async () => {
  await using unlucky = await prepared(RAN_AND_RESET);
  const { etag } = await unlucky.others.getTwin("d1");
  const reason = new Error("No longer needed");
  const controller = new AbortController();
  unlucky.onRead = () => {
    controller.abort(reason);
    return undefined;
  };
  const call = unlucky.registry.updateTwin("d1", PATCH, { etag, abortSignal: controller.signal });
  await assert.rejects(call, (error) => error === reason);
});

describe("cancelling a job", () => {
  async function withJob(fate: Fate): Promise<UnluckyHub> {
    const unlucky = await prepared(fate);
    await jobs(unlucky.others).scheduleTwinUpdate("j1", { twin: PATCH, ...LATER });
    return unlucky;
  }

  for (const fate of [RAN_AND_RESET, RAN_AND_500, RAN_AND_503]) {
    test(`succeeds when the first attempt has done it, and ${fate.hears} was heard`, async () => {
      await using unlucky = await withJob(fate);
      const { status } = await jobs(unlucky.registry).cancelScheduledJob("j1");
      assert.equal(status, "cancelled");
      assert.deepEqual([unlucky.writes, unlucky.reads], [2, 1]);
    });
  }

  test("is refused when others have done it, and the first attempt cannot have run", async () => {
    await using unlucky = await withJob(REFUSED_429);
    await jobs(unlucky.others).cancelScheduledJob("j1");
    await assert.rejects(jobs(unlucky.registry).cancelScheduledJob("j1"), { statusCode: 405 });
    assert.deepEqual([unlucky.writes, unlucky.reads], [2, 0]);
  });
});
