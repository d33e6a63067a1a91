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
  if (typeof value !== type || value === null) throw wrongType(name, withArticle(type), value);
}

/** Throws unless an argument is a text of a form. The value is not shown, so that it may hold a secret. */
export function checkText(name: string, value: unknown, form: RegExp, rule: string): asserts value is string {
  checkType(name, value, "string");
  if (!form.test(value)) throw wrongValue(name, rule);
}

/** Throws unless an argument is a number that is `isLegal`; `rule` says which ones are. */
export function checkNumber(
  name: string,
  value: unknown,
  isLegal: (value: number) => boolean,
  rule: string,
): asserts value is number {
  checkType(name, value, "number");
  if (!isLegal(value)) throw wrongValue(`${name} ${value}`, rule);
}

/** Throws unless an argument is left out or a whole number from `least` to `most`. */
export function checkWhole(name: string, value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined) return;
  const isLegal = (count: number): boolean => Number.isInteger(count) && count >= least && count <= most;
  checkNumber(name, value, isLegal, `a whole number from ${least} to ${most}`);
}

/** Throws unless a text or a list is of a length; `unit` says of what. */
export function checkLength(
  name: string,
  { length }: { length: number },
  least: number,
  most: number,
  unit: string,
): void {
  if (length >= least && length <= most) return;
  throw wrongValue(`${name} of ${length} ${unit}`, `${least} to ${most} ${unit} long`);
}

/** Throws unless an argument is one of a few texts. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) {
    throw wrongValue(`${name} ${quote(String(value))}`, choices.map(quote).join(" or "));
  }
}

/** The error for an argument of the wrong type. The value is not shown, so that it may hold a secret. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${cannotUse(name, expected)}, got ${describeType(value)}`);
}

/** The error for an argument of the right type with a value that is not legal; `name` may show the value. */
export function wrongValue(name: string, expected: string): RangeError {
  return new RangeError(cannotUse(name, expected));
}

/** The sentence in which client and local hub alike say what is wrong with a value; `name` may show the value. */
export function cannotUse(name: string, expected: string): string {
  return `Cannot use ${name}: it must be ${expected}`;
}

/** A value's type in words, for messages that must not show the value itself. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  return withArticle(Array.isArray(value) ? "array" : typeof value);
}

function withArticle(type: string): string {
  return `${/^[ao]/.test(type) ? "an" : "a"} ${type}`;
}

/** `text` in quotes, with control characters escaped and the end of a long text cut off, fit for a message. */
export function quote(text: string): string {
  return text.length > 64 ? `${quote(text.slice(0, 64))}… (${text.length} characters)` : JSON.stringify(text);
}
