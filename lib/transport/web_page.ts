import { redactText } from "../errors/redaction.ts";
import { quote } from "../values/checks.ts";

/** Describes the web page in the body of an answer. No hub sends one, but proxies and the sign-in of a network do. */
export function pageIn(body: string = "", secrets: readonly string[]): string | undefined {
  if (!/^\s*</.test(body)) return undefined;
  const title = /<title[^>]*>\s*([^<]+)/i.exec(body)?.[1]?.replace(/\s+/g, " ").trim();
  return `a web page${title === undefined ? "" : ` (${quote(redactText(title, secrets))})`}`;
}
