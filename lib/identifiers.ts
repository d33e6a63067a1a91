/**
 * The rule for device and module ids: 1 to 128 ASCII letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`.
 *
 * It is checked before a URL is built, because an empty id would address the whole collection, and `.` and `..` would
 * make `fetch` leave the path: it resolves dot segments even when they are percent-encoded.
 */
const ID_REGEXP = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;

/** Throws unless `id` is a legal device or module id that a URL can carry; `name` is what the caller calls it. */
export function checkId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!ID_REGEXP.test(id)) {
    throw new RangeError(
      `Cannot use ${name} ${
        quote(id)
      }: an id is 1 to 128 characters of A-Z a-z 0-9 and - : . + % _ # * ? ! ( ) , = @ ; $ '` +
        (id.length > 128 ? `, and this one has ${id.length}` : ""),
    );
  }
  if (id === "." || id === "..") {
    throw new RangeError(`Cannot use ${name} ${quote(id)}: as a URL segment it would address another resource`);
  }
}

/** What an argument may have to be, as `typeof` says it. */
interface TypeNames {
  string: string;
  number: number;
  boolean: boolean;
  object: object;
  function: (...args: never[]) => unknown;
}

/** Throws unless an argument is of a type; null is no object here. `name` is what the caller calls it. */
export function checkType<T extends keyof TypeNames>(
  name: string,
  value: unknown,
  type: T,
): asserts value is TypeNames[T] {
  if (typeof value !== type || value === null) {
    throw wrongType(name, `${type === "object" ? "an" : "a"} ${type}`, value);
  }
}

/** Throws unless an argument is a number that is `isLegal`; `rule` says which ones are. */
export function checkNumber(
  name: string,
  value: unknown,
  isLegal: (value: number) => boolean,
  rule: string,
): asserts value is number {
  checkType(name, value, "number");
  if (!isLegal(value)) throw new RangeError(`Cannot use ${name} ${value}: it must be ${rule}`);
}

/** The error for an argument that is none of what is expected. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`Cannot use ${name}: it must be ${expected}, got ${describeType(value)}`);
}

/** A value's type in words, for messages that must not show the value itself. */
export function describeType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return value === undefined ? "undefined" : `a ${typeof value}`;
}

/** `text` in quotes, with control characters escaped and the middle of a long text cut, fit for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 48)}…${text.slice(-8)}` : text);
}
