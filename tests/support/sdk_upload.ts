/** A program in which the vendor's SDK uploads files, one after another, and tells how each ended; run by a test. */
import { createRequire } from "node:module";
import process from "node:process";
import { Readable } from "node:stream";
import type { Json } from "./rest_caller.ts";

/** Who uploads, and what. */
export interface UploadOrder {
  readonly connectionString: string;
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly files: readonly { readonly blobName: string; readonly size: number }[];
}

/** What a file of this size is made of. */
export function fileOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = at % 251;
  return bytes;
}

if (process.env["UPLOADS"] !== undefined) {
  const { connectionString, certificate, files }: UploadOrder = JSON.parse(process.env["UPLOADS"]);
  const require = createRequire(import.meta.url);
  const { Client } = require("azure-iot-device");
  const { Http } = require("azure-iot-device-http");
  const client = Client.fromConnectionString(connectionString, Http);
  client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
  // Without something on the receiving of messages, the transport never says that it has taken the options.
  await client.setOptions({ ...certificate, http: { receivePolicy: { interval: 1 } } });
  const outcomes: (string | null)[] = [];
  for (const { blobName, size } of files) {
    const outcome = client.uploadToBlob(blobName, Readable.from([Buffer.from(fileOf(size))]), size);
    outcomes.push(await outcome.then(() => null, (error: Json) => `${error.name}: ${error.innerError?.message}`));
  }
  console.log(JSON.stringify(outcomes));
  process.exit();
}
