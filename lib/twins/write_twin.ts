import type { Twin, TwinRequest } from "../../gen/types.gen.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import type { HubClient } from "../transport/hub_client.ts";
import type { GeneratedOptions } from "../transport/hub_transport.ts";
import { ifMatch } from "../transport/if_match.ts";
import type { OperationFacts } from "../transport/operations.ts";
import { findWritten } from "../transport/repeated_write.ts";
import { checkTwinPatch, type TwinPatch } from "../requests/twin_patch.ts";

/** What is specific to one of the methods that write twins. */
interface TwinWrite {
  readonly operation: OperationFacts;
  readonly deviceId: string;
  readonly moduleId?: string;
  /** The name of the method's argument that is the twin. */
  readonly argument: string;
  /** Whether a twin that was found is the result of this write. */
  readonly isOwn: (sent: TwinPatch, found: Twin) => boolean;
}

/** The options that all generated operations that write twins have in common. */
interface TwinCall extends GeneratedOptions {
  readonly headers: { "If-Match": string };
  readonly body: TwinRequest;
}

/** Writes the twin of a device or a module. All methods that write twins go through this function. */
export function writeTwin<T extends Twin>(
  { operation, argument, isOwn, ...ids }: TwinWrite,
  patch: TwinPatch,
  options: OperationOptions & { etag?: string | undefined },
  client: HubClient,
  read: (options: OperationOptions) => Promise<T>,
  write: (request: TwinCall) => Promise<{ data: T }>,
): Promise<T> {
  return callHub(client, operation, ids, options, (call) => {
    checkTwinPatch(argument, patch);
    const findEarlierWrite = findWritten(patch, read, isOwn);
    return write({ ...call({ findEarlierWrite }), headers: ifMatch(options), body: patch as TwinRequest });
  });
}
