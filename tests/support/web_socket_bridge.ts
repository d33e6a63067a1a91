import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { createWebSocketStream, WebSocketServer } from "ws";

/** A listening WebSocket that hands the bytes on to a TCP port. */
export interface WebSocketBridge extends AsyncDisposable {
  /** Where to connect, with the hub's own path. */
  readonly url: string;
}

/** The little of `ws` that this file uses; the package has no types. */
interface ServerSocket {
  on(event: "close", listener: () => void): void;
  close(): void;
}

/** Gives the AMQP port of a local hub a WebSocket, with TLS where a certificate is given. */
export async function startWebSocketBridge(
  amqp: string,
  tls?: { cert: string; key: string },
): Promise<WebSocketBridge> {
  const { hostname, port } = new URL(amqp.replace(/^amqp:/, "http:"));
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const sockets = new WebSocketServer({ server, handleProtocols: () => "AMQPWSB10" });
  sockets.on("connection", (webSocket: ServerSocket) => {
    const stream = createWebSocketStream(webSocket);
    const socket = connect(Number(port), hostname);
    stream.on("error", () => socket.destroy()).pipe(socket);
    socket.on("error", () => stream.destroy()).pipe(stream);
    socket.on("close", () => webSocket.close());
    webSocket.on("close", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${(server.address() as AddressInfo).port}/$iothub/websocket`,
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
