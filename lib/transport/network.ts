import type { NetworkOptions } from "../client/client_options.ts";
import { runtimeName } from "../values/runtime.ts";
import { type Dispatcher, patientDispatcher } from "./node_dispatcher.ts";

/** What a runtime's own `fetch` and `WebSocket` take in addition to the standards of the web. */
export interface Network {
  /** Returns what to add to the options of each call. */
  extras(): object;
  /** Closes the connections that were made with them. */
  close(): void;
}

/** The part of Deno's API that is used here. */
interface DenoNetwork {
  createHttpClient(options: { caCerts?: string[]; proxy?: { url: string } }): { close(): void };
}

/**
 * Returns how this runtime is told whom to trust, through which proxy to go, and not to give up a request by itself.
 *
 * @param options Whom to trust, and the proxy.
 * @param ownDispatcher Creates what tells Node, if there is a way.
 * @throws {TypeError} When the runtime cannot be told.
 */
export function networkOf(options: NetworkOptions, ownDispatcher?: () => Dispatcher): Network {
  const { tls: { ca } = {}, proxy } = options;
  const isPlain = ca === undefined && proxy === undefined;
  const runtime = runtimeName();
  if (runtime === "Bun") return constant({ timeout: false, ...(ca && { tls: { ca } }), ...(proxy && { proxy }) });
  if (isPlain) return constant(runtime === "Node" ? { dispatcher: patientDispatcher() } : {});
  if (runtime === "Deno") return denoNetwork(options);
  if (runtime === "Node" && ownDispatcher !== undefined) {
    const dispatcher = ownDispatcher();
    return { extras: () => ({ dispatcher }), close: () => void dispatcher.destroy() };
  }
  const name = ca === undefined ? "proxy" : "tls.ca";
  const reason =
    'this runtime\'s own fetch takes none; on Node use the manager of the entry ".", elsewhere give a fetch';
  throw new TypeError(`Cannot use ${name}: ${reason}`);
}

function constant(extras: object): Network {
  return { extras: () => extras, close: () => {} };
}

/** The client is created with the first call, since that needs the permission to reach the proxy. */
function denoNetwork({ tls, proxy }: NetworkOptions): Network {
  const { Deno } = globalThis as unknown as { Deno: DenoNetwork };
  let client: { close(): void } | undefined;
  return {
    extras: () => ({
      client: client ??= Deno.createHttpClient({
        ...(tls?.ca && { caCerts: [tls.ca].flat() }),
        ...(proxy && { proxy: { url: proxy } }),
      }),
    }),
    close: () => client?.close(),
  };
}
