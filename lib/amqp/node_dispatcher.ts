import type { NetworkOptions } from "../client/client_options.ts";
import { type NodeAgent, type NodeConnectCallback, nodeProcess } from "../transport/node_api.ts";
import { type Dispatcher, globalDispatcher, NO_TIME_LIMITS } from "../transport/node_dispatcher.ts";
import { agentOptions, checkNodeNetwork } from "../transport/node_network.ts";

/** Where to connect to. */
interface Target {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
}

/**
 * Creates a dispatcher for Node's `WebSocket` with authorities or a proxy of its own. Node has a class for this but does
 * not name it, so it is taken from the dispatcher that Node uses for all requests.
 *
 * @param onFailure Called if it cannot connect. The `WebSocket` itself would not say why.
 */
export function ownDispatcher(network: NetworkOptions, onFailure: (error: unknown) => void): Dispatcher {
  checkNodeNetwork(network);
  const https = nodeProcess().getBuiltinModule!("node:https");
  const agent = new https.Agent(agentOptions(network, https));
  const DispatcherClass = globalDispatcher().constructor as new (options: object) => Dispatcher;
  return new DispatcherClass({
    ...NO_TIME_LIMITS,
    // The agent takes care of the proxies of the environment, too.
    httpProxy: "",
    httpsProxy: "",
    connect: (target: Target, callback: NodeConnectCallback) =>
      connect(agent, target, (error, socket) => {
        if (error !== null) onFailure(error);
        callback(error, socket);
      }),
  });
}

function connect(agent: NodeAgent, { hostname, port, protocol }: Target, callback: NodeConnectCallback): void {
  if (protocol !== "https:") return callback(new TypeError("Cannot use tls or proxy here: the address needs TLS"));
  let isDone = false;
  const done: NodeConnectCallback = (error, socket) => {
    if (isDone) return;
    isDone = true;
    callback(error, socket);
  };
  const address = {
    host: hostname,
    port: Number(port) || 443,
    // An IP address is not allowed as the TLS server name. The certificate is then compared with `host`.
    servername: /^[\d.]+$|:/.test(hostname) ? "" : hostname,
  };
  const socket = agent.createConnection({ ...agent.options, ...address }, done);
  socket?.once("secureConnect", () => done(null, socket)).once("error", done);
}
