/**
 * The rule for device and module ids: 1 to 128 ASCII letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`.
 *
 * It is checked before a URL is built, because an empty id would address the whole collection, and `.` and `..` would
 * make `fetch` leave the path: it resolves dot segments even when they are percent-encoded.
 */
const ID_REGEXP = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;

/** Throws unless `id` is a legal device or module id that a URL can carry; `name` is what the caller calls it. */
export function checkId(name: string, id: unknown): asserts id is string {
  if (typeof id !== "string") {
    throw new TypeError(`Cannot use ${name}: it must be a string, got ${describeType(id)}`);
  }
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
