import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  BlobSASPermissions,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import fc from "fast-check";
import { ACCOUNT } from "../../lib/local/blobs/blob_sas.ts";
import { NO_ATTRIBUTES, TestStorage } from "../support/blob_storage.ts";
import { ANY_TEXT, holds } from "../support/properties.ts";

const KEY = btoa("0123456789abcdef".repeat(4));
const VENDOR = new StorageSharedKeyCredential(ACCOUNT, KEY);
const NOW = Date.UTC(2030, 0, 31, 12, 0, 0, 500);
const CONTENT = { pieces: [new Uint8Array([49])], size: 1 };

/** What a signature says. Times are in seconds from now. */
interface Grant {
  /** `undefined` for the whole container. */
  blob: string | undefined;
  rights: string;
  expiresIn: number;
  startsIn?: number | undefined;
  protocol?: SASProtocol | undefined;
  contentType?: string | undefined;
  version: string | undefined;
}

const blobName = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(..."abz/ %&+?#ü😀") });

/** A blob cannot be listed. */
const resource: fc.Arbitrary<Pick<Grant, "blob" | "rights">> = fc.oneof(
  fc.record({ blob: fc.constant(undefined), rights: rightsOf("racwdl") }),
  fc.record({ blob: blobName.filter((name) => !name.startsWith("/")), rights: rightsOf("racwd") }),
);

function rightsOf(letters: string): fc.Arbitrary<string> {
  return fc.subarray([...letters], { minLength: 1 }).map((some) => some.join(""));
}

/** Signs with the vendor's library. */
function signAsVendor(grant: Grant): URLSearchParams {
  const { blob, rights, protocol, contentType, version } = grant;
  const inSeconds = (seconds: number): Date => new Date((Math.floor(NOW / 1000) + seconds) * 1000);
  const values = {
    containerName: "files",
    expiresOn: inSeconds(grant.expiresIn),
    ...(grant.startsIn !== undefined && { startsOn: inSeconds(grant.startsIn) }),
    ...(protocol !== undefined && { protocol }),
    ...(contentType !== undefined && { contentType }),
    ...(version !== undefined && { version }),
  };
  const whole = blob === undefined
    ? { ...values, permissions: ContainerSASPermissions.parse(rights) }
    : { ...values, permissions: BlobSASPermissions.parse(rights), blobName: blob };
  return new URLSearchParams(generateBlobSASQueryParameters(whole, VENDOR).toString());
}

describe("shared access signatures", () => {
  test("are those that the vendor's library makes", async () => {
    const property = fc.property(resource, fc.integer({ min: 1, max: 1_000_000 }), ({ blob, rights }, ttl) => {
      const { storage } = new TestStorage({ now: () => NOW, key: KEY });
      const ours = new URLSearchParams(storage.sas.sign({ container: "files", blob }, rights, ttl * 1000));
      // A fraction of a second is rounded up.
      const theirs = signAsVendor({ blob, rights, expiresIn: ttl + 1, version: "2020-12-06" });
      assert.deepEqual(new Map(ours), new Map(theirs));
    });
    await holds(property, 100);
  });

  test("of the vendor's library grant what they say, for as long as they say, and nothing when changed", async () => {
    const grant: fc.Arbitrary<Grant> = fc.tuple(
      resource,
      fc.record({
        version: fc.constantFrom("2020-12-06", "2021-08-06", "2023-11-03", undefined),
        startsIn: fc.option(fc.integer({ min: -3, max: 3 }), { nil: undefined }),
        protocol: fc.constantFrom(undefined, SASProtocol.Https, SASProtocol.HttpsAndHttp),
        contentType: fc.constantFrom(undefined, "text/html", "a/b"),
        expiresIn: fc.integer({ min: -3, max: 3 }),
      }),
    ).map(([resource, rest]) => ({ ...resource, ...rest }));
    const change = fc.record({
      field: fc.constantFrom("sv", "sr", "sp", "st", "se", "spr", "sig", "si", "sip", "ses", "rsct", "snapshot"),
      value: fc.oneof(ANY_TEXT, fc.constantFrom("2030-12-31T00:00:00Z", "racwdl", "b", "c", "https,http")),
    });
    const property = fc.asyncProperty(
      grant,
      fc.constantFrom("https", "http"),
      fc.option(change, { nil: undefined, freq: 2 }),
      async (grant, scheme, change) => {
        const test = new TestStorage({ now: () => NOW, key: KEY });
        const { blob = "b", rights, expiresIn, startsIn = -1, protocol, contentType } = grant;
        test.storage.container("files").write(blob, CONTENT, NO_ATTRIBUTES);
        const query = signAsVendor(grant);
        const isChanged = change !== undefined && change.value !== (query.get(change.field) ?? "");
        if (isChanged) query.set(change.field, change.value);

        const path = blob.split("/").map(encodeURIComponent).join("/");
        const response = await test.answer(new Request(`${scheme}://h/blob/files/${path}?${query}`));
        const code = response.headers.get("x-ms-error-code");
        const hasBegun = startsIn <= 0;
        const hasEnded = expiresIn <= 0;
        if (!isChanged && protocol === SASProtocol.Https && scheme === "http") {
          assert.deepEqual([response.status, code], [403, "AuthorizationProtocolMismatch"]);
        } else if (isChanged || !hasBegun || hasEnded) {
          assert.deepEqual([response.status, code], [403, "AuthenticationFailed"]);
        } else if (!rights.includes("r")) {
          assert.deepEqual([response.status, code], [403, "AuthorizationPermissionMismatch"]);
        } else {
          assert.deepEqual([response.status, response.headers.get("content-type")], [200, contentType ?? null]);
        }
        await response.body?.cancel();
      },
    );
    await holds(property, 150);
  });

  test("for one blob open no other", async () => {
    const property = fc.asyncProperty(blobName, blobName, async (signed, asked) => {
      fc.pre(signed !== asked && ![signed, asked].some((name) => name.startsWith("/")));
      const test = new TestStorage({ now: () => NOW });
      for (const name of [signed, asked]) test.storage.container("files").write(name, CONTENT, NO_ATTRIBUTES);
      const sas = test.storage.sas.sign({ container: "files", blob: signed }, "r", 1000);
      const statuses = await Promise.all([signed, asked].map(async (name) => {
        const path = name.split("/").map(encodeURIComponent).join("/");
        return (await test.answer(new Request(`https://h/blob/files/${path}?${sas}`, { method: "HEAD" }))).status;
      }));
      assert.deepEqual(statuses, [200, 403]);
    });
    await holds(property, 100);
  });
});
