import assert from "node:assert/strict";
import { Agent } from "node:https";
import { createRequire } from "node:module";
import * as tls from "node:tls";
import { LocalHub, type LocalHubAddresses, type LocalHubOptions } from "../../lib/local/mod.ts";
import type { Methods } from "./official_sdk.ts";
import { ownAddress } from "./own_address.ts";
import type { Json } from "./rest_caller.ts";

const require = createRequire(import.meta.url);

/** The vendor's transports, by their protocols. */
export type SdkTransport = "Amqp" | "AmqpWs";
export type SdkDeviceTransport = SdkTransport | "Mqtt" | "MqttWs";

interface Factories {
  fromConnectionString(connectionString: string, transport?: unknown): Json;
  fromSharedAccessSignature(token: string, transport?: unknown): Json;
  fromTokenCredential(hostName: string, credential: unknown, transport?: unknown): Json;
}

/** How a client of the SDK is made. */
export type Make = (factories: Factories, transport?: unknown) => Json;

/** What a call of the SDK fails with: the class of its error, and the status of the answer if there was one. */
export async function failureOf(call: Promise<unknown>): Promise<[name: string, status?: number]> {
  const error: Json = await call.then(() => assert.fail("it has not failed"), (reason) => reason);
  return error.response === undefined ? [error.name] : [error.name, error.response.statusCode];
}

/**
 * A local hub that listens with TLS, and the vendor's SDK at it, as it is. All that it is given besides what the hub hands
 * out are the ports, since it has no option for them.
 */
export class SdkAtHub implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly #addresses: LocalHubAddresses;
  readonly #agent: Agent;
  /** An address of its own, at whose port 443 the hub listens; `undefined` where that port is refused. */
  readonly host443: string | undefined;
  readonly #clients: Methods<"close">[] = [];

  constructor(hub: LocalHub, addresses: LocalHubAddresses, host443: string | undefined) {
    this.hub = hub;
    this.host443 = host443;
    this.#addresses = addresses;
    // What an agent is given counts more than what a request says.
    this.#agent = new Agent({ keepAlive: true, host: "localhost", port: Number(new URL(addresses.https!).port) });
  }

  static async start(options: LocalHubOptions = {}): Promise<SdkAtHub> {
    const hub = new LocalHub({ feedbackIntervalInMs: 0, ...options });
    const addresses = await hub.listen({ https: 0, amqps: 0, mqtts: 0 });
    const own = await listenAt443(hub);
    const { setDefaultCACertificates, getCACertificates } = tls as unknown as {
      setDefaultCACertificates(certificates: string[]): void;
      getCACertificates(): string[];
    };
    setDefaultCACertificates([...getCACertificates(), addresses.certificate!, ...own?.certificates ?? []]);
    return new SdkAtHub(hub, addresses, own?.host);
  }

  /** A `Registry`, by the hub's connection string unless it is made otherwise. */
  registry(make: Make = (factories) => factories.fromConnectionString(this.hub.connectionString)): Json {
    return this.#connect(make(require("azure-iothub").Registry));
  }

  /** A `JobClient`. */
  jobs(): Json {
    return this.#connect(require("azure-iothub").JobClient.fromConnectionString(this.hub.connectionString));
  }

  /** A `DigitalTwinClient`. */
  digitalTwins(): Json {
    const { DigitalTwinClient, IoTHubTokenCredentials } = require("azure-iothub");
    return new DigitalTwinClient(new IoTHubTokenCredentials(this.hub.connectionString));
  }

  /** A `Client`, likewise. */
  client(
    transport: SdkTransport = "Amqp",
    make: Make = (factories, protocol) => factories.fromConnectionString(this.hub.connectionString, protocol),
  ): Json {
    const protocol = require(`azure-iothub/dist/${transport === "Amqp" ? "amqp" : "amqp_ws"}.js`)[transport];
    const client = this.#connect(make(require("azure-iothub").Client, protocol));
    const uri = transport === "Amqp" ? this.#addresses.amqps! : this.#addresses.wss!;
    client._transport._getConnectionUri = () => uri.replace("127.0.0.1", "localhost");
    this.#clients.push(client);
    return client;
  }

  /** A device's `Client`, or a `ModuleClient`, by the key of its identity unless it is made otherwise. */
  async device(transport: SdkDeviceTransport, deviceId: string, moduleId?: string, make?: Make): Promise<Json> {
    const { Client, ModuleClient } = require("azure-iot-device");
    const key = await this.#deviceKey(deviceId, moduleId);
    const connectionString = `${this.deviceAddress(transport, deviceId, moduleId)};SharedAccessKey=${key}`;
    const protocol = require(`azure-iot-device-${transport.slice(0, 4).toLowerCase()}`)[transport];
    const byKey: Make = (factories) => factories.fromConnectionString(connectionString, protocol);
    const client = (make ?? byKey)(moduleId === undefined ? Client : ModuleClient, protocol);
    if (transport === "Amqp" || transport === "AmqpWs") {
      const uri = transport === "Amqp" ? this.#addresses.amqps! : this.#addresses.wss!;
      client._transport._getConnectionUri = () => uri.replace("127.0.0.1", "localhost");
    }
    // Tokens and certificates name no gateway, whose port the SDK would take.
    if (transport === "Mqtt") client._transport._authenticationProvider._credentials.gatewayHostName ??= this.mqttHost;
    this.#clients.push(client);
    return client;
  }

  /** The connection string of a device or module without what it signs in with. */
  deviceAddress(transport: SdkDeviceTransport, deviceId: string, moduleId?: string): string {
    const module = moduleId === undefined ? "" : `;ModuleId=${moduleId}`;
    const host = transport === "MqttWs" ? this.host443! : "localhost";
    // The SDK has no option for a port, but a gateway may have any.
    const gateway = transport === "Mqtt" ? `;GatewayHostName=${this.mqttHost}` : "";
    return `HostName=${host};DeviceId=${deviceId}${module}${gateway}`;
  }

  /** The host and port for MQTT. */
  get mqttHost(): string {
    return `localhost:${new URL(this.#addresses.mqtts!).port}`;
  }

  /** The connection string of a device or module with a key. */
  async deviceConnectionString(deviceId: string, moduleId?: string): Promise<string> {
    const key = await this.#deviceKey(deviceId, moduleId);
    return `${this.deviceAddress("Amqp", deviceId, moduleId)};SharedAccessKey=${key}`;
  }

  async #deviceKey(deviceId: string, moduleId?: string): Promise<string> {
    const registry = this.registry();
    const { responseBody } = moduleId === undefined
      ? await registry.get(deviceId)
      : await registry.getModule(deviceId, moduleId);
    return responseBody.authentication.symmetricKey.primaryKey;
  }

  /** A message with a body. */
  message(body: string | Uint8Array): Json {
    const { Message } = require("azure-iothub/dist/common-core/message.js");
    return new Message(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    this.#agent.destroy();
    await this.hub.close();
  }

  #connect(client: Json): Json {
    client._restApiClient.setOptions({ http: { agent: this.#agent } });
    return client;
  }
}

/**
 * Lets the hub listen at port 443 of an address that no other test has: all of 127.0.0.0/8 is this machine, on Linux, and
 * the SDK fixes that port for MQTT over WebSocket.
 */
async function listenAt443(hub: LocalHub): Promise<{ host: string; certificates: string[] } | undefined> {
  const host = ownAddress();
  try {
    const { certificate } = await hub.listen({ hostname: host, https: 443 });
    return { host, certificates: [certificate!] };
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (["EACCES", "EADDRNOTAVAIL"].includes(code)) return undefined;
    throw error;
  }
}
