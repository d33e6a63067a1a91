import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IoTHubError, IoTHubRegistryManager, type Twin, type TwinPatch } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { ANY_CHARACTER, asJson, holds, isRefusal, outcomeOf } from "../support/properties.ts";
import { Recorder } from "../support/recorder.ts";
import { sized } from "../support/test_size.ts";

type Section = Record<string, unknown>;

/** How many writes one twin gets at most, and how many patches all twins together get at least. */
const MAX_WRITES = sized(4, 30);
const MIN_PATCHES = sized(10, 10_000);

/** What the hub lets a twin hold: see its limits for names, integers, strings and depth. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."abcd") },
  { weight: 1, arbitrary: fc.constantFrom("", "__proto__", "constructor", "toString", "toJSON", "length", "é", "a/b") },
  {
    weight: 1,
    arbitrary: fc.string({ unit: ANY_CHARACTER, maxLength: 5 }).map((text) => text.replace(/[\p{Cc}.$# ]/gu, "_")),
  },
);
const text = fc.string({ unit: ANY_CHARACTER, maxLength: 10 });
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -4503599627370496, max: 4503599627370495 }),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  fc.double({ min: 2 ** 53, noNaN: true, noDefaultInfinity: true }),
);
const scalar = fc.oneof(fc.boolean(), text, number);

/** A section, or a patch of one where `null` may stand. */
function sectionOf(leaf: fc.Arbitrary<unknown>): fc.Arbitrary<Section> {
  return fc.letrec<{ object: Section; value: unknown; element: unknown }>((tie) => ({
    object: fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs)),
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      tie("object"),
      fc.array(tie("element"), { maxLength: 3 }),
    ),
    element: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalar, fc.array(scalar, { maxLength: 2 }), flatObject),
  })).object;
}

const flatObject = fc.array(fc.tuple(key, scalar), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));
const content = sectionOf(scalar);
const patch = sectionOf(fc.oneof({ weight: 2, arbitrary: scalar }, { weight: 1, arbitrary: fc.constant(null) }));

type Etag = "none" | "current" | "stale";

interface Write {
  verb: "update" | "replace" | "sendBack" | "report";
  tags: Section | undefined;
  desired: Section | undefined;
  etag: Etag;
}

const write: fc.Arbitrary<Write> = fc.record({
  verb: fc.constantFrom("update", "update", "replace", "sendBack", "report"),
  tags: fc.option(patch, { nil: undefined }),
  desired: fc.option(patch, { nil: undefined }),
  etag: fc.constantFrom("none", "none", "current", "stale"),
});

