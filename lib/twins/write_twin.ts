import type { Twin } from "../../gen/types.gen.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import type { HubClient } from "../transport/hub_client.ts";
import type { GeneratedOptions } from "../transport/hub_transport.ts";
import { ifMatch } from "../transport/if_match.ts";
import type { OperationFacts } from "../transport/operations.ts";
import { findWritten } from "../transport/repeated_write.ts";
import { checkTwinPatch, type TwinPatch } from "./twin_patch.ts";

/** What sets one method that writes twins apart from the others. */
interface TwinWrite {
  readonly operation: OperationFacts;
  readonly deviceId: string;
  readonly moduleId?: string;
  /** What the method calls the twin among its arguments. */
  readonly argument: string;
  /** Whether a twin that is there now is what the write would make of it. */
  readonly isOwn: (sent: TwinPatch, found: Twin) => boolean;
}

/** What all generated operations that write twins take in the same way. */
interface TwinRequest extends GeneratedOptions {
  readonly headers: { "If-Match": string };
  readonly body: Twin;
}

/** The one way in which a twin is written, whoever's it is. */
export function writeTwin(
  { operation, argument, isOwn, ...ids }: TwinWrite,
  patch: TwinPatch,
  options: OperationOptions & { etag?: string },
  client: HubClient,
  read: (options: OperationOptions) => Promise<Twin>,
  write: (request: TwinRequest) => Promise<{ data: Twin }>,
): Promise<Twin> {
  return callHub(client, operation, ids, options, (call) => {
    checkTwinPatch(argument, patch);
    const findEarlierWrite = findWritten(patch, read, isOwn);
    return write({ ...call({ findEarlierWrite }), headers: ifMatch(options), body: patch as Twin });
  });
}
