import rhea from "rhea";
import { WebSocket as PackagedWebSocket } from "ws";

/** A constructor of WebSockets that trusts a certificate, whatever the runtime; `ca` matters for `wss:` alone. */
function trusting(ca: string | undefined): new (url: string, protocols: string[]) => WebSocket {
  if (ca === undefined) return WebSocket;
  if (!("Bun" in globalThis)) {
    return function (url: string, protocols: string[]): WebSocket {
      return new PackagedWebSocket(url, protocols, { ca }) as unknown as WebSocket;
    } as unknown as new (url: string, protocols: string[]) => WebSocket;
  }
  return function (url: string, protocols: string[]): WebSocket {
    return new WebSocket(url, { protocols, tls: { ca } } as unknown as string[]);
  } as unknown as new (url: string, protocols: string[]) => WebSocket;
}

/** What makes the bare AMQP library go over a WebSocket. */
export function webSocketOptions(url: string, ca?: string, protocol = "AMQPWSB10"): Record<string, unknown> {
  const details = rhea.websocket_connect(trusting(ca) as never)(url, [protocol] as never, undefined as never);
  return { connection_details: details };
}
