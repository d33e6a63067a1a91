import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { type HubScript, type ScriptedHub, startScriptedHub } from "./scripted_hub.ts";

/** A scripted hub that can be reached by WebSocket. */
export interface WebSocketHub extends AsyncDisposable {
  readonly hub: ScriptedHub;
  readonly port: number;
  readonly endpoint: string;
  readonly requests: { url: string | undefined; protocol: string }[];
}

export async function startWebSocketHub(
  script: HubScript = {},
  tls?: { cert: string; key: string },
): Promise<WebSocketHub> {
  const hub = await startScriptedHub(script);
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls);
  const sockets = new WebSocketServer({ server });
  const requests: WebSocketHub["requests"] = [];
  sockets.on("connection", (socket: { protocol: string }, request: IncomingMessage) => {
    requests.push({ url: request.url, protocol: socket.protocol });
    hub.accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    hub,
    requests,
    port,
    endpoint: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      await hub[Symbol.asyncDispose]();
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
