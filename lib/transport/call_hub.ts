import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { checkId } from "../values/ids.ts";
import { type HubClient, viewOf } from "./hub_client.ts";
import type { CallFacts, GeneratedOptions } from "./hub_transport.ts";
import type { OperationFacts } from "./operations.ts";

/** The ids in a method's arguments, by the names they have there. */
interface Ids {
  readonly deviceId?: string;
  readonly moduleId?: string;
}

/** What the transport must know of one call beside its arguments, where there is something to know. */
type Particulars = Omit<CallFacts, "operation" | "facts" | keyof Ids>;

/**
 * Makes one HTTP call of a public method, from its arguments to what the hub answered: the one place where every such call
 * begins and ends.
 *
 * @param ids Checked first, and named in errors.
 * @param send Checks the other arguments and calls the generated operation, with what `call` gives in its options.
 */
export async function callHub<T>(
  client: HubClient,
  operation: OperationFacts,
  ids: Ids,
  options: OperationOptions,
  send: (call: (particulars?: Particulars) => GeneratedOptions) => Promise<{ data: T }>,
): Promise<T> {
  for (const name in ids) checkId(name, ids[name as keyof Ids]);
  checkOptions(options);
  const view = viewOf(client);
  const { data } = await send((particulars) =>
    view.hub.transport.call({ ...ids, ...particulars, operation: operation.name, facts: operation }, options, view)
  );
  return data;
}
