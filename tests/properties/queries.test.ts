import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IoTHubRegistryManager, type Twin } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";

type Tags = Record<string, unknown>;

/** A condition as text and as an independent function; `undefined` is the third truth value. */
interface Condition {
  text: string;
  /** How tight it binds: 1 OR, 2 AND, 3 NOT, 4 a comparison. */
  level: number;
  test: (tags: Tags) => boolean | undefined;
}

const value = fc.oneof(
  fc.constantFrom("a", "b", "B", "it's", 'say "x"', "back\\slash", "é", ""),
  fc.constantFrom(0, 1, 2, -1, 1.5),
  fc.boolean(),
);
const tagValue = fc.oneof(
  { weight: 8, arbitrary: value },
  { weight: 1, arbitrary: fc.constantFrom([1, 2], {}, { a: 1 }, ["a"], ["a", 1, true], [["a"]]) },
);
const anyTags: fc.Arbitrary<Tags> = fc.record({
  a: tagValue,
  b: tagValue,
  group: tagValue,
  deep: fc.record({ c: tagValue }, { requiredKeys: [], noNullPrototype: true }),
}, { requiredKeys: [], noNullPrototype: true });

const PATHS: readonly { text: string; read: (tags: Tags) => unknown }[] = [
  { text: "tags.a", read: (tags) => tags["a"] },
  { text: "devices.tags.b", read: (tags) => tags["b"] },
  { text: "tags.[[group]]", read: (tags) => tags["group"] },
  { text: "tags.deep.c", read: (tags) => (tags["deep"] as Tags | undefined)?.["c"] },
  { text: "tags.deep", read: (tags) => tags["deep"] },
  { text: "tags.A", read: () => undefined },
];

const path = fc.constantFrom(...PATHS);

function literal(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const quote = value.includes("'") ? '"' : "'";
  return quote + value.replace(/[\\"']/g, "\\$&").replace("é", "\\u00e9") + quote;
}

function isPrimitive(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** Only primitives compare; those of different types are not equal, and none of them is the greater. */
function compare(left: unknown, operator: string, right: unknown): boolean | undefined {
  if (!isPrimitive(left) || !isPrimitive(right)) return undefined;
  if (operator === "=") return left === right;
  if (operator === "!=" || operator === "<>") return left !== right;
  if (typeof left !== typeof right || typeof left === "boolean") return undefined;
  const [one, other] = [left as string, right as string];
  return operator === "<"
    ? one < other
    : operator === "<="
    ? one <= other
    : operator === ">"
    ? one > other
    : one >= other;
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

const comparison: fc.Arbitrary<Condition> = fc.tuple(
  path,
  fc.constantFrom("=", "!=", "<>", "<", "<=", ">", ">="),
  value,
  fc.boolean(),
).map(([{ text, read }, operator, right, isTurned]) => ({
  text: isTurned && (operator === "=" || operator === "!=")
    ? `${literal(right)} ${operator} ${text}`
    : `${text} ${operator} ${literal(right)}`,
  level: 4,
  test: (tags) => compare(read(tags), operator, right),
}));

const between: fc.Arbitrary<Condition> = fc.tuple(path, fc.constantFrom("=", "!="), path).map((
  [one, operator, other],
) => ({
  text: `${one.text}${operator}${other.text}`,
  level: 4,
  test: (tags) => compare(one.read(tags), operator, other.read(tags)),
}));

const membership: fc.Arbitrary<Condition> = fc.tuple(
  path,
  fc.constantFrom("IN", "NIN", "in"),
  fc.array(value, { minLength: 1, maxLength: 4 }),
).map(([{ text, read }, operator, values]) => ({
  text: `${text} ${operator} [${values.map(literal).join(", ")}]`,
  level: 4,
  test: (tags) => {
    const found = read(tags);
    const isIn = isPrimitive(found) ? values.some((candidate) => candidate === found) : undefined;
    return operator === "NIN" ? not(isIn) : isIn;
  },
}));

const containment: fc.Arbitrary<Condition> = fc.tuple(
  path,
  fc.constantFrom("ARRAY_CONTAINS", "array_contains"),
  value,
).map(([{ text, read }, name, wanted]) => ({
  text: `${name}(${text}, ${literal(wanted)})`,
  level: 4,
  test: (tags) => {
    const found = read(tags);
    return Array.isArray(found) ? found.some((element) => element === wanted) : undefined;
  },
}));

const definition: fc.Arbitrary<Condition> = path.map(({ text, read }) => ({
  text: `IS_DEFINED(${text})`,
  level: 4,
  test: (tags) => read(tags) !== undefined,
}));

function wrap({ text, level }: Condition, least: number, isGenerous: boolean): string {
  return level < least || isGenerous ? `(${text})` : text;
}

const condition: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: comparison },
    { weight: 1, arbitrary: between },
    { weight: 2, arbitrary: membership },
    { weight: 2, arbitrary: definition },
    { weight: 2, arbitrary: containment },
    {
      weight: 2,
      arbitrary: fc.tuple(tie("condition"), fc.boolean()).map(([operand, isGenerous]): Condition => ({
        text: `NOT ${wrap(operand, 3, isGenerous)}`,
        level: 3,
        test: (tags) => not(operand.test(tags)),
      })),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(tie("condition"), fc.constantFrom("AND", "OR"), tie("condition"), fc.boolean()).map(
        ([left, operator, right, isGenerous]): Condition => {
          const level = operator === "AND" ? 2 : 1;
          return {
            text: `${wrap(left, level, isGenerous)} ${operator} ${wrap(right, level, isGenerous)}`,
            level,
            test: (tags) => {
              const sides = [left.test(tags), right.test(tags)];
              const decisive = operator === "OR";
              if (sides.includes(decisive)) return decisive;
              return sides.includes(undefined) ? undefined : !decisive;
            },
          };
        },
      ),
    },
  ),
})).condition;

