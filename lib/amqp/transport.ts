import { guardConnection } from "../amqp_guard/guard_connection.ts";
import { type AmqpEndpoint, withoutPort } from "./amqp_endpoint.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { concatBuffers } from "./buffer_class.ts";
import { CLIENT_LIMITS } from "./client_limits.ts";
import { batchFrames } from "../amqp_wire/frame_batching.ts";
import { IDLE_TIME_OUT_IN_MS } from "./keep_alive.ts";
import { type Connection, library } from "./library.ts";
import { openWebSocket } from "./web_socket.ts";

/** The connection that uses a transport, and is told what happens on it. */
export interface TransportUser {
  /** Attaches listeners, before anything can happen. */
  prepare(connection: Connection): void;
  /** The other end has answered. */
  connected(): void;
  /** The other end could not be reached, for a reason that the connection itself does not learn. */
  unreachable(reason: unknown): void;
  /** Some bytes have arrived. */
  heard(): void;
  /** The hub has broken the protocol, or this side has failed to read what it sent. Called at most once. */
  failed(failure: AmqpFailure): void;
}

/** An AMQP connection that is being opened, with the socket under it. */
export interface Transport {
  readonly connection: Connection;
  /** Resolves when the socket is closed, for whatever reason. */
  readonly closed: Promise<void>;
  /** Closes the socket at once. */
  abort(): void;
  /**
   * Sets whether the open socket keeps the process alive. Missing if the socket has no such setting, like the standard
   * WebSocket.
   */
  readonly keepProcessAlive?: (wanted: boolean) => void;
}

/**
 * Opens an AMQP connection to an endpoint.
 *
 * @param password What to sign in with, where the settings say so.
 */
export function openTransport(
  endpoint: AmqpEndpoint,
  settings: AmqpSettings,
  user: TransportUser,
  password?: string,
): Transport {
  let onClosed = (): void => {};
  const closed = new Promise<void>((resolve) => onClosed = resolve);
  const options = endpoint.kind === "tcp"
    ? tcpOptions(endpoint, settings)
    : webSocketOptions(endpoint.url, settings, user, onClosed);
  const connection = library.create_container().create_connection({
    ...options,
    hostname: withoutPort(settings.hostName),
    idle_time_out: IDLE_TIME_OUT_IN_MS,
    max_frame_size: CLIENT_LIMITS.maxFrameSize,
    channel_max: CLIENT_LIMITS.channelMax,
    receiver_options: { max_message_size: CLIENT_LIMITS.maxMessageSize },
    reconnect: false,
    ...(settings.sasl !== undefined && { username: settings.sasl.user }),
    ...(password !== undefined && { password }),
    ...(settings.userAgent === "" ? {} : { properties: { product: settings.userAgent } }),
  });
  user.prepare(connection);
  guard(connection, user);
  connection.connect();

  const { socket } = connection;
  batchFrames(socket, concatBuffers);
  const transport = {
    connection,
    closed,
    abort(): void {
      connection.abort_socket(socket);
      // The library has removed its listeners, but the socket may still emit an error.
      socket.on("error", () => {});
      onClosed();
    },
  };
  if (endpoint.kind === "webSocket") return transport;
  socket.once("close", onClosed);
  for (const event of ["connect", "secureConnect"]) socket.once(event, () => user.connected());
  socket.on("data", () => user.heard());
  return { ...transport, keepProcessAlive: (wanted) => void (wanted ? socket.ref() : socket.unref()) };
}

/** Keeps what breaks the protocol from the library, and closes the connection then. */
function guard(connection: Connection, user: TransportUser): void {
  let hasFailed = false;
  function end(failure: AmqpFailure, condition: string, description: string): void {
    if (hasFailed) return;
    hasFailed = true;
    stopInput();
    connection.close({ condition, description });
    connection._process();
    user.failed(failure);
  }
  const stopInput = guardConnection(connection, CLIENT_LIMITS, {
    concat: concatBuffers,
    refuse: ({ condition, message }) => end(brokenProtocol(message), condition, message),
    fail: (error) => end(toFailure(error, "reading from the AMQP connection", []), "amqp:internal-error", ""),
  });
}

function brokenProtocol(description: string): AmqpFailure {
  return new AmqpFailure(`the hub broke the AMQP protocol (${description})`, {
    code: "InvalidResponse",
    retryable: false,
  });
}

function tcpOptions(endpoint: AmqpEndpoint & { kind: "tcp" }, settings: AmqpSettings): object {
  if (settings.proxy !== undefined) throw noProxyForTcp();
  const { host, port, tls } = endpoint;
  const base = { host, port, tcp_no_delay: true };
  if (!tls) return { ...base, transport: "tcp" };
  const ca = settings.tls?.ca;
  return {
    ...base,
    transport: "tls",
    // An IP address is not allowed as the TLS server name. The certificate is then compared with `host`.
    servername: /^[\d.]+$|:/.test(host) ? "" : host,
    ...(ca === undefined ? {} : { ca }),
  };
}

function noProxyForTcp(): AmqpFailure {
  const reason = 'a proxy takes messages over a WebSocket only: leave out transportType, or set "AmqpOverWebSocket"';
  return new AmqpFailure(`${reason}; an amqpEndpoint begins with wss://`, { code: "NetworkError", retryable: false });
}

function webSocketOptions(
  url: string,
  settings: AmqpSettings,
  user: TransportUser,
  onClosed: () => void,
): object {
  // The library calls this with `new`, which allows it to return any object.
  const Opener = function (): WebSocket {
    const socket = openWebSocket(url, settings, {
      closed: onClosed,
      unreachable: (reason) => user.unreachable(reason),
    });
    socket.addEventListener("open", () => user.connected());
    socket.addEventListener("message", () => user.heard());
    return socket;
  };
  const details = library.websocket_connect(Opener)(url, [], undefined);
  return { port: 443, connection_details: details };
}
