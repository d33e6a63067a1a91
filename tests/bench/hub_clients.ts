import { Agent, request as httpsRequest } from "node:https";
import { createRequire } from "node:module";
import { IoTHubRegistryManager, type Twin } from "../../mod.ts";
import { sampleRegistration } from "./sample_data.ts";

/** The same jobs for every contender. */
export interface HubClient {
  getTwin(deviceId: string): Promise<unknown>;
  /** Registers 100 devices with one request. */
  registerDevices(): Promise<unknown>;
  /** Reads that many twins in pages of 100, one after the other. */
  readTwins(count: number): Promise<void>;
}

const KEY = btoa("sixteen bytes or more are a key");

/** Of a hub that is reached through {@linkcode ClientOptions.endpoint}, or with the SDK by its port. */
export const CONNECTION_STRING: string = `HostName=localhost;SharedAccessKeyName=iothubowner;SharedAccessKey=${KEY}`;

const DEVICES_PER_REQUEST = 100;

/** The client that a contender's name stands for. */
export function hubClient(contender: string, port: number): HubClient {
  switch (contender) {
    case "module":
      return moduleClient(port);
    case "azure-iothub":
      return sdkClient(port);
    case "bare fetch":
      return bareFetchClient(port);
    case "bare node:https":
      return bareHttpsClient(port);
    default:
      throw new RangeError(`There is no contender ${contender}`);
  }
}

/** This module. */
function moduleClient(port: number): HubClient {
  const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    endpoint: `https://localhost:${port}`,
  });
  const devices = Array.from(
    { length: DEVICES_PER_REQUEST },
    (_, index) => ({ id: `device-${index}`, importMode: "create" as const, ...sampleRegistration() }),
  );
  return {
    getTwin: (deviceId) => registry.getTwin(deviceId),
    registerDevices: () => registry.bulkCreateOrUpdateDevices(devices),
    async readTwins(count) {
      let read = 0;
      for await (const twin of registry.query<Twin>(String(count), { maxItemCount: 100 })) {
        read += twin.deviceId ? 1 : 0;
      }
      checkCount(read, count);
    },
  };
}

/** The part of `azure-iothub` that is used here. */
interface SdkHttp {
  buildRequest(method: string, path: string, headers: object, host: string, options: object, done: unknown): unknown;
}
interface SdkQuery {
  hasMoreResults: boolean;
  nextAsTwin(): Promise<{ result: { deviceId: string }[] }>;
}
interface SdkRegistry {
  getTwin(deviceId: string): Promise<unknown>;
  addDevices(devices: object[]): Promise<unknown>;
  createQuery(query: string, pageSize: number): SdkQuery;
}
interface SdkModules {
  Registry: {
    fromConnectionString(connectionString: string): SdkRegistry & { _restApiClient: { _http: SdkHttp } };
  };
}

/** The vendor's SDK, as it is, but for the port: it knows no other than 443 by its own means. */
function sdkClient(port: number): HubClient {
  const { Registry } = createRequire(import.meta.url)("azure-iothub") as SdkModules;
  const registry = Registry.fromConnectionString(CONNECTION_STRING);
  const http = registry._restApiClient._http;
  const buildRequest = http.buildRequest.bind(http);
  http.buildRequest = (method, path, headers, host, done) => buildRequest(method, path, headers, host, { port }, done);
  const devices = Array.from(
    { length: DEVICES_PER_REQUEST },
    (_, index) => ({ deviceId: `device-${index}`, ...sampleRegistration() }),
  );
  return {
    getTwin: (deviceId) => registry.getTwin(deviceId),
    registerDevices: () => registry.addDevices(devices),
    async readTwins(count) {
      let read = 0;
      const query = registry.createQuery(String(count), 100);
      while (query.hasMoreResults) {
        const { result } = await query.nextAsTwin();
        for (const twin of result) read += twin.deviceId ? 1 : 0;
      }
      checkCount(read, count);
    },
  };
}

/** The least that the global `fetch` needs. */
function bareFetchClient(port: number): HubClient {
  const origin = `https://localhost:${port}`;
  return bareClient(async (method, path, headers, body) => {
    const response = await fetch(origin + path, { method, headers, body: body ?? null });
    return { data: await response.json(), continuationToken: response.headers.get("x-ms-continuation") };
  });
}

/** The least that `node:https` needs. */
function bareHttpsClient(port: number): HubClient {
  const agent = new Agent({ keepAlive: true });
  return bareClient((method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const outgoing = httpsRequest({ agent, host: "localhost", port, method, path, headers }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => text += chunk);
        incoming.on("end", () => {
          resolve({
            data: JSON.parse(text),
            continuationToken: incoming.headers["x-ms-continuation"] as string ?? null,
          });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    })
  );
}

type BareSend = (
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
) => Promise<{ data: unknown; continuationToken: string | null }>;

/** A token as long as a real one, which the server does not look at. */
const HEADERS = { Accept: "application/json", Authorization: `SharedAccessSignature ${"x".repeat(120)}` };
const JSON_HEADERS = { ...HEADERS, "Content-Type": "application/json; charset=utf-8" };
const VERSION_QUERY = "?api-version=2021-04-12";

function bareClient(send: BareSend): HubClient {
  const devices = Array.from(
    { length: DEVICES_PER_REQUEST },
    (_, index) => ({ id: `device-${index}`, importMode: "create", ...sampleRegistration() }),
  );
  return {
    getTwin: async (deviceId) => (await send("GET", `/twins/${deviceId}${VERSION_QUERY}`, HEADERS)).data,
    registerDevices: async () =>
      (await send("POST", `/devices${VERSION_QUERY}`, JSON_HEADERS, JSON.stringify(devices))).data,
    async readTwins(count) {
      let read = 0;
      let token: string | null = "0";
      while (token !== null) {
        const headers: Record<string, string> = { ...JSON_HEADERS, "x-ms-continuation": token };
        const page = await send("POST", `/devices/query${VERSION_QUERY}`, headers, `{"query":"${count}"}`);
        for (const twin of page.data as { deviceId: string }[]) read += twin.deviceId ? 1 : 0;
        token = page.continuationToken;
      }
      checkCount(read, count);
    },
  };
}

function checkCount(read: number, expected: number): void {
  if (read !== expected) throw new Error(`Read ${read} twins, and there are ${expected}`);
}
