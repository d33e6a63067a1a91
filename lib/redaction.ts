const HIDDEN = "(hidden)";

/** Under this symbol Node, Bun and Deno look for an object's own way to be printed. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Makes `object` print and serialise without the values of `secrets`, which stay readable as properties.
 * What is added is not enumerable, so that copies and deep comparisons see the plain object.
 */
export function hideSecrets<T extends object>(object: T, secrets: readonly (keyof T)[]): T {
  function masked(): object {
    const copy = { ...object } as Record<string, unknown>;
    for (const secret of secrets as readonly string[]) {
      if (copy[secret] !== undefined) copy[secret] = HIDDEN;
    }
    return copy;
  }
  for (const name of ["toJSON", INSPECT]) {
    Object.defineProperty(object, name, { value: masked, enumerable: false });
  }
  return object;
}

/**
 * A text from elsewhere (a hub's answer, a runtime's error) without what looks like a secret. Hubs and proxies are known
 * to echo the header they refused.
 */
export function redactText(text: string): string {
  return text
    .replace(/\b(sig)=[^&\s"';,]+/gi, `$1=${HIDDEN}`)
    .replace(/\b(SharedAccessKey|primaryKey|secondaryKey)("?\s*[=:]\s*"?)[A-Za-z0-9+/=]+/gi, `$1$2${HIDDEN}`)
    .replace(/\b(Bearer)\s+[\w\-.~+/=]+/gi, `$1 ${HIDDEN}`)
    .replace(/\beyJ[\w-]*\.[\w-]+\.[\w-]*/g, HIDDEN);
}
