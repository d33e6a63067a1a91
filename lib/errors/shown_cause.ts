import { redactText } from "./redaction.ts";

/** How many of the objects inside an error are searched. An error with more is assumed to contain a secret. */
const MAX_OBJECTS = 10_000;

/** How deep a chain of causes is copied. */
const MAX_DEPTH = 8;

/**
 * Returns the cause of an error in a form that is safe to show. This is the cause itself, unless it contains a secret, as
 * some libraries put the request with its headers on the errors that they throw. In that case it is a redacted copy with
 * the cause's name, message, code and stack.
 */
export function causeToShow(cause: unknown, secrets: readonly string[] = []): unknown {
  return holdsSecret(cause, secrets) ? copyOf(cause, secrets, 0) : cause;
}

function holdsSecret(cause: unknown, secrets: readonly string[]): boolean {
  // A loop over a set also visits what is added to the set on the way.
  const objects = new Set<object>([[cause]]);
  for (const object of objects) {
    if (objects.size > MAX_OBJECTS) return true;
    for (const [name, value] of membersOf(object)) {
      // A key by itself can be recognized only by the name of its property.
      const text = typeof value === "string" ? `${name}=${value}` : name;
      // The whole value of this header counts as a secret.
      if (/^(?:proxy-)?authorization=/i.test(text) || redactText(text, secrets) !== text) return true;
      if (value !== null && (typeof value === "object" || typeof value === "function")) objects.add(value);
    }
  }
  return false;
}

/**
 * Lists what printing an object may show: its properties, including those that are not enumerable, and the members of a
 * collection. No getter is called.
 */
function* membersOf(object: object): Generator<[name: string, value: unknown]> {
  for (const key of Reflect.ownKeys(object)) {
    yield [String(key), Object.getOwnPropertyDescriptor(object, key)?.value];
  }
  if (object instanceof Headers || object instanceof Map) {
    // The types of a browser without "DOM.Iterable" do not say that headers can be iterated.
    for (const [key, value] of object as unknown as Iterable<[key: unknown, value: unknown]>) {
      yield ["", key];
      yield [String(key), value];
    }
  }
  if (object instanceof Set) yield ["", [...object]];
  if (object instanceof Request || object instanceof Response) yield ["", object.headers];
}

function copyOf(cause: unknown, secrets: readonly string[], depth: number): Error {
  if (!(cause instanceof Error)) return new Error(redactText(String(cause), secrets));
  const hasCause = cause.cause !== undefined && depth <= MAX_DEPTH;
  const copy = new Error("", hasCause ? { cause: copyOf(cause.cause, secrets, depth + 1) } : undefined);
  // The last two tell in which phase a connection failed.
  for (const name of ["name", "message", "stack", "code", "syscall"]) {
    const value = (cause as unknown as Record<string, unknown>)[name];
    if (typeof value === "string") Object.assign(copy, { [name]: redactText(value, secrets) });
  }
  return copy;
}
