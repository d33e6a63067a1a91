import { cannotUse } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import { fromBase64 } from "../keys.ts";
import { unescapeXml } from "./xml.ts";

/** A block of a list: its id, and where to look for it. `Latest` means the uncommitted ones before the committed. */
export interface BlockReference {
  readonly from: "Committed" | "Uncommitted" | "Latest";
  readonly id: string;
}

const MAX_BLOCKS = 50_000;
const MAX_ID_BYTES = 64;

const PROLOG = /^\s*(?:<\?xml[^<>]*\?>)?\s*/;
const ROOT = /^<BlockList\s*(?:\/>|>([\s\S]*)<\/BlockList\s*>)\s*$/;
const ENTRY = /\s*<(Committed|Uncommitted|Latest)\s*>([^<]*)<\/\1\s*>\s*/y;

/**
 * Reads a list of blocks.
 *
 * @param xml Such as `<BlockList><Latest>QQ==</Latest></BlockList>`.
 * @throws {HubFault} 400 `InvalidXmlDocument`, `BlockListTooLong`, or as {@linkcode checkBlockId}.
 */
export function readBlockList(xml: string): BlockReference[] {
  const root = ROOT.exec(xml.replace(PROLOG, ""));
  if (root === null) throw notAList();
  const content = (root[1] ?? "").trim();
  const references: BlockReference[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < content.length) {
    const [, from, text] = ENTRY.exec(content) ?? [];
    if (from === undefined || text === undefined) throw notAList();
    const id = unescapeXml(text.trim());
    checkBlockId(id);
    references.push({ from: from as BlockReference["from"], id });
    if (references.length > MAX_BLOCKS) {
      throw new HubFault("BlockListTooLong", 400, cannotUse("the list of blocks", `at most ${MAX_BLOCKS} blocks long`));
    }
  }
  return references;
}

/**
 * Checks the id of a block.
 *
 * @throws {HubFault} `InvalidBlockId` (400) when it is not base64 of 1 to 64 bytes.
 */
export function checkBlockId(id: string): void {
  const length = fromBase64(id)?.length ?? 0;
  if (length > 0 && length <= MAX_ID_BYTES) return;
  throw new HubFault("InvalidBlockId", 400, cannotUse("the id of a block", `base64 of 1 to ${MAX_ID_BYTES} bytes`));
}

function notAList(): HubFault {
  const rule = "<BlockList> with <Committed>, <Uncommitted> and <Latest> in it, one for each block";
  return new HubFault("InvalidXmlDocument", 400, cannotUse("the body", rule));
}
