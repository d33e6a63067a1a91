import fc from "fast-check";

/** One thing that is made wrong in a JSON text, at a place that is counted round and round. */
export interface JsonMutation {
  readonly place: number;
  readonly change: JsonChange;
}

type JsonChange =
  /** A value becomes another one, as it is written. */
  | { readonly kind: "value"; readonly text: string }
  | { readonly kind: "nested"; readonly depth: number; readonly shape: "array" | "object" }
  /** A member gets another name, or is there a second time under another name or its own. */
  | { readonly kind: "rename" | "copy"; readonly name: string }
  | { readonly kind: "double" | "drop" }
  /** An element of an array, or a value as one, comes very often. */
  | { readonly kind: "repeat"; readonly times: number }
  /** The text as a whole. */
  | { readonly kind: "cut"; readonly part: number }
  | { readonly kind: "before" | "after"; readonly text: string };

const NAMES = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "", "$a", "a.b", "a b", "\u0000", "\ud800"),
  fc.constantFrom("deviceId", "DEVICEID", "etag", "tags", "properties", "desired", "$version", "importMode", "0"),
  fc.constantFrom(600, 5_000).map((length) => "n".repeat(length)),
  fc.string({ maxLength: 8 }),
);

const TEXTS = fc.oneof(
  fc.constantFrom(
    ...["null", "true", "false", "0", "-0", "-1", "1.5", "1e400", "-1e400", "1e-400", "9007199254740993", "1e21"],
    ...['""', '"*"', '"\\u0000"', '"\\ud800"', '"__proto__"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"'],
    ...["[]", "{}", "[null]", "[[]]", '{"__proto__":{"a":1}}', '{"toString":1,"valueOf":1}', '{"length":4294967295}'],
    ...["NaN", "undefined", "01", "'a'", '"a', "[1,", '{"a":', "{a:1}", '"\n"', "nul", "\ufeff1"],
  ),
  fc.nat(400).map((digits) => "1".repeat(digits + 1)),
  fc.constantFrom(200, 5_000, 70_000, 300_000).map((length) => JSON.stringify("x".repeat(length))),
  fc.json({ maxDepth: 3 }),
  fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."é語😀\u2028\ufeff\ud800\0\x7f") })).map((text) =>
    JSON.stringify(text)
  ),
);

const CHANGES: fc.Arbitrary<JsonChange> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("value" as const), text: TEXTS }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("nested" as const),
      depth: fc.constantFrom(1, 5, 11, 33, 600, 2_000, 20_000),
      shape: fc.constantFrom("array", "object"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("rename", "copy"), name: NAMES }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("double", "drop") }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("repeat" as const), times: fc.constantFrom(2, 50, 101, 1_000, 20_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), part: fc.nat(99) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("before", "after"),
      text: fc.constantFrom("\ufeff", "\u0000", " ".repeat(100_000), "{}", "]", ")]}',\n"),
    }),
  },
);

export const JSON_MUTATIONS: fc.Arbitrary<JsonMutation> = fc.record({ place: fc.nat(60), change: CHANGES });

/** A JSON value: the text of what has no parts, or an array or object. */
type JsonNode = string | { readonly shape: "array" | "object"; readonly entries: JsonEntry[] };

/** A member of an object or, without a name, an element of an array. */
interface JsonEntry {
  name?: string;
  value: JsonNode;
}

/** Writes a value as JSON with a mistake. */
export function mutatedJson(value: unknown, { place, change }: JsonMutation): string {
  const root: JsonEntry[] = [{ value: nodeOf(value) }];
  const places = placesIn(root);
  const { entries, index } = places[place % places.length]!;
  mutate(entries, index, change);
  const text = root.map(({ value }) => written(value)).join("");
  switch (change.kind) {
    case "cut":
      return text.slice(0, Math.floor(text.length * change.part / 100));
    case "before":
      return change.text + text;
    case "after":
      return text + change.text;
    default:
      return text;
  }
}

const MOST_REPEATED = 3_000_000;

function mutate(entries: JsonEntry[], index: number, change: JsonChange): void {
  const entry = entries[index]!;
  switch (change.kind) {
    case "value":
      entry.value = change.text;
      break;
    case "nested": {
      const [before, after] = change.shape === "array" ? ["[", "]"] : ['{"a":', "}"];
      entry.value = before.repeat(change.depth) + written(entry.value) + after.repeat(change.depth);
      break;
    }
    case "rename":
      if (entry.name !== undefined) entry.name = change.name;
      break;
    case "copy":
      if (entry.name !== undefined) entries.push({ name: change.name, value: entry.value });
      break;
    case "double":
      entries.push(entry);
      break;
    case "drop":
      entries.splice(index, 1);
      break;
    case "repeat": {
      const text = written(entry.value);
      const times = Math.min(change.times, Math.ceil(MOST_REPEATED / text.length));
      entry.value = `[${new Array(times).fill(text).join(",")}]`;
      break;
    }
    default:
  }
}

function nodeOf(value: unknown): JsonNode {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (value instanceof Array) return { shape: "array", entries: value.map((item) => ({ value: nodeOf(item) })) };
  const entries = Object.entries(value).map(([name, member]) => ({ name, value: nodeOf(member) }));
  return { shape: "object", entries };
}

function placesIn(entries: JsonEntry[]): { entries: JsonEntry[]; index: number }[] {
  return entries.flatMap(({ value }, index) => [
    { entries, index },
    ...(typeof value === "string" ? [] : placesIn(value.entries)),
  ]);
}

function written(node: JsonNode): string {
  if (typeof node === "string") return node;
  const texts = node.entries.map(({ name, value }) => {
    return (name === undefined ? "" : `${JSON.stringify(name)}:`) + written(value);
  });
  return node.shape === "array" ? `[${texts.join(",")}]` : `{${texts.join(",")}}`;
}
