import type { NetworkOptions } from "../client/client_options.ts";
import { type Network, networkOf } from "../transport/network.ts";
import { runtimeName } from "../values/runtime.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import { ownDispatcher } from "./node_dispatcher.ts";

const SUBPROTOCOL = "AMQPWSB10";

/** What runtimes offer in addition to the standard `WebSocket`, which takes no options. */
interface Runtime {
  WebSocket?: new (url: string, options: unknown) => WebSocket;
}

/** Who is told what becomes of a WebSocket, in addition to its listeners. */
export interface WebSocketUser {
  /** It is closed. */
  closed(): void;
  /** It could not connect, for a reason that it does not tell itself. */
  unreachable(reason: unknown): void;
}

/** Opens a WebSocket for AMQP. */
export function openWebSocket(url: string, { tls, proxy }: NetworkOptions, user: WebSocketUser): WebSocket {
  const { WebSocket } = globalThis as Runtime;
  if (WebSocket === undefined) {
    throw unusable('this runtime has no WebSocket: use transportType "Amqp", or a newer runtime');
  }
  const ca = url.startsWith("wss:") ? tls?.ca : undefined;
  const isPlain = ca === undefined && proxy === undefined;
  const network = isPlain ? undefined : networkFor({ tls: { ca }, proxy }, user);
  // A compressed message would be decompressed whole, up to 128 MiB, before anyone sees its size.
  const extras = { ...(runtimeName() === "Bun" && { perMessageDeflate: false }), ...network?.extras() };
  const protocols = [SUBPROTOCOL];
  const isStandard = Object.keys(extras).length === 0;
  const socket = new WebSocket(url, isStandard ? protocols : { protocols, ...extras });
  socket.addEventListener("close", () => {
    network?.close();
    user.closed();
  });
  return socket;
}

function networkFor(options: NetworkOptions, user: WebSocketUser): Network {
  try {
    return networkOf(options, () => ownDispatcher(options, (reason) => user.unreachable(reason)));
  } catch (error) {
    throw unusable((error as Error).message);
  }
}

function unusable(reason: string): AmqpFailure {
  return new AmqpFailure(reason, { code: "NetworkError", retryable: false });
}
