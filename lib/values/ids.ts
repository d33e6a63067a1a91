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

/** Throws unless `id` is a legal id of a digital twin, which is that of a device. */
export function checkDigitalTwinId(_name: string, id: unknown): asserts id is string {
  checkId("digitalTwinId", id);
}

/** What an id of a configuration must consist of. */
const CONFIGURATION_ID_RULE = "1 to 128 characters of a-z0-9+%_*!'-";

/** Throws unless `id` is a legal id of a configuration. `name` names it in the error. */
export function checkConfigurationId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!/^[a-z0-9+%_*!'-]{1,128}$/.test(id)) throw wrongValue(`${name} ${quote(id)}`, CONFIGURATION_ID_RULE);
}

/** What an id of a job must consist of. Most hubs take lower-case letters only, and say so. */
const JOB_ID_RULE = "1 to 64 characters of A-Za-z0-9_'-";

/**
 * Throws unless `id` is a legal id of a job, and not `query`, which stands for the list of jobs in a URL. `name` names it in
 * the error.
 */
export function checkJobId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!/^[A-Za-z0-9_'-]{1,64}$/.test(id) || /^query$/i.test(id)) {
    throw wrongValue(`${name} ${quote(id)}`, `${JOB_ID_RULE} but not query`);
  }
}

/** Throws unless `id` is a legal id of a message. `name` names it in the error. */
export function checkMessageId(name: string, id: unknown): asserts id is string {
  checkType(name, id, "string");
  if (!isId(id)) throw wrongValue(`${name} ${quote(id)}`, ID_RULE);
}
