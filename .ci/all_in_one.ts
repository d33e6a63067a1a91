/**
 * Writes one file that loads all of some tests, since a start for each takes a good part of a suite's time.
 *
 * @param path Where to write it.
 * @param files What it imports: absolute paths, or such as begin with a dot.
 * @returns The path.
 */
export async function allInOne(path: string, files: readonly string[]): Promise<string> {
  await Deno.writeTextFile(path, files.map((file) => `import ${JSON.stringify(file)};\n`).join(""));
  return path;
}
