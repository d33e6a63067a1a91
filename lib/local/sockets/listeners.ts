import type { AmqpBackend } from "../amqp/backend.ts";
import type { MqttBackend } from "../mqtt/backend.ts";
import type { HubHosts } from "../auth/hub_hosts.ts";
import type { HandleRequest } from "./http_listener.ts";
import { checkType, checkWhole } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import type { ServerCertificate } from "./self_signed_certificate.ts";

/** The ports that a local hub opens, and how. */
export interface ListenOptions {
  /**
   * The address to listen on, or a name of it. The default can be reached from this machine only. At `0.0.0.0` and `::`
   * other machines reach the hub as well, but the certificate that it makes is good on this one only.
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /** The port for HTTPS. As with every port here, 0 picks a free one. */
  https?: number | undefined;
  /** The port for HTTP without TLS. */
  http?: number | undefined;
  /** The port for AMQP with TLS. */
  amqps?: number | undefined;
  /** The port for AMQP without TLS. */
  amqp?: number | undefined;
  /** The port for MQTT with TLS. */
  mqtts?: number | undefined;
  /** The port for MQTT without TLS. */
  mqtt?: number | undefined;
  /** The certificate of the TLS ports and its private key, in PEM. Without it the hub makes a self-signed one. */
  tls?: ServerCertificate | undefined;
}

/** The addresses at which a local hub can be reached. */
export interface LocalHubAddresses {
  /** HTTPS, such as `"https://127.0.0.1:50443"`. */
  https?: string | undefined;
  /** HTTP without TLS, such as `"http://127.0.0.1:50080"`. */
  http?: string | undefined;
  /** AMQP and MQTT over WebSocket at the port for HTTPS, such as `"wss://127.0.0.1:50443/$iothub/websocket"`. */
  wss?: string | undefined;
  /** AMQP and MQTT over WebSocket at the port for HTTP, such as `"ws://127.0.0.1:50080/$iothub/websocket"`. */
  ws?: string | undefined;
  /** AMQP with TLS, such as `"amqps://127.0.0.1:55671"`. */
  amqps?: string | undefined;
  /** AMQP without TLS, such as `"amqp://127.0.0.1:55672"`. */
  amqp?: string | undefined;
  /** MQTT with TLS, such as `"mqtts://127.0.0.1:58883"`. */
  mqtts?: string | undefined;
  /** MQTT without TLS, such as `"mqtt://127.0.0.1:51883"`. */
  mqtt?: string | undefined;
  /** The certificate of the TLS ports in PEM, which a client has to trust. */
  certificate?: string | undefined;
}

/** An open port. */
interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** How a port is opened. */
interface PortSettings {
  readonly hostname: string;
  readonly port: number;
  readonly tls?: ServerCertificate | undefined;
}

/** What the ports serve. */
export interface HubSides {
  readonly fetch: HandleRequest;
  readonly amqp: AmqpBackend;
  readonly mqtt: MqttBackend;
}

/** One row of the table of protocols. */
interface Protocol {
  /** The listen option that names the port. */
  readonly option: "https" | "http" | "amqps" | "amqp" | "mqtts" | "mqtt";
  readonly usesTls: boolean;
  /** Whether the port is opened when the options name no port at all. */
  readonly isDefault: boolean;
  /** Opens the port. The server is loaded only then, so that a hub without ports does not load it. */
  readonly open: (hub: HubSides, settings: PortSettings) => Promise<Listener>;
  /** The addresses of an open port: each scheme with its path. */
  readonly addresses: readonly (readonly [scheme: Exclude<keyof LocalHubAddresses, "certificate">, path: string])[];
}

const WEB_SOCKET_PATH = "/$iothub/websocket";

