import assert from "node:assert/strict";
import type { IConnectPacket } from "mqtt-packet";
import { IoTHubRegistryManager } from "../../lib/registry_manager.ts";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { ListeningHub } from "./listening_hub.ts";
import { MqttClient } from "./mqtt_client.ts";
import type { RestCaller } from "./rest_caller.ts";

const QUERY = "api-version=2021-04-12&DeviceClientType=test";

/** A whole local hub with an open MQTT port, and bare clients at it. */
export class MqttHub implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly port: number;
  readonly rest: RestCaller;
  readonly registry: IoTHubRegistryManager;
  readonly #listening: ListeningHub;
  readonly #clients: MqttClient[] = [];

  constructor(hub: LocalHub, port: number) {
    this.hub = hub;
    this.port = port;
    this.#listening = new ListeningHub(hub, 0);
    this.rest = this.#listening.rest;
    this.registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  }

  static async start(options: LocalHubOptions = {}): Promise<MqttHub> {
    const hub = new LocalHub({ feedbackIntervalInMs: 0, ...options });
    const { mqtt } = await hub.listen({ mqtt: 0 });
    return new MqttHub(hub, Number(mqtt!.split(":").at(-1)));
  }

  /** A client that has said nothing yet. */
  client(): MqttClient {
    const client = new MqttClient(this.port);
    this.#clients.push(client);
    return client;
  }

  /** A token that an identity has signed with its own key. */
  token(clientId: string): Promise<string> {
    return this.#listening.deviceToken(pathOf(clientId));
  }

  /** What a good client sends to connect. */
  async credentials(clientId: string, query: string = QUERY): Promise<Partial<IConnectPacket>> {
    const username = `${this.hub.hostName}/${clientId}/?${query}`;
    return { clientId, username, password: Buffer.from(await this.token(clientId)) };
  }

  /** A client that is connected. */
  async connect(clientId: string, fields: Partial<IConnectPacket> = {}): Promise<MqttClient> {
    const client = this.client();
    assert.equal((await client.connect({ ...await this.credentials(clientId), ...fields }))[0], 0);
    return client;
  }

  /** The code with which the hub answers a connection, after which it has to close it. */
  async refusal(fields: Partial<IConnectPacket>): Promise<number> {
    using client = this.client();
    const [code] = await client.connect(fields);
    await client.closed;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.registry.close();
    await this.hub.close();
  }
}

function pathOf(clientId: string): string {
  const [deviceId, moduleId] = clientId.split("/").map(encodeURIComponent);
  return moduleId === undefined ? `/devices/${deviceId}` : `/devices/${deviceId}/modules/${moduleId}`;
}
