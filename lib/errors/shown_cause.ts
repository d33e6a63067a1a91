import { redactText } from "./redaction.ts";

/** How many objects of an error are looked at; a larger one is taken to hold a secret. */
const MAX_OBJECTS = 10_000;

/** How many causes of causes are copied. */
const MAX_DEPTH = 8;

/**
 * What caused an error, fit to be shown with it. It is handed on as it is, unless a secret is in it: some put the request with
 * its headers on the errors they throw. Then a copy takes its place, with its name, message, code and stack.
 */
export function causeToShow(cause: unknown, secrets: readonly string[] = []): unknown {
  return holdsSecret(cause, secrets) ? copyOf(cause, secrets, 0) : cause;
}

function holdsSecret(cause: unknown, secrets: readonly string[]): boolean {
  // What is added to a set while it is gone through has its turn too.
  const objects = new Set<object>([[cause]]);
  for (const object of objects) {
    if (objects.size > MAX_OBJECTS) return true;
    for (const [name, value] of membersOf(object)) {
      // A key on its own has no mark but the name of its property.
      const text = typeof value === "string" ? `${name}=${value}` : name;
      // Whatever is in that header is a secret.
      if (/^authorization=/i.test(text) || redactText(text, secrets) !== text) return true;
      if (value !== null && (typeof value === "object" || typeof value === "function")) objects.add(value);
    }
  }
  return false;
}

/** What printing an object shows: its properties, hidden ones too, and what a collection holds. No getter is run. */
function* membersOf(object: object): Generator<[name: string, value: unknown]> {
  for (const key of Reflect.ownKeys(object)) {
    yield [String(key), Object.getOwnPropertyDescriptor(object, key)?.value];
  }
  if (object instanceof Headers || object instanceof Map) {
    for (const [key, value] of object) {
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
  // By the last two it is seen in which phase a connection failed.
  for (const name of ["name", "message", "stack", "code", "syscall"]) {
    const value = (cause as unknown as Record<string, unknown>)[name];
    if (typeof value === "string") Object.assign(copy, { [name]: redactText(value, secrets) });
  }
  return copy;
}
