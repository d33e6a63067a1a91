import { responseOf } from "../../lib/local/hub_answer.ts";
import type { ClientCertificate } from "../../lib/local/auth/client_certificate.ts";
import { answerRest } from "../../lib/local/device_rest/answer_rest.ts";
import type { HubState } from "../../lib/local/hub_state.ts";
import type { TelemetryEvent } from "../../lib/local/sessions/telemetry_sink.ts";
import type { Json } from "./rest_caller.ts";
import { signSas } from "./sas.ts";

/** What a request of a device can have besides method and path. */
export interface DeviceRequest {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  /** The whole `Authorization` header; `null` for none. */
  readonly authorization?: string | null;
  readonly certificate?: ClientCertificate;
}

/** An answer to a device, read to its end. */
export interface DeviceAnswer {
  readonly status: number;
  /** The header `iothub-errorcode`. */
  readonly code: string | null;
  readonly headers: Headers;
  readonly text: string;
  /** What the error says, or what the JSON is. */
  readonly body: Json;
}

/** Signs as the device or module of a path does, with one of its own keys. */
export function signAsDevice(hostName: string, path: string, key: string): string {
  const connectionString = `HostName=${hostName};SharedAccessKeyName=;SharedAccessKey=${key}`;
  return signSas({ connectionString, sr: encodeURIComponent(hostName + path), skn: "" }).replace(/&skn=$/, "");
}

/** A device that makes requests to a hub in this process, with its own key unless it is told otherwise. */
export class DeviceCaller {
  readonly events: TelemetryEvent[] = [];
  readonly #hub: HubState;
  readonly #deviceId: string;

  constructor(hub: HubState, deviceId: string = "d") {
    this.#hub = hub;
    this.#deviceId = deviceId;
    hub.telemetry.onEvent((event) => this.events.push(event));
  }

  /** The path of the device. */
  get path(): string {
    return `/devices/${encodeURIComponent(this.#deviceId)}`;
  }

  /** The `Authorization` header of the device itself. */
  get authorization(): string {
    const { primaryKey } = this.#hub.store.device(this.#deviceId)!.authentication.symmetricKey;
    return signAsDevice(this.#hub.hostName, this.path, primaryKey!);
  }

  /** The `Authorization` header of a policy, for the whole hub. */
  policy(name: "iothubowner" | "service" | "device" | "registryReadWrite", sr?: string): string {
    const { primaryKey } = this.#hub.policies.get(name)!;
    const { hostName } = this.#hub;
    const connectionString = `HostName=${hostName};SharedAccessKeyName=${name};SharedAccessKey=${primaryKey}`;
    return signSas({ connectionString, sr: encodeURIComponent(sr ?? hostName) });
  }

  /** Makes a request; the path begins below that of the device. */
  async call(method: string, path: string, request: DeviceRequest = {}): Promise<DeviceAnswer> {
    const { authorization = this.authorization, headers = {}, body, certificate } = request;
    const separator = path.includes("?") ? "&" : "?";
    const url = `https://${this.#hub.hostName}${this.path}${path}${separator}api-version=2021-04-12`;
    const init: RequestInit & { duplex: "half" } = {
      method,
      headers: { ...(authorization !== null && { authorization }), ...headers },
      duplex: "half",
      ...(body !== undefined && { body }),
    };
    const response = responseOf(await answerRest(this.#hub, new Request(url, init), certificate));
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return {
      status: response.status,
      code: response.headers.get("iothub-errorcode"),
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** Sends one message. */
  send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<DeviceAnswer> {
    return this.call("POST", "/messages/events", { body, headers });
  }

  /** Sends a batch. */
  sendBatch(batch: unknown): Promise<DeviceAnswer> {
    const body = typeof batch === "string" ? batch : JSON.stringify(batch);
    return this.send(body, { "content-type": "application/vnd.microsoft.iothub.json" });
  }

  /** Asks for a message. */
  receive(headers: Record<string, string> = {}, query: string = ""): Promise<DeviceAnswer> {
    return this.call("GET", `/messages/devicebound${query}`, { headers });
  }
}
