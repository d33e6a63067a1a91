import type { AmqpBackend } from "../amqp/backend.ts";
import type { ServerCertificate } from "./self_signed_certificate.ts";

/** Where a local hub is to listen. */
export interface ListenOptions {
  /** The address to listen at. Default: `"127.0.0.1"`, which only this machine reaches. */
  hostname?: string;
  /** The port for HTTPS; 0 picks a free one, as with all ports here. */
  https?: number;
  /** The port for HTTP without TLS. */
  http?: number;
  /** The port for AMQP with TLS. */
  amqps?: number;
  /** The port for AMQP without TLS. */
  amqp?: number;
  /** MQTT is not in this version of the local hub: a port here is refused. */
  mqtts?: number;
  /** The server's certificate and its private key, in PEM. Default: a self-signed one, made on the spot. */
  tls?: ServerCertificate;
}

/** Where a local hub listens. */
export interface LocalHubAddresses {
  /** Such as `"https://127.0.0.1:50443"`. */
  https?: string;
  /** Such as `"http://127.0.0.1:50080"`. */
  http?: string;
  /** AMQP over WebSocket at the port for HTTPS, such as `"wss://127.0.0.1:50443/$iothub/websocket"`. */
  wss?: string;
  /** AMQP over WebSocket at the port for HTTP, such as `"ws://127.0.0.1:50080/$iothub/websocket"`. */
  ws?: string;
  /** Such as `"amqps://127.0.0.1:55671"`. */
  amqps?: string;
  /** Such as `"amqp://127.0.0.1:55672"`. */
  amqp?: string;
  /** The certificate of the TLS ports in PEM: what a client has to trust. */
  certificate?: string;
}

/** A port that is open. */
interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a port again and again, always the same one. */
interface Place {
  readonly open: (port: number) => Promise<Listener>;
  listener: Promise<Listener>;
}

const WEB_SOCKET_PATH = "/$iothub/websocket";

/** The sockets of a hub. Everything that needs one is loaded when the first is opened. */
export class Listeners {
  readonly #hubHostName: string;
  readonly #fetch: (request: Request) => Promise<Response>;
  readonly #backend: AmqpBackend;
  readonly #places: Place[] = [];
  #certificate: Promise<ServerCertificate> | undefined;
  #restarted: Promise<void> = Promise.resolve();
  #endDowntime = (): void => {};
  #isClosed = false;

  constructor(hubHostName: string, fetch: (request: Request) => Promise<Response>, backend: AmqpBackend) {
    this.#hubHostName = hubHostName;
    this.#fetch = fetch;
    this.#backend = backend;
  }

  async listen(options: ListenOptions): Promise<LocalHubAddresses> {
    const { hostname = "127.0.0.1", mqtts } = options;
    if (mqtts !== undefined) throw new RangeError("mqtts: MQTT is not in this version of the local hub");
    const ports = withDefaults(options);
    const needsTls = ports.https !== undefined || ports.amqps !== undefined;
    const tls = needsTls ? options.tls ?? await this.#selfSigned() : undefined;
    const addresses: LocalHubAddresses = {};
    if (ports.https !== undefined) {
      const port = await this.#listenHttp(hostname, ports.https, tls);
      addresses.https = this.#address("https", hostname, port);
      addresses.wss = this.#address("wss", hostname, port) + WEB_SOCKET_PATH;
    }
    if (ports.http !== undefined) {
      const port = await this.#listenHttp(hostname, ports.http, undefined);
      addresses.http = this.#address("http", hostname, port);
      addresses.ws = this.#address("ws", hostname, port) + WEB_SOCKET_PATH;
    }
    if (ports.amqps !== undefined) {
      addresses.amqps = this.#address("amqps", hostname, await this.#listenAmqp(hostname, ports.amqps, tls));
    }
    if (ports.amqp !== undefined) {
      addresses.amqp = this.#address("amqp", hostname, await this.#listenAmqp(hostname, ports.amqp, undefined));
    }
    if (tls !== undefined) addresses.certificate = tls.cert;
    return addresses;
  }

  /** A free loopback port for AMQP without TLS. */
  async listenAmqp(): Promise<string> {
    const hostname = "127.0.0.1";
    return this.#address("amqp", hostname, await this.#listenAmqp(hostname, 0, undefined));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endDowntime();
    await this.#closeAll();
  }

  /** Closes every port, and opens the same ones again; one restart after the other. */
  restart(downtimeInMs: number): Promise<void> {
    const restarted = this.#restarted.then(() => this.#restart(downtimeInMs));
    this.#restarted = restarted.catch(() => {});
    return restarted;
  }

  async #restart(downtimeInMs: number): Promise<void> {
    const opened = await this.#closeAll();
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, downtimeInMs);
      this.#endDowntime = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (this.#isClosed) return;
    await Promise.all(opened.map(([place, port]) => (place.listener = place.open(port))));
  }

  /** Which places were open, and at which ports. */
  async #closeAll(): Promise<[Place, port: number][]> {
    const opened: [Place, port: number][] = [];
    await Promise.all(this.#places.map(async (place) => {
      const listener = await place.listener.catch(() => undefined);
      if (listener === undefined) return;
      opened.push([place, listener.port]);
      await listener.close();
    }));
    return opened;
  }

  async #listenHttp(hostname: string, port: number, tls: ServerCertificate | undefined): Promise<number> {
    const { startHttpListener } = await import("./http_listener.ts");
    const { WebSocketUpgrades } = await import("./web_socket_upgrades.ts");
    return await this.#keep(port, (port) => {
      const upgrades = new WebSocketUpgrades(this.#backend);
      return startHttpListener(this.#fetch, { hostname, port, upgrades, ...(tls && { tls }) });
    });
  }

  async #listenAmqp(hostname: string, port: number, tls: ServerCertificate | undefined): Promise<number> {
    const { startAmqpListener } = await import("./amqp_listener.ts");
    return await this.#keep(port, (port) => startAmqpListener(this.#backend, { hostname, port, ...(tls && { tls }) }));
  }

  /** Opens a port unless the hub was closed meanwhile, and has it closed with the hub. */
  async #keep(port: number, open: (port: number) => Promise<Listener>): Promise<number> {
    if (this.#isClosed) throw new TypeError("The local hub is closed");
    const listener = open(port);
    this.#places.push({ open, listener });
    return (await listener).port;
  }

  async #selfSigned(): Promise<ServerCertificate> {
    const { makeSelfSignedCertificate } = await import("./self_signed_certificate.ts");
    this.#certificate ??= makeSelfSignedCertificate(["localhost", this.#hubHostName], ["127.0.0.1", "::1"]);
    return await this.#certificate;
  }

  #address(scheme: string, hostname: string, port: number): string {
    return `${scheme}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  }
}

/** Both protocols with TLS on free ports, where no port is named. */
function withDefaults(options: ListenOptions): Pick<ListenOptions, "https" | "http" | "amqps" | "amqp"> {
  const { https, http, amqps, amqp } = options;
  if ([https, http, amqps, amqp].some((port) => port !== undefined)) return options;
  return { https: 0, amqps: 0 };
}
