import { redactText } from "../errors/redaction.ts";
import { quote } from "../values/checks.ts";

/** A title that does not end within so many characters is not shown. A piece of one could show half a secret. */
const HEAD_LENGTH = 4096;

/** Tells whether a body is a web page rather than what a hub says. */
export function isPage(body: string): boolean {
  return /^\s*</.test(body);
}

/** Describes the web page in the body of an answer. No hub sends one, but proxies and the sign-in of a network do. */
export function pageIn(body: string = "", secrets: readonly string[]): string | undefined {
  if (!isPage(body)) return undefined;
  const title = /<title[^<>]{0,100}>([^<]+)</i.exec(body.slice(0, HEAD_LENGTH))?.[1]?.replace(/\s+/g, " ").trim();
  return `a web page${title ? ` (${quote(redactText(title, secrets))})` : ""}`;
}
