import type { AmqpSettings } from "./amqp_settings.ts";

/** Where a connection goes: a TCP port with or without TLS, or the URL of a WebSocket. */
export type AmqpEndpoint =
  | { readonly kind: "tcp"; readonly tls: boolean; readonly host: string; readonly port: number }
  | { readonly kind: "webSocket"; readonly url: string };

/** The endpoint as messages show it. */
export function describeEndpoint(endpoint: AmqpEndpoint): string {
  if (endpoint.kind === "webSocket") return endpoint.url;
  const { tls, host, port } = endpoint;
  return `${tls ? "amqps" : "amqp"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const AMQPS_PORT = 5671;
const AMQP_PORT = 5672;
const WEB_SOCKET_PATH = "/$iothub/websocket";

/**
 * The endpoint that the settings ask for; where they name one, its scheme decides the transport.
 *
 * @throws {RangeError} for an endpoint that is not a URL of one of the four schemes.
 */
export async function resolveEndpoint(settings: AmqpSettings): Promise<AmqpEndpoint> {
  const { endpoint, hostName, transportType } = settings;
  if (endpoint !== undefined) {
    return parseEndpoint(typeof endpoint === "string" ? endpoint : await endpoint());
  }
  return (transportType ?? defaultTransport()) === "Amqp"
    ? { kind: "tcp", tls: true, host: hostName, port: AMQPS_PORT }
    : { kind: "webSocket", url: `wss://${hostName}:443${WEB_SOCKET_PATH}` };
}

/** Node, Deno, Bun and Workers with Node compatibility have TCP sockets; a browser, even with shims, has none. */
function defaultTransport(): "Amqp" | "AmqpOverWebSocket" {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node === undefined ? "AmqpOverWebSocket" : "Amqp";
}

/** Throws at once what {@linkcode resolveEndpoint} would throw later, where the endpoint is known already. */
export function checkEndpoint(settings: AmqpSettings): void {
  if (typeof settings.endpoint === "string") parseEndpoint(settings.endpoint);
}

function parseEndpoint(endpoint: string): AmqpEndpoint {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/i.exec(endpoint) ?? [];
  const kind = /^amqps?$/i.test(scheme) ? "tcp" : /^wss?$/i.test(scheme) ? "webSocket" : undefined;
  // Only for the schemes the URL standard knows does every runtime take host and port apart.
  const secure = scheme.toLowerCase().endsWith("s") && scheme.toLowerCase() !== "ws";
  const address = `${secure ? "https" : "http"}://${rest}`;
  if (kind === undefined || !URL.canParse(address) || rest.includes("@")) {
    throw new RangeError(
      `Cannot use amqpEndpoint ${JSON.stringify(endpoint.replace(/[^/]*@/, "(hidden)@"))}: it must be a URL without ` +
        `credentials, such as amqps://host:5671 or wss://host`,
    );
  }
  const url = new URL(address);
  if (kind === "webSocket") {
    const path = url.pathname === "/" ? WEB_SOCKET_PATH : url.pathname;
    return { kind, url: `${secure ? "wss" : "ws"}://${url.host}${path}${url.search}` };
  }
  // The URL parser drops a port that is its scheme's own: 443 and 80 here.
  const explicit = /:(\d+)(?:[/?#]|$)/.exec(rest)?.[1];
  return {
    kind,
    tls: secure,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: explicit === undefined ? secure ? AMQPS_PORT : AMQP_PORT : Number(explicit),
  };
}
