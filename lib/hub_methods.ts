import type { ClientOptions } from "./client_options.ts";
import type { HubAccess } from "./hub_access.ts";
import { type CallFacts, type GeneratedOptions, HubTransport } from "./hub_transport.ts";
import { checkId } from "./identifiers.ts";
import type { OperationName } from "./operation_facts.ts";
import type { OperationOptions } from "./operation_options.ts";
import type { Wire } from "./wire.ts";

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

/** What a public method says of its call: facts for the transport, and what the request holds. */
interface MethodCall<Options, Body, Headers> extends Omit<CallFacts, "operation"> {
  readonly body?: Body;
  /** Makes the headers, once the options are known to be options. */
  readonly headers?: (options: Options) => Headers;
}

/** Checks the ids and the options, calls a generated operation and gives what the hub answered. */
export async function callHub<Options extends OperationOptions, T, Body = undefined, Headers = undefined>(
  methods: HubMethods,
  send: (options: OperationArguments<Body, Headers>) => Promise<{ data: T }>,
  operation: OperationName,
  call: MethodCall<Options, Body, Headers>,
  options: Options,
): Promise<T> {
  const { deviceId, moduleId, body, headers } = call;
  if ("deviceId" in call) checkId("deviceId", deviceId);
  if ("moduleId" in call) checkId("moduleId", moduleId);
  const { data } = await send({
    ...transportOf(methods).call(operation, call, options),
    // The operations do not agree on the names; each takes those that its path has.
    path: { id: deviceId, mid: moduleId, deviceId, moduleId } as never,
    body: body as Body,
    headers: headers?.(options) as Headers,
  });
  return data;
}
