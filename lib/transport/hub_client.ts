import type { ClientOptions } from "../client/client_options.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { type CallFacts, type GeneratedOptions, HubTransport } from "./hub_transport.ts";
import { checkId } from "../values/ids.ts";
import type { OperationName } from "./operations.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import type { Wire } from "./http_wire.ts";

/** Kept beside the managers and not in them, where the methods of all files can reach it and users cannot. */
const transports = new WeakMap<HubMethods, HubTransport>();

/** What all methods have in common: the hub that they call. */
export class HubMethods {
  /** Not public: use the manager's factories. */
  constructor(access: HubAccess, options: ClientOptions, ownWire?: () => Wire | undefined) {
    transports.set(this, new HubTransport(access, options, ownWire));
  }
}

/** The transport of a manager. */
export function transportOf(methods: HubMethods): HubTransport {
  return transports.get(methods)!;
}

/** What a generated operation takes; a path of none is one of any. */
interface OperationArguments<Body, Headers> extends GeneratedOptions {
  path: never;
  body: Body;
  headers: Headers;
}

/** The ids in a method's arguments. */
type Ids = Pick<CallFacts, "deviceId" | "moduleId">;

/** What a request holds beside the ids, and what the transport must know of it. */
interface MethodRequest<Body, Headers> extends Omit<CallFacts, "operation" | keyof Ids> {
  readonly body?: Body;
  readonly headers?: Headers;
}

/**
 * Checks the ids and the options, calls a generated operation and gives what the hub answered. `request` is asked for the rest
 * of the request when those are known to be good.
 */
export async function callHub<T, Body = undefined, Headers = undefined>(
  methods: HubMethods,
  send: (options: OperationArguments<Body, Headers>) => Promise<{ data: T }>,
  operation: OperationName,
  ids: Ids,
  options: OperationOptions,
  request?: () => MethodRequest<Body, Headers>,
): Promise<T> {
  for (const name in ids) checkId(name, ids[name as keyof Ids]);
  checkOptions(options);
  const call = { ...ids, ...request?.() };
  const { data } = await send({
    ...transportOf(methods).call(operation, call, options),
    // The operations do not agree on the names; each takes those that its path has.
    path: { id: ids.deviceId, mid: ids.moduleId, ...ids } as never,
    body: call.body as Body,
    headers: call.headers as Headers,
  });
  return data;
}
