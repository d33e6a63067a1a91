/** The types that an argument can be checked for, by their names in `typeof`. */
interface TypeNames {
  string: string;
  number: number;
  boolean: boolean;
  object: object;
  function: (...args: never[]) => unknown;
}

/** Throws unless an argument has the given type. `null` is not an object here. `name` names the argument in the error. */
export function checkType<T extends keyof TypeNames>(
  name: string,
  value: unknown,
  type: T,
): asserts value is TypeNames[T] {
  if (typeof value !== type || value === null) throw wrongType(name, withArticle(type), value);
}

/** Throws unless an argument is a string that matches `form`. The error does not show it, as it may be a secret. */
export function checkText(name: string, value: unknown, form: RegExp, rule: string): asserts value is string {
  checkType(name, value, "string");
  if (!form.test(value)) throw wrongValue(name, rule);
}

/** Throws unless an argument is a number that `isLegal` accepts. `rule` describes such numbers, as in "at least 1". */
export function checkNumber(
  name: string,
  value: unknown,
  isLegal: (value: number) => boolean,
  rule: string,
): asserts value is number {
  checkType(name, value, "number");
  if (!isLegal(value)) throw wrongValue(`${name} ${value}`, rule);
}

/** Throws unless an argument is `undefined` or a whole number from `least` to `most`. */
export function checkWhole(name: string, value: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined) return;
  const isLegal = (count: number): boolean => Number.isInteger(count) && count >= least && count <= most;
  checkNumber(name, value, isLegal, `a whole number from ${least} to ${most}`);
}

/** Throws unless the length of a string or an array is from `least` to `most`. `unit` says what the length counts. */
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

/** Throws unless an argument is one of the given strings. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (!choices.includes(value as string)) {
    throw wrongValue(`${name} ${quote(String(value))}`, choices.map(quote).join(" or "));
  }
}

/** Returns the error for an argument of the wrong type. It does not show the value, as that may be a secret. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${cannotUse(name, expected)}, got ${describeType(value)}`);
}

/** Returns the error for an argument of the right type whose value is not legal. `name` may include the value. */
export function wrongValue(name: string, expected: string): RangeError {
  return new RangeError(cannotUse(name, expected));
}

/** Says what is wrong with a value, in the words of both the client and the local hub. `name` may include the value. */
export function cannotUse(name: string, expected: string): string {
  return `Cannot use ${name}: it must be ${expected}`;
}

/** Describes the type of a value, for messages that must not show the value itself. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  return withArticle(Array.isArray(value) ? "array" : typeof value);
}

function withArticle(type: string): string {
  return `${/^[ao]/.test(type) ? "an" : "a"} ${type}`;
}

/** Quotes a text for a message. Control characters are escaped, and a long text is cut off. */
export function quote(text: string): string {
  return text.length > 64 ? `${quote(text.slice(0, 64))}… (${text.length} characters)` : JSON.stringify(text);
}