/** RFC 7396, as its pseudocode has it. */
function mergePatch(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result = new Map(isObject ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) result.delete(name);
    else result.set(name, mergePatch(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function contentOf(section: Section | undefined): Section {
  return Object.fromEntries(
    Object.entries(section ?? {}).filter(([name]) => name !== "$metadata" && name !== "$version"),
  );
}

function contentsOf(twin: Twin): Record<"tags" | "desired" | "reported", Section> {
  return {
    tags: contentOf(twin.tags),
    desired: contentOf(twin.properties.desired),
    reported: contentOf(twin.properties.reported),
  };
}

/** The counter that an etag is made of: eight bytes, the highest first. */
function counterOf(etag: string): number {
  return Array.from(atob(etag), (char) => char.charCodeAt(0)).reduce((sum, byte) => sum * 256 + byte, 0);
}

function versionsOf(twin: Twin): { etag: number; desired: number; reported: number; root: number } {
  const { desired, reported } = twin.properties!;
  const versions = {
    etag: counterOf(twin.etag!),
    desired: desired!["$version"] as number,
    reported: reported!["$version"] as number,
    root: twin.version!,
  };
  assert.equal(versions.root, versions.etag + versions.reported, "version = counter of the etag + reported.$version");
  return versions;
}

function isEmpty(section: Section | undefined): boolean {
  return section === undefined || Object.keys(section).length === 0;
}

describe("a twin", () => {
  let hub: LocalHub;
  let registry: IoTHubRegistryManager;
  let count = 0;
  let patches = 0;

  async function withHub(run: () => Promise<void>): Promise<void> {
    hub = new LocalHub();
    registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    try {
      await run();
    } finally {
      await registry.close();
      await hub.close();
    }
  }

  /** Makes one write and asserts what must come of it. */
  async function apply(deviceId: string, before: Twin, { verb, tags, desired, etag: kind }: Write): Promise<Twin> {
    const was = versionsOf(before);
    const old = contentsOf(before);
    if (verb === "report") {
      await hub.device(deviceId).updateReportedProperties(desired ?? {});
      const after = await registry.getTwin(deviceId);
      assert.deepEqual(contentsOf(after), { ...old, reported: asJson(mergePatch(old.reported, desired ?? {})) });
      assert.deepEqual(versionsOf(after), { ...was, reported: was.reported + 1, root: was.root + 1 });
      patches++;
      return after;
    }
    const body: TwinPatch = verb === "sendBack" ? before : { tags, properties: { desired } };
    const etag = kind === "current" ? before.etag : kind === "stale" ? btoa("\0\0\0\0\0\0\x7f\x01") : undefined;
    const outcome = await outcomeOf(() =>
      verb === "update" ? registry.updateTwin(deviceId, body, { etag }) : registry.replaceTwin(deviceId, body, { etag })
    );
    const after = await registry.getTwin(deviceId);
    if (kind === "stale") {
      assert.ok("error" in outcome && outcome.error instanceof IoTHubError && outcome.error.statusCode === 412);
      assert.deepEqual(after, before, "a write with a stale etag changes nothing");
      return after;
    }
    if ("error" in outcome) throw outcome.error;
    assert.deepEqual(outcome.value, after, "the answer is the twin as it is now");
    const now = versionsOf(after);
    if (verb === "sendBack") {
      assert.deepEqual(contentsOf(after), old, "a twin replaced by itself keeps its content");
    } else {
      const base = verb === "update" ? old : { tags: {}, desired: {} };
      assert.deepEqual(
        contentsOf(after),
        asJson({
          tags: mergePatch(base.tags, tags ?? {}),
          desired: mergePatch(base.desired, desired ?? {}),
          reported: old.reported,
        }),
      );
    }
    if (verb === "update") patches++;
    const touchesDesired = verb !== "update" || !isEmpty(desired);
    const touchesAny = touchesDesired || !isEmpty(tags);
    assert.deepEqual(now, {
      etag: was.etag + (touchesAny ? 1 : 0),
      desired: was.desired + (touchesDesired ? 1 : 0),
      reported: was.reported,
      root: was.root + (touchesAny ? 1 : 0),
    });
    return after;
  }

  test("after any writes holds what RFC 7396 makes of them, and counts them", async () => {
    await withHub(async () => {
      const property = fc.asyncProperty(
        content,
        content,
        fc.array(write, { maxLength: MAX_WRITES, size: "max" }),
        async (tags, desired, writes) => {
          const deviceId = `d${count++}`;
          await registry.createDeviceWithSas(deviceId);
          const created = await registry.getTwin(deviceId);
          assert.deepEqual(versionsOf(created), { etag: 1, desired: 1, reported: 1, root: 2 });
          let twin = await apply(deviceId, created, { verb: "replace", tags, desired, etag: "none" });
          for (const write of writes) twin = await apply(deviceId, twin, write);
          await registry.deleteDevice(deviceId);
        },
      );
      await holds(property, 40);
    });
    assert.ok(patches >= MIN_PATCHES, `there were ${patches} patches`);
  });

  test("of a module after any writes holds what RFC 7396 makes of them", async () => {
    await withHub(async () => {
      await registry.createDeviceWithSas("d");
      const property = fc.asyncProperty(patch, patch, async (first, second) => {
        await registry.createModuleWithSas("d", "m");
        await registry.replaceModuleTwin("d", "m", { tags: first, properties: { desired: second } });
        const twin = await registry.updateModuleTwin("d", "m", { tags: second, properties: { desired: first } });
        const expected = {
          tags: mergePatch(mergePatch({}, first), second),
          desired: mergePatch(mergePatch({}, second), first),
          reported: {},
        };
        assert.deepEqual(contentsOf(twin), asJson(expected));
        await registry.deleteModule("d", "m");
      });
      await holds(property, 40);
    });
  });

  const cycle: Section = { a: 1 };
  cycle["self"] = cycle;
  const cannotTravel: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
    NaN,
    Infinity,
    -Infinity,
    1n,
    () => 1,
    Symbol.iterator,
    [undefined],
    [, 1],
    cycle,
    [[cycle]],
    new Date(NaN),
    { toJSON: "no function", a: NaN },
    { toJSON: () => NaN },
    { toJSON: () => ({ a: [1n] }) },
    { toJSON: () => cycle },
    new Map([["a", 1]]),
    new Set([1]),
  );

  function objects(count: number): object[] {
    return Array.from({ length: count }, (_, index) => ({ index }));
  }

  /** A good section with a value that cannot travel put somewhere into it, perhaps deep down or after much else. */
  const spoiled = fc.tuple(
    content,
    fc.array(key, { maxLength: 4 }),
    cannotTravel,
    fc.boolean(),
    fc.constantFrom(0, 0, 0, 49, 50, 200),
    fc.constantFrom(0, 0, 0, 6000),
  ).map(
    ([section, path, bad, inArray, levels, siblings]) => {
      const holder = [...path, ...Array<string>(levels).fill("level")].reduceRight<unknown>(
        (below, name) => Object.fromEntries([[name, below]]),
        inArray ? { bad: [1, bad] } : { bad },
      );
      return { ...section, ...siblings > 0 && { siblings: objects(siblings) }, ...holder as Section };
    },
  );

  test("with anything that JSON cannot carry is refused before any request", async () => {
    const recorder = new Recorder({ body: {} });
    await using recorded = recorder.connect();
    const property = fc.asyncProperty(
      spoiled,
      fc.boolean(),
      fc.constantFrom("updateTwin", "replaceTwin", "method", "bulk"),
      async (section, inTags, target) => {
        const document: TwinPatch = inTags ? { tags: section } : { properties: { desired: section } };
        const outcome = await outcomeOf(() => {
          if (target === "method") {
            return recorded.invokeDeviceMethod("d1", { methodName: "m", payload: section as never });
          }
          if (target === "bulk") return recorded.bulkCreateOrUpdateDevices([{ id: "d1", ...document as object }]);
          return recorded[target]("d1", document);
        });
        assert.equal(recorder.requests.splice(0).length, 0, "nothing may be sent");
        assert.ok(isRefusal(outcome), "it must be refused");
      },
    );
    await holds(property, 150);
  });

  test("with content that is deep and large arrives as it is", async () => {
    const recorder = new Recorder({ body: {} });
    await using recorded = recorder.connect();
    const deep = Array<string>(500).fill("level").reduceRight<object>((below, name) => ({ [name]: below }), {});
    const tags = { deep, siblings: objects(6000), same: [deep, deep] } as Section;
    await recorded.updateTwin("d1", { tags });
    assert.deepEqual(recorder.requests.map(({ body }) => body), [{ tags }]);
  });

  test("with any content that JSON can carry arrives as it is", async () => {
    const recorder = new Recorder({ body: {} });
    await using recorded = recorder.connect();
    const property = fc.asyncProperty(fc.object({ withNullPrototype: true }).map(asJson), async (tags) => {
      recorder.requests.length = 0;
      await recorded.updateTwin("d1", { tags: tags as Section });
      assert.deepEqual(recorder.requests.map(({ body }) => body), [{ tags }]);
    });
    await holds(property, 75);
  });
});
