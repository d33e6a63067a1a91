/** Conditions of queries as text, and what they mean as plain functions over whole documents. */
import fc from "fast-check";
import type { Json } from "./rest_caller.ts";

/** An expression and its value for a document; `undefined` is what is missing, and the third truth value. */
export interface Term {
  readonly text: string;
  /** How tight it binds, from OR at 1 to an operand at 7. */
  readonly level: number;
  readonly of: (document: Json) => unknown;
}

/** A path as it is written. */
export interface ModelPath extends Term {
  /** What a column is called after it. */
  readonly last: string;
}

const RESERVED =
  /^(SELECT|FROM|WHERE|GROUP|BY|AS|AND|OR|NOT|IN|NIN|TRUE|FALSE|NULL|UNDEFINED|ORDER|JOIN|LIKE|BETWEEN|HAVING|DISTINCT)$/i;

/** What queries of some documents can be made of. */
export interface Vocabulary {
  readonly path: fc.Arbitrary<ModelPath>;
  readonly literal: fc.Arbitrary<Term>;
  /** A path, and a value that it leads to somewhere, or that is in an array there. */
  readonly fact: fc.Arbitrary<[ModelPath, Term]>;
}

/** Finds paths and values in documents. */
export function vocabularyOf(collection: string, documents: readonly Json[]): Vocabulary {
  const paths: string[][] = [];
  const values = new Set<unknown>();
  const facts: { path: string[]; value: unknown }[] = [];
  function visit(value: Json, path: string[]): void {
    // The empty name and one with two brackets in it cannot be written.
    if (path.some((name) => name === "" || name.includes("]]"))) return;
    // There is more metadata than anything else, and it is all of one kind.
    if (path[2] === "$metadata" && path.length > 5) return;
    if (path.length > 0) paths.push(path);
    if (isPrimitive(value)) {
      values.add(value);
      facts.push({ path, value });
    } else if (Array.isArray(value)) value.forEach((element) => facts.push({ path, value: element }));
    else for (const [name, below] of Object.entries(value)) visit(below, [...path, name]);
  }
  documents.forEach((document) => visit(document, []));

  const known = fc.constantFrom(...paths);
  // What hardly any document has counts, too: members that are missing, of another case, or below what has none.
  const odd = fc.tuple(known, fc.constantFrom("none", "Site", "length", "constructor", "__proto__", "0")).chain(
    ([path, name]) => fc.constantFrom([...path, name], [...path.slice(0, -1), name]),
  );
  const common = fc.constantFrom<unknown>(0, 1, 2, -1, 0.5, true, false, null, undefined, "", "a", "it's");
  const path = fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: odd });
  const value = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: common });
  return {
    path: path.chain((path) => anyWriting(collection, path)),
    literal: value.chain(anyLiteral),
    fact: fc.constantFrom(...facts).chain(({ path, value }) =>
      fc.tuple(anyWriting(collection, path), anyLiteral(value))
    ),
  };
}

/** A path in one of the ways to write it. */
function anyWriting(collection: string, path: readonly string[]): fc.Arbitrary<ModelPath> {
  const prefix = fc.constantFrom("", "", "", "devices.", "DEVICES.", `${collection}.`);
  return fc.tuple(prefix, fc.boolean(), fc.boolean()).map(([prefix, isOtherCase, isQuoted]) => {
    const [root, ...below] = path;
    const written = [isOtherCase ? root!.toUpperCase() : root!, ...below];
    return {
      text: prefix + written.map((name) => nameText(name, isQuoted)).join("."),
      level: 7,
      of: (document) => valueAt(document, path),
      last: written.at(-1)!,
    };
  });
}

function nameText(name: string, isQuoted: boolean): string {
  return isQuoted || RESERVED.test(name) || !/^[\p{L}_$][\p{L}\p{Nd}_$]*$/u.test(name) ? `[[${name}]]` : name;
}

