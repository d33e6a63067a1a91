import { checkType, quote, wrongType } from "./checks.ts";

/** How alike two names must be, from 0 to 1, for one to be taken for a slip of the other. */
const LEAST_LIKENESS = 0.4;

/**
 * Throws unless an argument is an object of options that has known members only. A misspelt one would be ignored, and its
 * value with it. The error says which member was probably meant, and which there are. `name` names the argument in it.
 */
export function checkMembers(name: string, object: unknown, known: readonly string[]): asserts object is object {
  checkType(name, object, "object");
  if (Array.isArray(object)) throw wrongType(name, "an object", object);
  // Inherited members count, since they would be read as the object's own are: an AbortSignal in place of options has no
  // others. But what a library has added to every object is nobody's option.
  for (const member in object) {
    if (known.includes(member) || (member in Object.prototype && !Object.hasOwn(object, member))) continue;
    const meant = closest(member, known);
    const hint = meant === undefined ? "it" : `did you mean ${quote(meant)}? It`;
    throw new TypeError(`Cannot use ${quote(member)} in ${name}: ${hint} can only have ${known.join(", ")}`);
  }
}

/** Returns the name that is most like `name`, unless none is much like it. */
function closest(name: string, names: readonly string[]): string | undefined {
  const pairs = pairsOf(name);
  const likenesses = names.map((candidate) => likenessOf(pairs, pairsOf(candidate)));
  const greatest = Math.max(...likenesses);
  return greatest < LEAST_LIKENESS ? undefined : names[likenesses.indexOf(greatest)];
}

/** Returns each two letters that follow each other, with both ends of the name. Case, `_` and `-` make no difference. */
function pairsOf(name: string): string[] {
  const letters = `^${name.toLowerCase().replace(/[_-]/g, "")}$`;
  return Array.from(letters.slice(1), (letter, index) => letters[index] + letter);
}

/** Returns the part of their pairs that two names share, from 0 to 1. */
function likenessOf(some: readonly string[], others: readonly string[]): number {
  return 2 * some.filter((pair) => others.includes(pair)).length / (some.length + others.length);
}
