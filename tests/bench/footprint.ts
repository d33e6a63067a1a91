import { join } from "node:path";
import { ROOT } from "./processes.ts";

/** What an installation puts on the disk. */
export interface Footprint {
  readonly packages: number;
  readonly bytes: number;
}

/** The installed package `name` and all that it depends on. */
export async function footprintOf(name: string): Promise<Footprint> {
  const found = new Map<string, number>();
  await collect(await Deno.realPath(join(ROOT, "node_modules", name)), name, found);
  return sum(found);
}

/** This module's package, unpacked in `directory`, and all that it depends on. */
export async function footprintOfModule(directory: string): Promise<Footprint> {
  const found = new Map([[directory, await sizeOf(directory)]]);
  for (const name of await dependenciesOf(directory)) {
    await collect(await Deno.realPath(join(ROOT, "node_modules", name)), name, found);
  }
  return sum(found);
}

/** Adds the package in `directory`; its dependencies are installed beside it. */
async function collect(directory: string, name: string, found: Map<string, number>): Promise<void> {
  if (found.has(directory)) return;
  found.set(directory, await sizeOf(directory));
  const siblings = directory.slice(0, -name.length);
  for (const dependency of await dependenciesOf(directory)) {
    await collect(await Deno.realPath(join(siblings, dependency)), dependency, found);
  }
}

async function dependenciesOf(directory: string): Promise<string[]> {
  const { dependencies } = JSON.parse(await Deno.readTextFile(join(directory, "package.json")));
  return Object.keys(dependencies ?? {});
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(directory)) {
    const path = join(directory, entry.name);
    bytes += entry.isDirectory ? await sizeOf(path) : entry.isFile ? (await Deno.stat(path)).size : 0;
  }
  return bytes;
}

function sum(found: ReadonlyMap<string, number>): Footprint {
  return { packages: found.size, bytes: Array.from(found.values()).reduce((total, bytes) => total + bytes, 0) };
}