/** The protocols of the hub, in the order in which their ports are opened. A new protocol is a new row. */
const PROTOCOLS: readonly Protocol[] = [
  {
    option: "https",
    usesTls: true,
    isDefault: true,
    open: openHttp,
    addresses: [["https", ""], ["wss", WEB_SOCKET_PATH]],
  },
  {
    option: "http",
    usesTls: false,
    isDefault: false,
    open: openHttp,
    addresses: [["http", ""], ["ws", WEB_SOCKET_PATH]],
  },
  { option: "amqps", usesTls: true, isDefault: true, open: openAmqp, addresses: [["amqps", ""]] },
  { option: "amqp", usesTls: false, isDefault: false, open: openAmqp, addresses: [["amqp", ""]] },
  { option: "mqtts", usesTls: true, isDefault: false, open: openMqtt, addresses: [["mqtts", ""]] },
  { option: "mqtt", usesTls: false, isDefault: false, open: openMqtt, addresses: [["mqtt", ""]] },
];

const LOOPBACK = "127.0.0.1";
/** To listen at these is to listen everywhere, but a client needs an address to connect to. */
const EVERYWHERE: ReadonlyMap<string, string> = new Map([["", LOOPBACK], ["0.0.0.0", LOOPBACK], ["::", "::1"]]);
/** The names of this machine that lead to no other one. */
const LOCAL_NAMES: readonly string[] = ["localhost", LOOPBACK, "::1"];
const MAX_PORT = 65_535;
const HTTPS_PORT = 443;

/** A port that was opened, and can be opened again with the same number. */
interface Place {
  readonly open: (port: number) => Promise<Listener>;
  listener: Promise<Listener>;
}

/** The sockets of a hub. */
export class Listeners {
  readonly #hosts: HubHosts;
  readonly #hub: HubSides;
  readonly #places: Place[] = [];
  /** By the address to listen at. */
  readonly #certificates: Map<string, Promise<ServerCertificate>> = new Map();
  readonly #origins: { https?: string; http?: string } = {};
  #httpsHost: string | undefined;
  #restarted: Promise<void> = Promise.resolve();
  #endDowntime = (): void => {};
  #isClosed = false;

  constructor(hosts: HubHosts, hub: HubSides) {
    this.#hosts = hosts;
    this.#hub = hub;
  }

  /** The host, with its port if need be, at which clients reach the first port for HTTPS; the hub's name without one. */
  get httpsHost(): string {
    return this.#httpsHost ?? this.#hosts.hostName;
  }

  /** The address of the first port for HTTPS, or else of that for HTTP; `undefined` while there is none. */
  get origin(): string | undefined {
    return this.#origins.https ?? this.#origins.http;
  }

