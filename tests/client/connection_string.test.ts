import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { deviceConnectionString, parseConnectionString } from "../../mod.ts";

const KEY = btoa("planted-secret-planted-secret-01");
const GOOD = `HostName=myhub.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=${KEY}`;

describe("parseConnectionString()", () => {
  const accepted: [string, string, Record<string, unknown>][] = [
    ["a policy's", GOOD, {
      hostName: "myhub.azure-devices.net",
      sharedAccessKeyName: "iothubowner",
      sharedAccessKey: KEY,
    }],
    ["names in any case", GOOD.replace("HostName", "hostname").replace("SharedAccessKey=", "SHAREDACCESSKEY="), {
      hostName: "myhub.azure-devices.net",
      sharedAccessKeyName: "iothubowner",
      sharedAccessKey: KEY,
    }],
    ["white space around it and a last semicolon", `  ${GOOD};\n`, {
      hostName: "myhub.azure-devices.net",
      sharedAccessKeyName: "iothubowner",
      sharedAccessKey: KEY,
    }],
    ["parts in another order", `SharedAccessKey=${KEY};SharedAccessKeyName=a@b.c_d-e;HostName=h`, {
      hostName: "h",
      sharedAccessKeyName: "a@b.c_d-e",
      sharedAccessKey: KEY,
    }],
    ["a port of the host", `HostName=localhost:8443;SharedAccessKeyName=p;SharedAccessKey=${KEY}`, {
      hostName: "localhost:8443",
      sharedAccessKeyName: "p",
      sharedAccessKey: KEY,
    }],
    ["a device's", `HostName=h.cn;DeviceId=d=1;SharedAccessKey=${KEY};GatewayHostName=gw`, {
      hostName: "h.cn",
      deviceId: "d=1",
      sharedAccessKey: KEY,
      gatewayHostName: "gw",
    }],
    ["a module's with a certificate", "HostName=h;DeviceId=d;ModuleId=m;x509=true", {
      hostName: "h",
      deviceId: "d",
      moduleId: "m",
      x509: true,
    }],
    ["a ready-made token", "HostName=h;SharedAccessSignature=SharedAccessSignature sr=h&sig=x%3D&se=9&skn=p", {
      hostName: "h",
      sharedAccessSignature: "SharedAccessSignature sr=h&sig=x%3D&se=9&skn=p",
    }],
  ];
  for (const [what, text, parts] of accepted) {
    test(`reads ${what}`, () => assert.deepEqual({ ...parseConnectionString(text) }, parts));
  }

  const refused: [string, string, typeof TypeError | typeof RangeError, RegExp][] = [
    ["an empty text", "", TypeError, /part 1 of 1/],
    ["no HostName", GOOD.replace(/^[^;]*;/, ""), TypeError, /HostName is missing/],
    [
      "no SharedAccessKeyName",
      `HostName=h;SharedAccessKey=${KEY}`,
      TypeError,
      /SharedAccessKeyName or DeviceId is missing/,
    ],
    [
      "no SharedAccessKey",
      "HostName=h;SharedAccessKeyName=p",
      TypeError,
      /it has 0 of SharedAccessKey, SharedAccessSignature and x509 instead of one/,
    ],
    ["an empty HostName", GOOD.replace("myhub.azure-devices.net", ""), TypeError, /hostName has no value/],
    ["an empty SharedAccessKey", GOOD.replace(KEY, ""), TypeError, /sharedAccessKey has no value/],
    ["a part twice", `${GOOD};HostName=h`, TypeError, /hostName appears twice/],
    ["a part without =", `HostName=h;${KEY.replaceAll("=", "")};SharedAccessKeyName=p`, TypeError, /part 2 of 3/],
    [
      "an unknown part",
      `${GOOD};${KEY.slice(0, 20)}=x`,
      TypeError,
      /part 4 of 4 is not one of hostName, sharedAccessKeyName, /,
    ],
    ["an empty part", GOOD.replace(";", ";;"), TypeError, /part 2 of 4/],
    ["a URL for a host name", GOOD.replace("=my", "=https://my"), RangeError, /host name/],
    ["a key that is not base64", GOOD.replace(KEY, `${KEY}*`), RangeError, /SharedAccessKey: it must be base64/],
    ["a policy name with a space", GOOD.replace("iothubowner", "iot hub"), RangeError, /policy name/],
    ["a token that is none", `HostName=h;SharedAccessSignature=${KEY}`, RangeError, /SharedAccessSignature/],
    [
      "a key and a token",
      `${GOOD};SharedAccessSignature=SharedAccessSignature sr=h`,
      TypeError,
      /it has 2 of SharedAccessKey, SharedAccessSignature and x509 instead of one/,
    ],
    ["a module without a device", `${GOOD};ModuleId=m`, TypeError, /ModuleId needs a DeviceId/],
  ];
  for (const [what, text, error, message] of refused) {
    test(`refuses ${what}, says which part, and shows no secret`, () => {
      assert.throws(() => parseConnectionString(text), (thrown: Error) => {
        assert.ok(thrown instanceof error, `${thrown}`);
        assert.match(thrown.message, message);
        assert.ok(!`${thrown.stack}${inspect(thrown)}`.includes(KEY.slice(0, 20)));
        return true;
      });
    });
  }

  test("refuses what is no string", () => {
    for (const value of [undefined, null, 5, { HostName: "h" }]) {
      assert.throws(() => parseConnectionString(value as unknown as string), TypeError);
    }
  });

  test("gives an object that can be read but not printed", () => {
    const parsed = parseConnectionString(GOOD);
    assert.equal(parsed.sharedAccessKey, KEY);
    for (const printed of [inspect(parsed), JSON.stringify(parsed), inspect({ nested: [parsed] })]) {
      assert.ok(!printed.includes(KEY), printed);
      assert.ok(printed.includes("(hidden)") && printed.includes("myhub.azure-devices.net"), printed);
    }
  });
});

