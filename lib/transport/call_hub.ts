import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import type { FailedCall } from "../errors/failures.ts";
import { checkId } from "../values/ids.ts";
import { type HubClient, viewOf } from "./hub_client.ts";
import type { GeneratedOptions, HubCall } from "./hub_transport.ts";
import type { OperationFacts } from "./operations.ts";

/** The ids among a method's arguments, by their names there. */
type Ids = Omit<FailedCall, "operation">;

/** What a method tells the transport about a call, in addition to its arguments. */
type Particulars = Omit<HubCall, "operation" | "facts" | "options" | "caller">;

/**
 * Makes the HTTP call of a public method, and returns the data of the hub's answer. This is the one place where every such
 * call begins and ends.
 *
 * @param ids The ids, which are checked first and appear in errors.
 * @param send Checks the other arguments and calls the generated operation, with the result of `call` among its options.
 */
export async function callHub<T>(
  client: HubClient,
  operation: OperationFacts,
  ids: Ids,
  options: OperationOptions,
  send: (call: (particulars?: Particulars) => GeneratedOptions) => Promise<{ data: T }>,
): Promise<T> {
  const check: (name: string, id: unknown) => void = operation.checkId ?? checkId;
  for (const name of Object.keys(ids)) check(name, ids[name as keyof Ids]);
  checkOptions(options, operation.options);
  const view = viewOf(client);
  const call: HubCall = { ...ids, operation: operation.name, facts: operation, options, caller: view };
  const { transport } = view.hub;
  const { data } = await send((particulars) => transport.call(particulars ? { ...call, ...particulars } : call));
  return data;
}