  /** Opens the ports that the options name, or those of the default protocols when they name none: all of them or none. */
  async listen(options: ListenOptions): Promise<LocalHubAddresses> {
    checkOptions(options);
    const { hostname: bound = LOOPBACK } = options;
    const hostname = EVERYWHERE.get(bound) ?? bound;
    const protocols = protocolsFor(options);
    const needsTls = protocols.some(({ usesTls }) => usesTls);
    const tls = needsTls ? options.tls ?? await this.#selfSigned(hostname) : undefined;
    for (const name of [...LOCAL_NAMES, hostname]) this.#hosts.add(inUrl(name));
    const ports = await this.#openAll(protocols.map((protocol) => {
      const { option, usesTls } = protocol;
      return [protocol, { hostname: bound, port: options[option] ?? 0, ...(usesTls && tls && { tls }) }];
    }));
    const addresses: LocalHubAddresses = {};
    for (const [index, protocol] of protocols.entries()) {
      const { option } = protocol;
      const port = ports[index]!;
      const at = (scheme: string): string => `${scheme}://${inUrl(hostname)}:${port}`;
      for (const [scheme, path] of protocol.addresses) addresses[scheme] = at(scheme) + path;
      if (option === "https" || option === "http") this.#origins[option] ??= at(option);
      if (option === "https") this.#httpsHost ??= hostAt(this.#hosts.hostName, hostname, port);
    }
    if (tls !== undefined) addresses.certificate = tls.cert;
    return addresses;
  }

  /** Opens a free loopback port for AMQP without TLS. */
  async listenAmqp(): Promise<string> {
    const { amqp } = await this.listen({ amqp: 0 });
    return amqp!;
  }

  /** Closes every port for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endDowntime();
    await this.#closeAll(this.#places);
  }

  /** Closes every port and opens the same ones again after a while. Restarts do not overlap. */
  restart(downtimeInMs: number): Promise<void> {
    const restarted = this.#restarted.then(() => this.#restart(downtimeInMs));
    this.#restarted = restarted.catch(() => {});
    return restarted;
  }

  async #restart(downtimeInMs: number): Promise<void> {
    const opened = await this.#closeAll(this.#places);
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

  /** Closes the ports of some places. Returns those that were open, with their numbers. */
  async #closeAll(places: readonly Place[]): Promise<[Place, port: number][]> {
    const opened: [Place, port: number][] = [];
    await Promise.all(places.map(async (place) => {
      const listener = await place.listener.catch((): undefined => undefined);
      if (listener === undefined) return;
      opened.push([place, listener.port]);
      await listener.close();
    }));
    return opened;
  }

  /** Opens ports one after the other, and keeps them to close them with the hub. Returns their numbers. */
  async #openAll(wanted: readonly (readonly [Protocol, PortSettings])[]): Promise<number[]> {
    const places: Place[] = [];
    const ports: number[] = [];
    try {
      for (const [protocol, settings] of wanted) {
        if (this.#isClosed) throw new TypeError("The local hub is closed");
        const open = (port: number): Promise<Listener> => protocol.open(this.#hub, { ...settings, port });
        const place = { open, listener: open(settings.port) };
        places.push(place);
        this.#places.push(place);
        ports.push((await place.listener).port);
      }
    } catch (error) {
      // Nobody would learn the numbers of those that were opened before.
      for (const place of places) this.#places.splice(this.#places.indexOf(place), 1);
      await this.#closeAll(places);
      throw error;
    }
    return ports;
  }

  /** Makes a certificate for the hub's own name, for this machine, and for where the hub listens. */
  async #selfSigned(hostname: string): Promise<ServerCertificate> {
    const { makeSelfSignedCertificate } = await import("./self_signed_certificate.ts");
    const key = LOCAL_NAMES.includes(hostname) ? LOOPBACK : hostname;
    const made = this.#certificates.get(key) ??
      makeSelfSignedCertificate([this.#hosts.hostName, ...LOCAL_NAMES, hostname]);
    this.#certificates.set(key, made);
    return await made;
  }
}

async function openHttp(hub: HubSides, settings: PortSettings): Promise<Listener> {
  const { startHttpListener } = await import("./http_listener.ts");
  const { WebSocketUpgrades } = await import("./web_socket_upgrades.ts");
  return await startHttpListener(hub.fetch, {
    ...settings,
    upgrades: new WebSocketUpgrades(hub),
    reporter: hub.amqp,
  });
}

async function openAmqp(hub: HubSides, settings: PortSettings): Promise<Listener> {
  const { startAmqpListener } = await import("./amqp_listener.ts");
  return await startAmqpListener(hub.amqp, settings);
}

async function openMqtt(hub: HubSides, settings: PortSettings): Promise<Listener> {
  const { startMqttListener } = await import("./mqtt_listener.ts");
  return await startMqttListener(hub.mqtt, settings);
}

function checkOptions(options: ListenOptions): void {
  const ports = PROTOCOLS.map(({ option }) => option);
  checkMembers("options", options, ["hostname", ...ports, "tls"]);
  const { hostname, tls } = options;
  if (hostname !== undefined) checkType("hostname", hostname, "string");
  for (const port of ports) checkWhole(port, options[port], 0, MAX_PORT);
  if (tls === undefined) return;
  checkMembers("tls", tls, ["cert", "key"]);
  checkType("tls.cert", tls.cert, "string");
  checkType("tls.key", tls.key, "string");
}

function protocolsFor(options: ListenOptions): readonly Protocol[] {
  const named = PROTOCOLS.filter(({ option }) => options[option] !== undefined);
  return named.length > 0 ? named : PROTOCOLS.filter(({ isDefault }) => isDefault);
}

/** The hub's name, unless that is the name of another address than the hub listens at, with the port for HTTPS. */
function hostAt(hubName: string, hostname: string, port: number): string {
  const host = hubName === "localhost" && !LOCAL_NAMES.includes(hostname) ? inUrl(hostname) : hubName;
  return port === HTTPS_PORT ? host : `${host}:${port}`;
}

function inUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