describe("deviceConnectionString()", () => {
  test("gives what parseConnectionString() reads", () => {
    const text = deviceConnectionString("myhub.azure-devices.net", {
      deviceId: "d'1=a",
      authentication: { type: "sas", symmetricKey: { primaryKey: KEY, secondaryKey: KEY } },
    });
    assert.equal(text, `HostName=myhub.azure-devices.net;DeviceId=d'1=a;SharedAccessKey=${KEY}`);
    assert.equal(parseConnectionString(text).deviceId, "d'1=a");
    const local = deviceConnectionString("localhost:8443", { deviceId: "d", authentication: { type: "selfSigned" } });
    assert.equal(parseConnectionString(local).hostName, "localhost:8443");
  });

  test("says x509 for a device with a certificate", () => {
    for (const type of ["selfSigned", "certificateAuthority"] as const) {
      const text = deviceConnectionString("h", { deviceId: "d", authentication: { type } });
      assert.equal(text, "HostName=h;DeviceId=d;x509=true");
      assert.equal(parseConnectionString(text).x509, true);
    }
  });

  test("refuses a device without a key, and a host name that is none", () => {
    assert.throws(() => deviceConnectionString("h", { deviceId: "d" }), /neither a primary key nor a certificate/);
    assert.throws(() => deviceConnectionString("h", {} as { deviceId: string }), TypeError);
    assert.throws(() => deviceConnectionString("h;DeviceId=x", { deviceId: "d" }), RangeError);
    assert.throws(() => deviceConnectionString(undefined as unknown as string, { deviceId: "d" }), TypeError);
  });

  test("refuses an id with a semicolon, and a key that is not base64 without showing it", () => {
    const symmetricKey = { primaryKey: `${KEY}*`, secondaryKey: KEY };
    const device = { deviceId: "d", authentication: { type: "sas" as const, symmetricKey } };
    assert.throws(() => deviceConnectionString("h", { ...device, deviceId: "d;x" }), /^RangeError: .*"d;x".*semicolon/);
    assert.throws(() => deviceConnectionString("h", device), (error: Error) => {
      assert.match(`${error}`, /^RangeError: .* of device "d": it must be base64/);
      return !error.message.includes(KEY);
    });
  });
});
