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

/** What looks like a secret. The first group stays. */
const LOOKS_SECRET: readonly RegExp[] = [
  /((?<![a-z])(?:sig|SharedAccessKey|AccountKey|primaryKey|secondaryKey)["']?\s*[=:]\s*["']?)[^&\s"';,\\]+/gi,
  /((?:\bBearer|\bauthorization\W{1,4}Basic)\s+)[^&\s"';,\\]+/gi,
  /()\beyJ[\w.-]{8,}/g,
  // What is put into a URL to sign in: the query of a WebSocket's, a function's key, a user's name and password.
  /(\bwss?:\/\/[^\s"'<>?]{1,300}\?)[^\s"'<>]+/gi,
  /([?&](?:code|key|token|access_token|password)=)[^&\s"'<>]+/gi,
  /(:\/\/)[^\s"'<>/?#@]{1,300}(?=@)/g,
];

/** How often a text is decoded at most, each time through any number of equal layers. */
const MAX_DECODINGS = 10;

/**
 * Removes everything that looks like a secret, and all the given `secrets`, from a text that comes from elsewhere, such as
 * a hub's answer or a runtime's error. Hubs and proxies are known to echo the header that they refused. If a secret is in
 * the text only as JSON text or a URL would hold it, the text is returned decoded, without the secret.
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  // What encloses a secret may be there only as long as nothing is decoded, such as a password with an @ in a URL.
  const plain = hide(text, secrets);
  const decoded = decode(plain);
  const shown = hide(decoded, secrets.map(decode));
  return shown === decoded ? plain : shown;
}

function hide(text: string, secrets: readonly string[]): string {
  const rest = secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
  return LOOKS_SECRET.reduce((rest, pattern) => rest.replace(pattern, `$1${HIDDEN}`), rest);
}

/** Undoes percent-encoding and JSON's escapes, in whatever order they were applied. */
function decode(text: string): string {
  for (let count = 0; count < MAX_DECODINGS; count++) {
    const decoded = text
      .replace(
        /%(?:25)*([0-7][\da-f])|\\+u00([0-7][\da-f])/gi,
        (_, percent, escaped) => String.fromCharCode(parseInt(percent ?? escaped, 16)),
      )
      .replace(/\\+(?=["/])/g, "");
    if (decoded === text) break;
    text = decoded;
  }
  return text;
}

/** Brings a text from elsewhere into the form in which messages show it: one line of at most 400 characters. */
export function shorten(text: string): string {
  return text.trim().replace(/\s+/g, " ").replace(/^(.{400}).+/, "$1…");
}

/** Returns the secrets in a value of the header `Authorization`: the token after the scheme, and a signature in it. */
export function secretsOfToken(authorization: string): string[] {
  const token = authorization.replace(/^\S+ /, "");
  const signature = /\bsig=([^&]+)/.exec(token)?.[1] ?? "";
  return [token, signature].filter(isSearchable);
}

/** Whether a secret is long enough to search for. A very short one would also be found in harmless words. */
export function isSearchable(secret: string): boolean {
  return secret.length >= 8;
}
