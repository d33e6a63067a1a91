import type { Check } from "./check.ts";
import { expect, expectEqual } from "./expect.ts";

const HOST = "myhub.azure-devices.net";

/** Computed with another tool (Python's hmac and hashlib). */
const TOKENS = [
  {
    input: { resourceUri: HOST, key: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", keyName: "service" },
    expiry: 1700000000,
    token: `SharedAccessSignature sr=${HOST}&sig=sJAIZTF5oG40VHrie96heZ865%2BnR4QavBvHnzxZm8rk%3D` +
      "&se=1700000000&skn=service",
  },
  {
    input: { resourceUri: HOST, key: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", keyName: "iothubowner" },
    expiry: 1700000003,
    token: `SharedAccessSignature sr=${HOST}&sig=ZqCXffv78J2V%2B9nT/gqwU73DIWE5k%2BYZPhFFXyxaIFY%3D` +
      "&se=1700000003&skn=iothubowner",
  },
  {
    input: { resourceUri: `${HOST}/devices/dev:1`, key: "//79AAAAAAAAAAAAAAAAAA==", keyName: "registryReadWrite" },
    expiry: 1893456000,
    token: `SharedAccessSignature sr=${HOST}%2Fdevices%2Fdev%3A1&sig=Hkj2hm4SwGyJul1GbyJ85gcCRNh%2BBbOPrB81t97FPvs%3D` +
      "&se=1893456000&skn=registryReadWrite",
  },
];

/** The helpers, which need no hub. */
export const HELPER_CHECKS: readonly Check[] = [
  {
    name: "shared access signatures are those of known vectors",
    async run({ module }) {
      for (const { input, expiry, token } of TOKENS) {
        expectEqual(
          await module.createSasToken({ ...input, expiresOn: new Date(expiry * 1000) }),
          token,
          input.keyName,
        );
      }
    },
  },
  {
    name: "a certificate's thumbprint is the digest of its bytes",
    async run({ module }) {
      const der = Uint8Array.of(0x30, 3, 2, 1, 5);
      const digest = async (algorithm: string): Promise<string> =>
        Array.from(
          new Uint8Array(await crypto.subtle.digest(algorithm, der)),
          (byte) => byte.toString(16).padStart(2, "0"),
        )
          .join("").toUpperCase();
      expectEqual(await module.certificateThumbprint(der), await digest("SHA-1"));
      expectEqual(await module.certificateThumbprint(der, "SHA-256"), await digest("SHA-256"));
      const pem = `-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...der))}\n-----END CERTIFICATE-----\n`;
      expectEqual(await module.certificateThumbprint(pem), await digest("SHA-1"), "PEM");
    },
  },
  {
    name: "connection strings are read and written",
    run({ module, target }) {
      const { hostName, sharedAccessKeyName } = module.parseConnectionString(target.connectionString);
      expectEqual(sharedAccessKeyName, "iothubowner");
      const device = { deviceId: "d", authentication: { type: "sas" as const, symmetricKey: { primaryKey: "a2V5" } } };
      const text = module.deviceConnectionString(hostName, device);
      expect(text.includes(`HostName=${hostName}`) && text.includes("DeviceId=d"), text);
      return Promise.resolve();
    },
  },
];
