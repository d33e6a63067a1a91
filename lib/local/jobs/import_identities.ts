import { cannotUse } from "../../values/checks.ts";
import { nextTurn } from "../background_work.ts";
import type { BlobContent } from "../blobs/blob_content.ts";
import type { BulkRegistry } from "../bulk_registry.ts";
import { HubFault } from "../hub_fault.ts";
import { isJsonObject, type JsonObject, parseOutsideJson } from "../json.ts";
import type { ConfigurationCopies } from "./configuration_copies.ts";
import type { JobRequest } from "./job_request.ts";
import { LineWriter, readLines } from "./lines.ts";

/** How many lines are carried out before everything else has its turn. */
const LINES_PER_TURN = 200;
/** A twin with all its metadata has far fewer. */
const MAX_LINE_LENGTH = 2 * 1024 * 1024;
const LOG_NAME = "importErrors.log";

/** What an import writes to. */
export interface ImportTargets {
  readonly bulk: BulkRegistry;
  readonly configurations: ConfigurationCopies;
}

/**
 * Carries out the lines of a blob, each of which succeeds or fails on its own. Those that failed are named in a blob of
 * their own, which is empty when none did.
 *
 * @param onProgress Is told how much is done, from 0 to 1.
 * @param signal Ends the work.
 * @throws {HubFault} `BlobNotFound` (404), `InsufficientStorage` (507), or the signal's reason.
 */
export async function importIdentities(
  { bulk, configurations }: ImportTargets,
  { description, input, output }: JobRequest,
  onProgress: (progress: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { includeConfigurations, inputBlobName, configurationsBlobName } = description;
  const files: [BlobContent, (line: JsonObject) => void][] = [
    [input!.require(inputBlobName).content, (line) => runIdentity(bulk, line)],
  ];
  if (includeConfigurations) {
    files.push([input!.require(configurationsBlobName).content, (line) => configurations.take(line)]);
  }
  const log = new LineWriter(output);
  for (const [index, [content, run]] of files.entries()) {
    let count = 0;
    for (const { text, progress } of readLines(content, MAX_LINE_LENGTH)) {
      count++;
      const error = text === "" ? undefined : errorOf(text, count, run);
      if (error !== undefined) log.add(error);
      if (count % LINES_PER_TURN !== 0) continue;
      onProgress((index + progress) / files.length);
      await nextTurn();
      signal.throwIfAborted();
    }
  }
  log.save(LOG_NAME);
}

/** Unlike a bulk call, an import wants a status in every line, whatever the line is for. */
function runIdentity(bulk: BulkRegistry, line: JsonObject): void {
  if (typeof line["id"] !== "string") throw new BadLine("id must be a string");
  if (typeof line["status"] !== "string") throw new BadLine('status must be "enabled" or "disabled"');
  bulk.runLine(line);
}

/** Carries out a line. Returns the entry of the log when it failed. */
function errorOf(text: string | undefined, count: number, run: (line: JsonObject) => void): JsonObject | undefined {
  let line: JsonObject | undefined;
  try {
    line = readLine(text);
    run(line);
    return undefined;
  } catch (error) {
    if (error instanceof BadLine) {
      // The real hub shows the whole line, keys included.
      return { errorCode: 400012, errorStatus: `Invalid device format in line ${count}: ${error.message}` };
    }
    if (!(error instanceof HubFault)) throw error;
    const { id, moduleId, Id: configurationId } = line ?? {};
    return {
      ...(typeof id === "string" && { deviceId: id }),
      ...(typeof moduleId === "string" && { moduleId }),
      ...(typeof configurationId === "string" && { configurationId }),
      errorCode: error.errorNumber ?? error.status * 1000,
      errorStatus: error.message,
    };
  }
}

/** A line that says nothing that could be carried out. */
class BadLine extends Error {}

function readLine(text: string | undefined): JsonObject {
  if (text === undefined) throw new BadLine(cannotUse("it", `at most ${MAX_LINE_LENGTH} characters long`));
  let line: unknown;
  try {
    line = parseOutsideJson(text);
  } catch {
    throw new BadLine("it is not JSON");
  }
  if (!isJsonObject(line)) throw new BadLine("it is no JSON object");
  return line;
}
