const HIDDEN = "(hidden)";

/** The name of the method that Node, Bun and Deno call to print an object. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Hides the values of the properties `secrets` when `object` is printed or serialized. They stay readable as properties.
 * The methods that this adds are not enumerable, so that copies and deep comparisons see the plain object.
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
 * Removes everything that looks like a secret, and all the given `secrets`, from a text that comes from elsewhere, such as
 * a hub's answer or a runtime's error. Hubs and proxies are known to echo the header that they refused.
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
    // A secret follows its name. The punctuation between the two may have been escaped any number of times.
    .replace(
      /((?<![a-z])(?:sig|SharedAccessKey|primaryKey|secondaryKey)\\*["']?\s*(?:[=:]|%(?:25)*3D)\s*\\*["']?)[^&\s"';,\\]+/gi,
      `$1${HIDDEN}`,
    )
    .replace(/(\bBearer(?:\s|%20)+)[^&\s"';,\\]+/gi, `$1${HIDDEN}`)
    .replace(/\beyJ[\w.-]{8,}/g, HIDDEN);
}

/** Returns the secrets in a value of the header `Authorization`: the token after the scheme, and a signature in it. */
export function secretsOfToken(authorization: string): string[] {
  const token = authorization.replace(/^\S+ /, "");
  const signature = /\bsig=([^&]+)/.exec(token)?.[1] ?? "";
  return [token, signature, decode(signature)].filter(isSearchable);
}

/** Whether a secret is long enough to search for. A very short one would also be found in harmless words. */
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