function valueAt(document: Json, path: readonly string[]): unknown {
  let value: Json = document;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function anyLiteral(value: unknown): fc.Arbitrary<Term> {
  return fc.nat({ max: 3 }).map((style) => ({ text: literalText(value, style), level: 7, of: () => value }));
}

function literalText(value: unknown, style: number): string {
  if (typeof value === "number") {
    return value >= 0 && Number.isInteger(value) && style === 1 ? `0x${value.toString(16)}` : `${value}`;
  }
  if (typeof value !== "string") return style === 1 ? String(value).toUpperCase() : String(value);
  const quote = style % 2 === 0 ? "'" : '"';
  const text = value.replace(/[\\"']/g, (char) => style === 3 || char === quote || char === "\\" ? `\\${char}` : char);
  // deno-lint-ignore no-control-regex
  const hidden = [/[\x00-\x1f]/g, /[^\x20-\x7e]/g, /[^\\"'A-Z]/g, /[\x00-\x1f]/g][style]!;
  return quote + text.replace(hidden, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`) + quote;
}

export function anyCase(word: string): fc.Arbitrary<string> {
  return fc.constantFrom(word, word, word.toUpperCase(), word.replace(/\b\w/g, (letter) => letter.toUpperCase()));
}

function isPrimitive(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function wrap({ text, level }: Term, least: number, isGenerous: boolean = false): string {
  return level < least || isGenerous ? `(${text})` : text;
}

/** Any condition, or any value in the place of one. */
export function anyCondition({ path, literal, fact }: Vocabulary): fc.Arbitrary<Term> {
  const value = fc.letrec<{ value: Term }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 2 },
      { weight: 6, arbitrary: path },
      { weight: 4, arbitrary: literal },
      {
        weight: 2,
        arbitrary: fc.tuple(tie("value"), fc.constantFrom(..."+-*/%"), tie("value"), fc.boolean()).map(arithmetic),
      },
    ),
  })).value;
  const pair = fc.oneof({ weight: 3, arbitrary: fact }, { weight: 1, arbitrary: fc.tuple(value, literal) });
  const sides = fc.oneof({ weight: 3, arbitrary: pair }, { weight: 1, arbitrary: fc.tuple(value, value) });
  const comparison = fc.tuple(sides, fc.constantFrom("=", "!=", "<>", "<", "<=", ">", ">=")).map(
    ([[left, right], operator]): Term => ({
      text: `${wrap(left, 5)} ${operator} ${wrap(right, 5)}`,
      level: 4,
      of: (document) => compare(left.of(document), operator, right.of(document)),
    }),
  );
  const others = fc.array(literal, { maxLength: 4 });
  const membership = fc.tuple(pair, fc.constantFrom("IN", "NIN", "in"), others).map(
    ([[left, one], operator, others]): Term => ({
      text: `${wrap(left, 5)} ${operator} [${[...others, one].map(({ text }) => text).join(", ")}]`,
      level: 4,
      of: (document) => {
        const found = left.of(document);
        if (!isPrimitive(found)) return undefined;
        return [one, ...others].some(({ of }) => of(undefined) === found) !== (operator === "NIN");
      },
    }),
  );
  return fc.letrec<{ condition: Term }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 6, arbitrary: comparison },
      { weight: 3, arbitrary: membership },
      { weight: 3, arbitrary: call(path, value, pair) },
      { weight: 1, arbitrary: value },
      {
        weight: 2,
        arbitrary: fc.tuple(tie("condition"), fc.boolean()).map(([operand, isGenerous]): Term => ({
          text: `NOT ${wrap(operand, 3, isGenerous)}`,
          level: 3,
          of: (document) => not(operand.of(document)),
        })),
      },
      {
        weight: 5,
        arbitrary: fc.tuple(
          fc.constantFrom("AND", "OR", "and"),
          fc.array(tie("condition"), { minLength: 2, maxLength: 3 }),
          fc.boolean(),
        ).map(junction),
      },
    ),
  })).condition;
}

function arithmetic([left, operator, right, isGenerous]: [Term, string, Term, boolean]): Term {
  const level = operator === "+" || operator === "-" ? 5 : 6;
  return {
    text: `${wrap(left, level, isGenerous)} ${operator} ${wrap(right, level + 1)}`,
    level,
    of: (document) => {
      const [one, other] = [left.of(document), right.of(document)];
      if (typeof one !== "number" || typeof other !== "number") return undefined;
      const result = {
        "+": one + other,
        "-": one - other,
        "*": one * other,
        "/": one / other,
        "%": one % other,
      }[operator]!;
      return Number.isFinite(result) ? result : undefined;
    },
  };
}

function compare(left: unknown, operator: string, right: unknown): boolean | undefined {
  if (!isPrimitive(left) || !isPrimitive(right)) return undefined;
  if (operator === "=") return left === right;
  if (operator === "!=" || operator === "<>") return left !== right;
  if (typeof left !== typeof right || typeof left === "boolean" || left === null) return undefined;
  const [one, other] = [left as number, right as number];
  return operator.startsWith("<")
    ? one < other || (operator === "<=" && one === other)
    : one > other || (operator === ">=" && one === other);
}

function not(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? !value : undefined;
}

function junction([operator, operands, isGenerous]: [string, Term[], boolean]): Term {
  const isOr = operator === "OR";
  const level = isOr ? 1 : 2;
  return {
    text: operands.map((operand) => wrap(operand, level + 1, isGenerous)).join(` ${operator} `),
    level,
    of: (document) => {
      const values = operands.map(({ of }) => of(document));
      if (values.includes(isOr)) return isOr;
      return values.every((value) => value === !isOr) ? !isOr : undefined;
    },
  };
}

const TYPE_TESTS: Record<string, (value: unknown) => boolean> = {
  IS_ARRAY: Array.isArray,
  IS_BOOL: (value) => typeof value === "boolean",
  IS_NULL: (value) => value === null,
  IS_NUMBER: (value) => typeof value === "number",
  IS_OBJECT: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  IS_PRIMITIVE: isPrimitive,
  IS_STRING: (value) => typeof value === "string",
};

function call(
  path: fc.Arbitrary<Term>,
  value: fc.Arbitrary<Term>,
  pair: fc.Arbitrary<[Term, Term]>,
): fc.Arbitrary<Term> {
  const ofOne = (name: string, operand: fc.Arbitrary<Term>, test: (value: unknown) => unknown): fc.Arbitrary<Term> =>
    operand.map(({ text, of }) => ({ text: `${name}(${text})`, level: 7, of: (document) => test(of(document)) }));
  const ofTwo = (name: string, test: (value: Json, other: Json) => unknown): fc.Arbitrary<Term> =>
    pair.map(([one, other]) => ({
      text: `${name}(${one.text}, ${other.text})`,
      level: 7,
      of: (document) => test(one.of(document), other.of(document)),
    }));
  const areTexts = (...values: unknown[]): boolean => values.every((value) => typeof value === "string");
  return fc.oneof(
    { weight: 4, arbitrary: ofOne("IS_DEFINED", path, (value) => value !== undefined) },
    {
      weight: 2,
      arbitrary: ofTwo(
        "STARTSWITH",
        (text, start) => areTexts(text, start) ? text.slice(0, start.length) === start : undefined,
      ),
    },
    {
      weight: 1,
      arbitrary: ofTwo(
        "endswith",
        (text, end) => areTexts(text, end) ? end === "" || text.slice(-end.length) === end : undefined,
      ),
    },
    {
      weight: 2,
      arbitrary: ofTwo(
        "ARRAY_CONTAINS",
        (array, value) =>
          Array.isArray(array) && isPrimitive(value) ? array.some((element) => element === value) : undefined,
      ),
    },
    { weight: 2, arbitrary: fc.oneof(...Object.entries(TYPE_TESTS).map(([name, test]) => ofOne(name, value, test))) },
  );
}
