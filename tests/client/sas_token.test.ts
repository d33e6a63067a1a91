import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { createSasToken } from "../../mod.ts";

// Computed with another tool (Python's hmac and hashlib); the expiries lie in the past on purpose.
const VECTORS = [
  {
    key: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    keyName: "service",
    resourceUri: "myhub.azure-devices.net",
    expiry: 1700000000,
    token: "SharedAccessSignature sr=myhub.azure-devices.net&sig=sJAIZTF5oG40VHrie96heZ865%2BnR4QavBvHnzxZm8rk%3D" +
      "&se=1700000000&skn=service",
  },
  {
    key: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    keyName: "iothubowner",
    resourceUri: "myhub.azure-devices.net",
    expiry: 1700000003,
    token: "SharedAccessSignature sr=myhub.azure-devices.net&sig=ZqCXffv78J2V%2B9nT/gqwU73DIWE5k%2BYZPhFFXyxaIFY%3D" +
      "&se=1700000003&skn=iothubowner",
  },
  {
    key: "//79AAAAAAAAAAAAAAAAAA==",
    keyName: "registryReadWrite",
    resourceUri: "myhub.azure-devices.net/devices/dev:1",
    expiry: 1893456000,
    token: "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdev%3A1" +
      "&sig=Hkj2hm4SwGyJul1GbyJ85gcCRNh%2BBbOPrB81t97FPvs%3D&se=1893456000&skn=registryReadWrite",
  },
];

for (const { token, expiry, ...input } of VECTORS) {
  test(`createSasToken() signs for ${input.keyName} as the vector says`, async () => {
    assert.equal(await createSasToken({ ...input, expiresOn: new Date(expiry * 1000) }), token);
  });
}

test("createSasToken() signs the encoded resource URI that it sends", async () => {
  const key = btoa("a key of some length");
  const token = await createSasToken({
    resourceUri: "hub.example/devices/it's (a) *test*!",
    key,
    expiresOn: new Date(1_800_000_000_999),
  });
  const { sr, sig, se } = Object.fromEntries(
    token.replace("SharedAccessSignature ", "").split("&").map((part) => part.split("=")),
  );
  assert.equal(sr, "hub.example%2Fdevices%2Fit%27s%20%28a%29%20%2Atest%2A%21");
  assert.equal(se, "1800000000", "fractions of a second are cut off");
  const expected = createHmac("sha256", atob(key)).update(`${sr}\n${se}`).digest("base64");
  assert.equal(decodeURIComponent(sig!), expected);
  assert.ok(!token.includes("skn="), "a device's own key has no policy name");
});

test("createSasToken() lives an hour unless told otherwise", async () => {
  const input = { resourceUri: "hub.example", key: btoa("key") };
  const expiryOf = (token: string): number => Number(/se=(\d+)/.exec(token)![1]);
  const before = Math.floor(Date.now() / 1000);
  const [byDefault, short] = [await createSasToken(input), await createSasToken({ ...input, ttlInSeconds: 60 })];
  const passed = Math.ceil(Date.now() / 1000) - before;
  assert.ok(expiryOf(byDefault) - before >= 3600 && expiryOf(byDefault) - before <= 3600 + passed + 1);
  assert.ok(expiryOf(short) - before >= 60 && expiryOf(short) - before <= 60 + passed + 1);
});

const GOOD = { resourceUri: "hub.example", key: btoa("planted secret key") };
const BAD: [string, Record<string, unknown>, typeof TypeError | typeof RangeError, RegExp][] = [
  ["no resource", { resourceUri: "" }, TypeError, /resourceUri/],
  ["a resource that no URL can carry", { resourceUri: "\ud800" }, RangeError, /resourceUri/],
  ["a resource that is no string", { resourceUri: 7 }, TypeError, /resourceUri/],
  ["a key that is not base64", { key: "not/base64!" }, RangeError, /key/],
  ["a key of URL-safe base64", { key: "ab-_" }, RangeError, /key/],
  ["an empty key", { key: "" }, RangeError, /key/],
  ["no key", { key: undefined }, RangeError, /key/],
  ["both expiries", { expiresOn: new Date(), ttlInSeconds: 1 }, TypeError, /both expiresOn and ttlInSeconds/],
  ["an invalid Date", { expiresOn: new Date(NaN) }, RangeError, /expiresOn/],
  [
    "an expiry before 1970",
    { expiresOn: new Date(-1) },
    RangeError,
    /expiresOn .*: it must be a Date in 1970 or later/,
  ],
  ["an expiry that is no Date", { expiresOn: "2030-01-01" }, TypeError, /expiresOn/],
  ["a life of nothing", { ttlInSeconds: 0 }, RangeError, /ttlInSeconds/],
  ["an endless life", { ttlInSeconds: Infinity }, RangeError, /ttlInSeconds/],
  ["a life in words", { ttlInSeconds: "60" }, RangeError, /ttlInSeconds/],
  ["a policy name that breaks out", { keyName: "a&sig=b" }, RangeError, /policy name/],
  ["a policy name that is no string", { keyName: 5 }, TypeError, /policy name/],
];
for (const [what, change, error, message] of BAD) {
  test(`createSasToken() refuses ${what}`, async () => {
    await assert.rejects(createSasToken({ ...GOOD, ...change } as typeof GOOD), (thrown: Error) => {
      assert.ok(thrown instanceof error, `${thrown}`);
      assert.match(thrown.message, message);
      assert.ok(!thrown.message.includes(GOOD.key));
      return true;
    });
  });
}
