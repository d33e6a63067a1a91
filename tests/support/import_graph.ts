import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** How a file names another one. */
export type ImportKind = "static" | "dynamic" | "type";

/** One mention of another module. */
export interface Import {
  readonly kind: ImportKind;
  /** The path of a file of this project, such as `lib/http.ts`, or the name of a package. */
  readonly target: string;
  readonly isOwn: boolean;
}

const IMPORT_REGEXP = /^\s*(?:import|export)\s+(type\b\s*)?(?:[^;"']*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC_IMPORT_REGEXP = /\bimport\(\s*"([^"]+)"/g;

/** What a file of this project imports, types included. */
export function importsOf(path: string): Import[] {
  // Comments hold examples that import much.
  const source = readFileSync(new URL(path, ROOT), "utf8").replace(/\/\*[\s\S]*?\*\//g, "").replace(
    /^\s*\/\/.*$/gm,
    "",
  );
  function importOf(kind: ImportKind, specifier: string): Import {
    const isOwn = specifier.startsWith(".");
    return { kind, isOwn, target: isOwn ? posix.join(posix.dirname(path), specifier) : specifier };
  }
  return [
    ...Array.from(
      source.matchAll(IMPORT_REGEXP),
      ([, type, specifier]) => importOf(type === undefined ? "static" : "type", specifier!),
    ),
    ...Array.from(source.matchAll(DYNAMIC_IMPORT_REGEXP), ([, specifier]) => importOf("dynamic", specifier!)),
  ];
}

/** All TypeScript files below a folder of this project. */
export function filesBelow(folder: string): string[] {
  const names = readdirSync(fileURLToPath(new URL(folder, ROOT)), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts")).map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .sort();
}

/** All that a file reaches by imports of some kinds: files of this project, and packages. */
export function reachOf(entry: string, kinds: readonly ImportKind[]): { files: Set<string>; packages: Set<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const { kind, target, isOwn } of importsOf(path)) {
      if (!kinds.includes(kind)) continue;
      if (isOwn) open.push(target);
      else packages.add(target);
    }
  }
  return { files, packages };
}

/** A circle of imports among some files, as the files on it; `undefined` where there is none. */
export function findCircle(files: readonly string[]): string[] | undefined {
  const known = new Set(files);
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] | undefined {
    if (done.has(file)) return undefined;
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    path.push(file);
    for (const { isOwn, target } of importsOf(file)) {
      const circle = isOwn && known.has(target) ? visit(target) : undefined;
      if (circle !== undefined) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  }
  for (const file of files) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
