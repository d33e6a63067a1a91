import { checkText } from "../values/checks.ts";
import type { Journal } from "./journal.ts";

/** The part of Node's API that a journal in a file needs. Bun and Deno have it too. */
interface NodeFiles {
  open(path: string, flags: string, mode?: number): Promise<NodeFile>;
}

interface NodeFile {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

const CHUNK_LENGTH = 65_536;

/**
 * Keeps a journal in a file, which is made with the first line and can be read by its owner only. Deno, Node and Bun have
 * files. The file holds no key.
 *
 * @param path Where the file is, or is to be.
 * @returns The journal.
 * @throws {TypeError} When the path is not a string.
 * @throws {RangeError} When the path is empty.
 *
 * @example Go on where an earlier run was killed
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { fileJournal, registerDevices } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * const path = await Deno.makeTempFile();
 * const devices = [{ id: "meter-1" }, { id: "meter-2" }];
 * for await (const { status } of registerDevices(registry, devices, { journal: fileJournal(path) })) {
 *   console.assert(status === "done");
 * }
 * for await (const { status } of registerDevices(registry, devices, { journal: fileJournal(path) })) {
 *   console.assert(status === "skipped");
 * }
 * await Deno.remove(path);
 * ```
 */
export function fileJournal(path: string): Journal {
  checkText("path", path, /./s, "the path of a file");
  let end: Promise<string> | undefined;
  return {
    read: () => readLines(path, (last) => end = Promise.resolve(last)),
    async append(lines: string[]): Promise<void> {
      end ??= lastCharacter(path);
      // A line that was cut off must not spoil the next one.
      const isCut = !["", "\n"].includes(await end);
      const file = await nodeFiles().open(path, "a", 0o600);
      try {
        await file.appendFile(`${isCut ? "\n" : ""}${lines.join("\n")}\n`);
        // What was sent must be known after a power failure too.
        await file.datasync();
        end = Promise.resolve("\n");
      } finally {
        await file.close();
      }
    },
  };
}

async function* readLines(path: string, onEnd: (last: string) => void): AsyncGenerator<string> {
  let rest = "";
  let last = "";
  for await (const text of readTexts(path)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    last = text.at(-1) ?? last;
    yield* lines;
  }
  onEnd(last);
  if (rest !== "") yield rest;
}

async function lastCharacter(path: string): Promise<string> {
  let last = "";
  for await (const text of readTexts(path)) last = text.at(-1) ?? last;
  return last;
}

/** Reads a file in pieces; one that is not there is empty. */
async function* readTexts(path: string): AsyncGenerator<string> {
  let file: NodeFile;
  try {
    file = await nodeFiles().open(path, "r");
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === "ENOENT") return;
    throw error;
  }
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(CHUNK_LENGTH);
    for (let position = 0;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_LENGTH, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
    }
  } finally {
    await file.close();
  }
}

function nodeFiles(): NodeFiles {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const files = process?.getBuiltinModule?.("node:fs/promises") as NodeFiles | undefined;
  if (files !== undefined) return files;
  throw new TypeError("Cannot use fileJournal: this runtime has no files; give the run an object with read and append");
}
