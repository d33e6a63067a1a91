import type { NetworkOptions } from "../client/client_options.ts";
import { type NodeAgentOptions, type NodeHttp, nodeProcess } from "./node_api.ts";

/** Throws if a proxy is wanted, and this version of Node supports none. */
export function checkNodeNetwork({ proxy }: NetworkOptions): void {
  if (proxy !== undefined && !nodeProcess().allowedNodeEnvironmentFlags.has("--use-env-proxy")) {
    throw new TypeError("Cannot use proxy: it needs Node 22.21 or 24.5, or a later version");
  }
}

/** Returns the options with which Node's agents reach a hub. */
export function agentOptions({ tls, proxy }: NetworkOptions, { globalAgent }: NodeHttp): NodeAgentOptions {
  return {
    ca: tls?.ca,
    // Node's own agent and its fetch obey the proxies of the environment, if they were told to (NODE_USE_ENV_PROXY=1).
    proxyEnv: proxy === undefined ? globalAgent.options?.proxyEnv : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
  };
}