/** A hub with a device for each of the tags, `d0`, `d1` and so on, and what it takes to ask it. */
async function withFleet(
  fleet: readonly Tags[],
  run: (registry: IoTHubRegistryManager) => Promise<void>,
): Promise<void> {
  await using hub = new LocalHub();
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  if (fleet.length > 0) {
    const devices = fleet.map((tags, index) => ({ id: `d${index}`, importMode: "create" as const, tags }));
    const { isSuccessful } = await registry.bulkCreateOrUpdateDevices(devices);
    assert.ok(isSuccessful);
  }
  await run(registry);
}

const fleet = fc.array(anyTags, { maxLength: 25, size: "max" });

describe("the pages of any query", () => {
  test("hold what an independent filter finds, however they are read and whatever their size", async () => {
    const property = fc.asyncProperty(
      fleet,
      condition,
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.integer({ min: 1, max: 30 })),
      async (fleet, where, pageSize, top) => {
        await withFleet(fleet, async (registry) => {
          const query = `SELECT ${top === null ? "" : `TOP ${top} `}* FROM devices WHERE ${where.text}`;
          const expected = fleet.map((tags, index) => ({ id: `d${index}`, tags }))
            .filter(({ tags }) => where.test(tags) === true).slice(0, top ?? Infinity);

          const rows: Twin[] = [];
          for await (const twin of registry.query<Twin>(query, { maxItemCount: pageSize })) {
            rows.push(twin);
            assert.ok(rows.length <= fleet.length, "there must be an end");
          }
          assert.deepEqual(rows.map(({ deviceId, tags = {} }) => ({ id: deviceId, tags })), expected);

          const paged: Twin[] = [];
          for await (const page of registry.query<Twin>(query).byPage({ maxPageSize: pageSize })) {
            paged.push(...page.items);
          }
          assert.deepEqual(paged, rows);

          const looped: Twin[] = [];
          let continuationToken: string | undefined;
          let pages = 0;
          do {
            const page = await registry.queryIotHub<Twin>(query, { maxItemCount: pageSize, continuationToken });
            assert.ok(page.items.length <= pageSize);
            assert.equal(page.type, "twin");
            looped.push(...page.items);
            ({ continuationToken } = page);
            pages++;
          } while (continuationToken !== undefined);
          assert.deepEqual(looped, rows);
          assert.equal(pages, Math.max(1, Math.ceil(rows.length / pageSize)), "no page is there for nothing");
        });
      },
    );
    await holds(property, 40);
  });

  const change = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), tags: anyTags }),
    fc.record({ kind: fc.constant("delete" as const), at: fc.nat() }),
  );

  test("hold each device that was there all the time once, and none twice, while others come and go", async () => {
    const property = fc.asyncProperty(
      fleet,
      condition,
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 10 }),
      async (fleet, where, pageSize, changes) => {
        await withFleet(fleet, async (registry) => {
          const present = new Map(fleet.map((tags, index) => [`d${index}`, tags]));
          const stable = new Map(present);
          const everThere = new Map(present);
          const seen: string[] = [];
          let step = 0;
          const query = `SELECT * FROM devices WHERE ${where.text}`;
          for await (const page of registry.query<Twin>(query).byPage({ maxPageSize: pageSize })) {
            seen.push(...page.items.map(({ deviceId }) => deviceId!));
            assert.ok(seen.length <= everThere.size, "there must be an end");
            for (const one of changes[step++] ?? []) {
              if (one.kind === "add") {
                const id = `new${everThere.size}`;
                await registry.bulkCreateOrUpdateDevices([{ id, importMode: "create", tags: one.tags }]);
                present.set(id, one.tags);
                everThere.set(id, one.tags);
              } else if (present.size > 0) {
                const id = [...present.keys()][one.at % present.size]!;
                await registry.deleteDevice(id);
                present.delete(id);
                stable.delete(id);
              }
            }
          }
          assert.equal(new Set(seen).size, seen.length, "no device may come twice");
          for (const id of seen) assert.equal(where.test(everThere.get(id)!), true, `${id} does not match`);
          const missing = [...stable].filter(([id, tags]) => where.test(tags) === true && !seen.includes(id));
          assert.deepEqual(missing, []);
        });
      },
    );
    await holds(property, 40);
  });
});
