import { checkType, quote, wrongValue } from "./checks.ts";

/** What an id of a device, a module or a message must consist of. */
export const ID_RULE = "1 to 128 characters of A-Za-z0-9:.+%_#*?!(),=@;$'-";

const ID_REGEXP = /^[A-Za-z0-9:.+%_#*?!(),=@;$'-]{1,128}$/;

/** Whether a text follows {@linkcode ID_RULE}. */
export function isId(text: string): boolean {
  return ID_REGEXP.test(text);
}

/**
 * Throws unless `id` is a legal id of a device or module, and one that a URL can contain. `name` names it in the error.
 *
 * This must be called before a URL is built. An empty id would address the whole collection, and `.` and `..` would lead
 * to another path, since `fetch` resolves dot segments even when they are percent-encoded.
 */
export function checkId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!isId(id) || id === "." || id === "..") throw wrongValue(`${name} ${quote(id)}`, `${ID_RULE} but not . or ..`);
}

/** Throws unless `id` is a legal id of a message. `name` names it in the error. */
export function checkMessageId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!isId(id)) throw wrongValue(`${name} ${quote(id)}`, ID_RULE);
}
