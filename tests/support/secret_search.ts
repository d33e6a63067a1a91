import { inspect } from "node:util";

/** Every text that a value shows when somebody prints, logs, serialises or takes it apart, with the way to it. */
export function shownTexts(value: unknown): [how: string, text: string][] {
  const texts: [string, string][] = [];
  const seen = new Set<unknown>();

  function show(how: string, make: () => unknown): void {
    try {
      texts.push([how, String(make())]);
    } catch {
      // What cannot be printed shows nothing.
    }
  }

  function visit(part: unknown, path: string): void {
    if ((typeof part !== "object" || part === null) && typeof part !== "function") return show(path, () => part);
    if (seen.has(part)) return;
    seen.add(part);
    show(`String(${path})`, () => part);
    show(`JSON.stringify(${path})`, () => JSON.stringify(part));
    for (const key of Reflect.ownKeys(part)) {
      texts.push([`name in ${path}`, String(key)]);
      visit(Object.getOwnPropertyDescriptor(part, key)?.value, `${path}.${String(key)}`);
    }
  }

  show("inspect", () => inspect(value));
  show("inspect, all of it", () => inspect(value, { showHidden: true, depth: 20 }));
  const { Deno, Bun } = globalThis as unknown as Record<string, { inspect(value: unknown, options?: object): string }>;
  show("the runtime's own inspect", () => (Deno ?? Bun)?.inspect(value, { depth: 20, showHidden: true }));
  visit(value, "it");
  return texts;
}

/** A secret in all the ways in which it may be written. */
export function spellings(secret: string): string[] {
  const encoded = encodeURIComponent(secret);
  return [...new Set([secret, encoded, encodeURIComponent(encoded), JSON.stringify(secret).slice(1, -1)])];
}
