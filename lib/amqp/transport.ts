import rhea from "rhea";
import type { Connection, ConnectionOptions, WebSocketImpl } from "rhea";
import type { AmqpEndpoint } from "./amqp_endpoint.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { concatBuffers } from "./buffer_class.ts";
import { batchFrames } from "./frame_batching.ts";
import { openWebSocket } from "./web_socket.ts";

/** What this side asks of the peer: a sign of life within this time. The library gives up after twice as long. */
const IDLE_TIME_OUT_IN_MS = 60_000;

/** The hub drops a connection after 240 s without traffic; the library sends an empty frame at half of this. */
const MAX_REMOTE_IDLE_TIME_OUT_IN_MS = 160_000;

/** An AMQP connection that is being opened, with the socket under it. */
export interface Transport {
  readonly connection: Connection;
  /** Settles when the socket is gone, however it went. */
  readonly closed: Promise<void>;
  /** Ends the socket without ceremony. */
  abort(): void;
}

/** Connects; `prepare` attaches the listeners before anything can happen. */
export function connect(
  endpoint: AmqpEndpoint,
  settings: AmqpSettings,
  prepare: (connection: Connection) => void,
): Transport {
  let onClosed = (): void => {};
  const closed = new Promise<void>((resolve) => onClosed = resolve);
  const connection = rhea.create_container().create_connection({
    ...(endpoint.kind === "tcp" ? tcpOptions(endpoint, settings) : webSocketOptions(endpoint.url, settings, onClosed)),
    hostname: settings.hostName,
    idle_time_out: IDLE_TIME_OUT_IN_MS,
    reconnect: false,
    ...(settings.userAgent === "" ? {} : { properties: { product: settings.userAgent } }),
  });
  connection.on("connection_open", () => keepAlive(connection));
  prepare(connection);
  connection.connect();

  const { socket } = connection;
  if (endpoint.kind === "tcp") socket.once("close", onClosed);
  batchFrames(socket, concatBuffers);
  return {
    connection,
    closed,
    abort(): void {
      connection.abort_socket(socket);
      // The library takes its listeners off the socket, which may still have an error to report.
      socket.on("error", () => {});
      onClosed();
    },
  };
}

function tcpOptions(endpoint: AmqpEndpoint & { kind: "tcp" }, settings: AmqpSettings): ConnectionOptions {
  const { host, port, tls } = endpoint;
  const base = { host, port, tcp_no_delay: true };
  if (!tls) return { ...base, transport: "tcp" };
  const ca = settings.tls?.ca;
  return {
    ...base,
    transport: "tls",
    // An IP address must not go into the TLS server name; the certificate is compared with `host` then.
    servername: /^[\d.]+$|:/.test(host) ? "" : host,
    ...(ca === undefined ? {} : { ca }),
  };
}

function webSocketOptions(url: string, settings: AmqpSettings, onClosed: () => void): ConnectionOptions {
  // A constructor may give any object, and so may this function be called with `new`.
  const Opener = function (): WebSocket {
    return openWebSocket(url, settings.tls?.ca, onClosed);
  } as unknown as WebSocketImpl;
  const details = rhea.websocket_connect(Opener)(url, [], undefined);
  return { port: 443, connection_details: details } as unknown as ConnectionOptions;
}

/** Where the peer asks for no sign of life, or for one too rarely, the library is told to give one all the same. */
function keepAlive(connection: Connection): void {
  const asked = connection.idle_time_out ?? Infinity;
  if (asked === 0 || asked > MAX_REMOTE_IDLE_TIME_OUT_IN_MS) {
    connection.remote.open.idle_time_out = MAX_REMOTE_IDLE_TIME_OUT_IN_MS;
  }
}
