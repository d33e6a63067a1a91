/**
 * Compares what the module's entries export with what they exported in an earlier commit: names, members, signatures.
 *
 *     deno run -A .ci/compare_api.ts COMMIT
 *
 * It fails when something has been removed or changed. What is new is only listed.
 */
import { resolve } from "node:path";
import { checkOut } from "../tests/bench/earlier_checkout.ts";
import { type EntryApi, readPublicApi } from "./public_api.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const NOTHING: EntryApi = new Map();

const [commit, ...others] = Deno.args;
if (commit === undefined || others.length > 0) {
  console.error("Name one commit to compare with: deno run -A .ci/compare_api.ts COMMIT");
  Deno.exit(2);
}
const checkout = await checkOut(commit);
const earlier = readPublicApi(checkout.root);
const today = readPublicApi(ROOT);

const counts = { all: 0, removed: 0, changed: 0, added: 0 };
for (const entry of new Set([...earlier.keys(), ...today.keys()])) compare(entry);
console.log(
  `\nOf ${counts.all} names and members in ${checkout.commit}, ${counts.removed} are removed and ${counts.changed} changed; ` +
    `${counts.added} are new.`,
);
if (counts.removed + counts.changed > 0) Deno.exit(1);

/** Prints what differs in an entry, and counts it. */
function compare(entry: string): void {
  const [before, now] = [earlier.get(entry) ?? NOTHING, today.get(entry) ?? NOTHING];
  const removed = [...before.keys()].filter((name) => !now.has(name));
  const changed = [...before.keys()].filter((name) => now.has(name) && now.get(name) !== before.get(name));
  const added = [...now.keys()].filter((name) => !before.has(name));

  const isSame = removed.length + changed.length + added.length === 0;
  console.log(`"${entry}"${isSame ? " is the same" : ""}`);
  for (const text of byOwner(removed, before)) console.log(`  removed ${text}`);
  for (const name of changed) {
    console.log(`  changed ${name}\n      was ${before.get(name)}\n      is  ${now.get(name)}`);
  }
  for (const text of byOwner(added, now)) console.log(`  added   ${text}`);

  counts.all += before.size;
  counts.removed += removed.length;
  counts.changed += changed.length;
  counts.added += added.length;
}

/** A line for each name with its text, and one for all members of a name. */
function byOwner(names: readonly string[], api: EntryApi): string[] {
  const groups = Map.groupBy(names, (name) => name.match(/^((?:static )?\w+)\./)?.[1]);
  return Array.from(groups).flatMap(([owner, names]) => {
    if (owner === undefined) return names.map((name) => api.get(name)!);
    const members = names.map((name) => name.slice(owner.length + 1));
    return [`${owner} (${members.length}): ${members.join(", ")}`];
  });
}
