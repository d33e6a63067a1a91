import { isSearchable } from "../errors/redaction.ts";
import type { AmqpSettings } from "./amqp_settings.ts";

/** The target of a connection: a TCP port with or without TLS, or the URL of a WebSocket. */
export type AmqpEndpoint =
  | { readonly kind: "tcp"; readonly tls: boolean; readonly host: string; readonly port: number }
  | { readonly kind: "webSocket"; readonly url: string };

/** Formats an endpoint for error messages. The query of a URL, which may hold a signature, is left out. */
export function describeEndpoint(endpoint: AmqpEndpoint): string {
  if (endpoint.kind === "webSocket") return endpoint.url.replace(/\?.*/s, "");
  const { tls, host, port } = endpoint;
  return `${tls ? "amqps" : "amqp"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Returns the parts of an endpoint that must not be shown: the values in a URL's query. */
export function secretsOfEndpoint(endpoint: AmqpEndpoint): string[] {
  if (endpoint.kind === "tcp") return [];
  return new URL(endpoint.url).search.split(/[?&=]/).filter(isSearchable);
}

/** Says what the user can do if nothing answers at an endpoint. */
export function adviceOn(endpoint: AmqpEndpoint): string {
  return endpoint.kind === "tcp"
    ? `a firewall may block port ${endpoint.port}; with transportType "AmqpOverWebSocket" messages go to port 443, like HTTP`
    : "check the address, whether its certificate is trusted (tls.ca), and whether a proxy leads there (proxy)";
}

const AMQPS_PORT = 5671;
const AMQP_PORT = 5672;
const WEB_SOCKET_PATH = "/$iothub/websocket";

/**
 * Returns the endpoint to connect to. If the settings name one, its scheme decides the transport.
 *
 * @throws {RangeError} When it is not a URL of one of the four schemes.
 */
export async function resolveEndpoint(settings: AmqpSettings): Promise<AmqpEndpoint> {
  const { endpoint, hostName, transportType, proxy, webSocketPath = WEB_SOCKET_PATH } = settings;
  if (endpoint !== undefined) {
    return parseEndpoint(typeof endpoint === "string" ? endpoint : await endpoint());
  }
  // Proxies are made for the web: few of them connect to any other port. WebSockets share theirs with HTTPS.
  return (transportType ?? (proxy === undefined ? defaultTransport() : "AmqpOverWebSocket")) === "Amqp"
    ? { kind: "tcp", tls: true, host: withoutPort(hostName), port: AMQPS_PORT }
    : { kind: "webSocket", url: `wss://${hostName}${webSocketPath}` };
}

/** A host name as AMQP has it: its port, if it has one, is that of HTTPS. */
export function withoutPort(hostName: string): string {
  return hostName.replace(/:\d+$/, "");
}

/** Node, Deno, Bun and Workers with Node compatibility have TCP sockets; a browser, even with shims, has none. */
function defaultTransport(): "Amqp" | "AmqpOverWebSocket" {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node === undefined ? "AmqpOverWebSocket" : "Amqp";
}

/** Throws now what {@linkcode resolveEndpoint} would throw later, if the endpoint is already known. */
export function checkEndpoint(settings: AmqpSettings): void {
  if (typeof settings.endpoint === "string") parseEndpoint(settings.endpoint);
}

function parseEndpoint(endpoint: string): AmqpEndpoint {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/i.exec(endpoint) ?? [];
  const kind = /^amqps?$/i.test(scheme) ? "tcp" : /^wss?$/i.test(scheme) ? "webSocket" : undefined;
  // Not every runtime separates host and port in a URL whose scheme is not in the URL standard.
  const secure = scheme.toLowerCase().endsWith("s") && scheme.toLowerCase() !== "ws";
  const address = `${secure ? "https" : "http"}://${rest}`;
  if (kind === undefined || !URL.canParse(address) || rest.includes("@")) {
    throw new RangeError(
      `Cannot use amqpEndpoint ${
        JSON.stringify(endpoint.replace(/[^/]*@/, "(hidden)@").replace(/\?.*/s, "?(hidden)"))
      }: it must be a URL without ` +
        `credentials, such as amqps://host:5671 or wss://host`,
    );
  }
  const url = new URL(address);
  if (kind === "webSocket") {
    const path = url.pathname === "/" ? WEB_SOCKET_PATH : url.pathname;
    return { kind, url: `${secure ? "wss" : "ws"}://${url.host}${path}${url.search}` };
  }
  // The URL parser drops the default port of its scheme, here 443 or 80.
  const explicit = /:(\d+)(?:[/?#]|$)/.exec(rest)?.[1];
  return {
    kind,
    tls: secure,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: explicit === undefined ? secure ? AMQPS_PORT : AMQP_PORT : Number(explicit),
  };
}
