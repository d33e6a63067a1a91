import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LocalHubOptions } from "../../lib/local/mod.ts";
import { ownAddress } from "./own_address.ts";
import type { Json } from "./rest_caller.ts";
import { SdkAtHub } from "./sdk_at_hub.ts";
import type { UploadOrder } from "./sdk_upload.ts";

const require = createRequire(import.meta.url);
const HTTPS_PORT = 443;

/** What a device shows in place of a key. */
export interface DeviceCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * A local hub at port 443 of an own address, and the vendor's SDK for devices over HTTPS at it, as it is: it can have no
 * other port. The vendor's SDK for back ends is at the other ports of the same hub.
 */
export class SdkOverHttps implements AsyncDisposable {
  readonly sdk: SdkAtHub;
  readonly host: string;
  /** The certificate that devices have to trust. */
  readonly ca: string;
  readonly #clients: Json[] = [];

  private constructor(sdk: SdkAtHub, host: string, ca: string) {
    this.sdk = sdk;
    this.host = host;
    this.ca = ca;
  }

  static async start(options: LocalHubOptions = {}): Promise<SdkOverHttps> {
    const sdk = await SdkAtHub.start(options);
    const host = ownAddress();
    const { certificate } = await sdk.hub.listen({ hostname: host, https: HTTPS_PORT });
    return new SdkOverHttps(sdk, host, certificate!);
  }

  /** The connection string of a device with its key. */
  async connectionString(deviceId: string): Promise<string> {
    return (await this.sdk.deviceConnectionString(deviceId)).replace("localhost", this.host);
  }

  /** The connection string of a device with a certificate. */
  certificateConnectionString(deviceId: string): string {
    return `HostName=${this.host};DeviceId=${deviceId};x509=true`;
  }

  /** A client that trusts the hub unless it is told not to, tries once, and asks for messages often. */
  client(connectionString: string, certificate?: DeviceCertificate, ca: string | null = this.ca): Promise<Json> {
    const { Client } = require("azure-iot-device");
    const { Http } = require("azure-iot-device-http");
    return this.#prepare(Client.fromConnectionString(connectionString, Http), certificate, ca);
  }

  /** A client with a ready token. */
  clientByToken(token: string): Promise<Json> {
    const { Client } = require("azure-iot-device");
    const { Http } = require("azure-iot-device-http");
    return this.#prepare(Client.fromSharedAccessSignature(token, Http), undefined, this.ca);
  }

  /** A client with the key of a device. */
  async device(deviceId: string): Promise<Json> {
    return await this.client(await this.connectionString(deviceId));
  }

  /** Uploads files in a process of its own: what the SDK's storage client trusts is said when a process starts. */
  async upload(order: UploadOrder): Promise<(string | null)[]> {
    const folder = await mkdtemp(join(tmpdir(), "sdk-upload-"));
    try {
      const authority = join(folder, "hub.pem");
      await writeFile(authority, this.ca);
      const script = fileURLToPath(new URL("./sdk_upload.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [script], {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: authority, UPLOADS: JSON.stringify(order) },
      });
      return JSON.parse(stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async #prepare(client: Json, certificate: DeviceCertificate | undefined, ca: string | null): Promise<Json> {
    client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
    const http = { receivePolicy: { interval: 0.2, drain: true } };
    await client.setOptions({ ...certificate, ...(ca !== null && { ca }), http });
    this.#clients.push(client);
    return client;
  }

  /** Ends the clients so far: they would go on to ask for messages. */
  async closeClients(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeClients();
    await this.sdk[Symbol.asyncDispose]();
  }
}
