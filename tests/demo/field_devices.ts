import { connectAsync, type MqttClient } from "mqtt";
import { createSasToken, parseConnectionString } from "../../mod.ts";
import type { LocalHub, LocalHubDeviceAct as Act } from "../../lib/local/mod.ts";
import { forEachLimited } from "./concurrency.ts";
import type { FleetDevice } from "./fleet_file.ts";
import { PARALLEL_CALLS } from "./run.ts";

const PATIENCE_IN_MS = 10_000;
const KEEP_ALIVE_IN_S = 240;
const METHODS = "$iothub/methods/POST/";
const DESIRED = "$iothub/twin/PATCH/properties/desired/";

/** A message as a device receives it. */
export interface ArrivedMessage {
  readonly text: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** The fleet's devices themselves, which connect to the embedded hub by MQTT over TLS, as those out in the field do. */
export class FieldDevices implements AsyncDisposable {
  readonly #hub: LocalHub;
  readonly #clients = new Map<string, MqttClient>();
  readonly #messages = new Map<string, ArrivedMessage>();
  /** Which devices have done what, as the hub has seen it. */
  readonly #done = new Map<Act, Set<string>>();
  #onAct: (() => void) | undefined;

  constructor(hub: LocalHub) {
    this.#hub = hub;
    hub.onEvent((event) => {
      if (event.kind !== "deviceAct" || event.status >= 300) return;
      this.#done.set(event.act, (this.#done.get(event.act) ?? new Set()).add(event.deviceId));
      this.#onAct?.();
    });
  }

  /** Switches on every enabled device, save each eighth: in every fleet some have lost their power. */
  async switchOn(devices: readonly FleetDevice[]): Promise<void> {
    const { mqtts, certificate } = await this.#hub.listen({ mqtts: 0 });
    const enabled = devices.filter(({ status }) => status === "enabled");
    const powered = enabled.filter((_, index) => index % 8 !== 7);
    // The certificates in the file are made up, so that all devices sign in with the key of a policy.
    const password = await this.#token();
    await forEachLimited(powered, PARALLEL_CALLS, async (device) => {
      const { deviceId } = device;
      const client = await connectAsync(mqtts!, {
        clientId: deviceId,
        username: `${this.#hub.hostName}/${deviceId}/?api-version=2021-04-12`,
        password,
        ca: certificate!,
        keepalive: KEEP_ALIVE_IN_S,
        reconnectPeriod: 0,
        protocolVersion: 4,
      });
      this.#clients.set(deviceId, client);
      client.on("message", (topic, payload) => this.#take(device, topic, payload.toString()));
      await client.subscribeAsync({
        [`${METHODS}#`]: { qos: 0 },
        [`${DESIRED}#`]: { qos: 0 },
        ...(takesMessages(deviceId) && { [`devices/${deviceId}/messages/devicebound/#`]: { qos: 1 } }),
      });
    });
  }

  #take(device: FleetDevice, topic: string, payload: string): void {
    const { deviceId, model, hall } = device;
    const tell = (topic: string, content: unknown): void =>
      void this.#clients.get(deviceId)!.publish(topic, JSON.stringify(content), { qos: 0 });
    if (topic.startsWith(METHODS)) {
      const [, request] = /\?\$rid=(.+)$/.exec(topic)!;
      tell(`$iothub/methods/res/200/?$rid=${request}`, { model, hall, healthy: true });
    } else if (topic.startsWith(DESIRED)) {
      const { intervalInSeconds, firmware } = JSON.parse(payload);
      // A camera changes its firmware at night only: until then a query can find it.
      const running = model === "camera" ? { channel: "stable" } : firmware;
      tell("$iothub/twin/PATCH/properties/reported/?$rid=1", {
        ...(intervalInSeconds !== undefined && { intervalInSeconds }),
        ...(firmware !== undefined && { firmware: running }),
      });
    } else {
      const [, bag = ""] = topic.split("/devicebound/");
      const properties = [...new URLSearchParams(bag)].filter(([name]) => !name.startsWith("$."));
      this.#messages.set(deviceId, { text: payload, properties: Object.fromEntries(properties) });
    }
  }

  /** Waits until each of the devices that is switched on has told which properties it has now. */
  async reports(devices: readonly FleetDevice[]): Promise<void> {
    const told = devices.filter(({ intervalInSeconds, firmwareChannel }) =>
      intervalInSeconds !== undefined || firmwareChannel !== undefined
    );
    await this.#until("updateReportedProperties", told.map(({ deviceId }) => deviceId));
  }

  /** Waits until each of the devices that is switched on has a message. Returns the messages that are there. */
  async messages(deviceIds: readonly string[]): Promise<ReadonlyMap<string, ArrivedMessage>> {
    await this.#until("completeMessage", deviceIds.filter(takesMessages));
    return this.#messages;
  }

  /** Waits until the hub has seen that each of the devices that is switched on does something, or has run out of patience. */
  async #until(act: Act, deviceIds: readonly string[]): Promise<void> {
    const expected = deviceIds.filter((deviceId) => this.#clients.has(deviceId));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_IN_MS);
      this.#onAct = () => {
        if (!expected.every((deviceId) => this.#done.get(act)?.has(deviceId))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onAct();
    });
  }

  async #token(): Promise<string> {
    const { sharedAccessKeyName, sharedAccessKey } = parseConnectionString(this.#hub.connectionStringFor("device"));
    return await createSasToken({
      resourceUri: this.#hub.hostName,
      keyName: sharedAccessKeyName,
      key: sharedAccessKey!,
    });
  }

  /** Switches all of them off. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.endAsync(true)));
  }
}

/** The topic with the messages of a device has its id, in which MQTT takes these for wildcards. */
function takesMessages(deviceId: string): boolean {
  return !/[#+]/.test(deviceId);
}
