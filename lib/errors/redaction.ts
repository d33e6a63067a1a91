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
  return Object.defineProperties(object, { toJSON: { value: masked }, [INSPECT]: { value: masked } });
}

/**
 * A text from elsewhere (a hub's answer, a runtime's error) without what looks like a secret, and without the secrets that
 * are known. Hubs and proxies are known to echo the header they refused.
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
    // What follows the word that announces it, however often what stands between them was escaped.
    .replace(
      /((?<![a-z])(?:sig|SharedAccessKey|primaryKey|secondaryKey)\\*["']?\s*(?:[=:]|%(?:25)*3D)\s*\\*["']?)[^&\s"';,\\]+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/(\bBearer(?:\s|%20)+)[^&\s"';,\\]+/gi, `$1${HIDDEN}`)
    .replace(/\beyJ[\w.-]{8,}/g, HIDDEN);
}

/** What is secret of the value of the header `Authorization`: the token after the scheme, and a signature in it. */
export function secretsOfToken(authorization: string): string[] {
  const token = authorization.replace(/^\S+ /, "");
  const signature = /\bsig=([^&]+)/.exec(token)?.[1] ?? "";
  return [token, signature, decode(signature)].filter(isSearchable);
}

/** Whether a secret is long enough to be searched for: something very short would be found in harmless words. */
export function isSearchable(secret: string): boolean {
  return secret.length >= 8;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
