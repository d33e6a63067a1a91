import { redactText } from "./redaction.ts";

/** How deep an error is looked into. Printing goes less deep unless told otherwise. */
const MAX_DEPTH = 8;

/** How much of an error is looked at; a larger one is taken to hold a secret. */
const MAX_VALUES = 5_000;

/**
 * What caused an error, fit to be shown with it. It is handed on as it is, unless a secret is in it: some put the request with
 * its headers on the errors they throw. Then a copy takes its place, with its name, message, code and stack.
 */
export function causeToShow(cause: unknown, secrets: readonly string[] = []): unknown {
  const search = new SecretSearch(secrets);
  return search.find(cause, "", 0) ? copyOf(cause, secrets, 0) : cause;
}

class SecretSearch {
  readonly #secrets: readonly string[];
  readonly #seen = new Set<unknown>();

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  find(value: unknown, name: string, depth: number): boolean {
    if (typeof value === "string") return this.#isSecret(name, value);
    if (value === null || (typeof value !== "object" && typeof value !== "function") || depth > MAX_DEPTH) return false;
    if (this.#seen.has(value)) return false;
    if (this.#seen.add(value).size > MAX_VALUES) return true;
    return membersOf(value).some(([key, member]) => this.find(key, "", depth) || this.find(member, key, depth + 1));
  }

  #isSecret(name: string, text: string): boolean {
    // Whatever is in that header is one, and a key on its own has no mark but the name of its property.
    if (/^authorization$/i.test(name)) return true;
    return [text, `${name}=${text}`].some((shown) => redactText(shown, this.#secrets) !== shown);
  }
}

/** What printing an object shows: its properties, hidden ones too, and what a collection holds. No getter is run. */
function membersOf(object: object): [string, unknown][] {
  const members: [string, unknown][] = Reflect.ownKeys(object).map((key) => {
    return [String(key), Object.getOwnPropertyDescriptor(object, key)?.value];
  });
  if (object instanceof Headers || object instanceof Map) {
    for (const [key, value] of object) members.push(["", key], [String(key), value]);
  }
  if (object instanceof Set) { for (const value of object) members.push(["", value]); }
  if (object instanceof Request || object instanceof Response) members.push(["headers", object.headers]);
  return members;
}

function copyOf(cause: unknown, secrets: readonly string[], depth: number): unknown {
  if (!(cause instanceof Error)) return new Error(redactText(String(cause), secrets));
  const inner = cause.cause === undefined || depth > MAX_DEPTH ? undefined : copyOf(cause.cause, secrets, depth + 1);
  const copy = new Error(redactText(cause.message, secrets), inner === undefined ? undefined : { cause: inner });
  copy.name = redactText(cause.name, secrets);
  copy.stack = cause.stack && redactText(cause.stack, secrets);
  // By these it is seen in which phase a connection failed.
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  if (typeof code === "string") Object.assign(copy, { code: redactText(code, secrets) });
  if (typeof syscall === "string") Object.assign(copy, { syscall: redactText(syscall, secrets) });
  return copy;
}
