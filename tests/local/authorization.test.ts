import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import type { PolicyName } from "../../lib/local/mod.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const SCOPE = "https://iothubs.azure.net/.default";
const UNAUTHORIZED = [401, "IotHubUnauthorized"] as [number, string];
const NO_ACCESS = [401, "IotHubUnauthorizedAccess"] as [number, string];

function setup(): { hub: LocalHub; rest: RestCaller; connectionString: string } {
  const hub = new LocalHub();
  return { hub, rest: new RestCaller(hub), connectionString: hub.connectionString };
}

describe("a shared access signature", () => {
  test("is good with either key of its policy, in any order and spelling of its parts", async () => {
    const { hub, rest, connectionString } = setup();
    const secondary = hub.connectionStringFor("iothubowner", "secondary");
    assert.notEqual(secondary, connectionString);
    const good = signSas({ connectionString });
    const reversed = good.replace(/ (.*)$/, (_, fields) => ` ${fields.split("&").reverse().join("&")}`);
    const tokens = [
      good,
      reversed,
      signSas({ connectionString: secondary }),
      signSas({ connectionString, sr: hub.hostName.toUpperCase() }),
      signSas({ connectionString, sr: encodeURIComponent(hub.hostName) }),
      signSas({ connectionString, sr: `${hub.hostName}%2fdevices` }),
      signSas({ connectionString, sr: `${hub.hostName}/` }),
      signSas({ connectionString, sr: `${hub.hostName}:8443` }),
      signSas({ connectionString, sr: `${hub.hostName}%3A8443%2Fdevices` }),
      good.replace("SharedAccessSignature", "sharedaccesssignature"),
    ];
    for (const authorization of tokens) {
      assert.equal((await rest.call("GET", "/devices", undefined, { authorization })).status, 200, authorization);
    }
  });

  test("is refused for whatever is wrong with it, with a text that names the reason and no secret", async () => {
    const { hub, rest, connectionString } = setup();
    const good = signSas({ connectionString });
    const without = (name: string) => good.replace(new RegExp(`([ &])${name}=[^&]*&?`), "$1");
    const wrong: [authorization: string | null, expected: [number, string], reason: RegExp][] = [
      [null, NO_ACCESS, /header is missing/],
      ["Basic dXNlcg==", UNAUTHORIZED, /must start with/],
      ["SharedAccessSignature", UNAUTHORIZED, /must start with/],
      [without("sr"), UNAUTHORIZED, /no sr/],
      [without("sig"), UNAUTHORIZED, /no sig/],
      [without("se"), UNAUTHORIZED, /no se/],
      [without("skn"), UNAUTHORIZED, /no skn/],
      [good.replace(/sr=[^&]*/, "sr=%E0%A4%A"), UNAUTHORIZED, /sr .* percent-encoded/],
      [signSas({ connectionString, sr: "other.example" }), UNAUTHORIZED, /another host/],
      [signSas({ connectionString, sr: `${hub.hostName}.example` }), UNAUTHORIZED, /another host/],
      [signSas({ connectionString, sr: "other.example:443" }), UNAUTHORIZED, /another host/],
      [signSas({ connectionString, sr: `${hub.hostName}:443:443` }), UNAUTHORIZED, /another host/],
      [signSas({ connectionString, sr: "127.0.0.1" }), UNAUTHORIZED, /another host/],
      [signSas({ connectionString, skn: "nobody" }), UNAUTHORIZED, /no policy/],
      [signSas({ connectionString, skn: "service" }), UNAUTHORIZED, /signature/],
      [signSas({ connectionString, key: btoa("wrong".repeat(8)) }), UNAUTHORIZED, /signature/],
      [good.replace(/sig=[^&]*/, "sig=!"), UNAUTHORIZED, /signature/],
      [good.replace(/se=\d+/, "se=9999999999"), UNAUTHORIZED, /signature/],
      [good.replace(hub.hostName, hub.hostName.toUpperCase()), UNAUTHORIZED, /signature/],
      [signSas({ connectionString, se: "soon" }), UNAUTHORIZED, /se of the token/],
      [signSas({ connectionString, se: 1 }), UNAUTHORIZED, /expired/],
    ];
    for (const [authorization, expected, reason] of wrong) {
      const { body } = await rest.fails(expected, "GET", "/devices", undefined, { authorization });
      assert.match(body.Message, reason);
      const signature = /sig=([^&]*)/.exec(authorization ?? "")?.[1];
      if (signature && signature.length > 1) assert.equal(body.Message.includes(signature), false);
    }
  });

  test("covers what is below its path, segment by segment", async () => {
    const { hub, rest, connectionString } = setup();
    await rest.createDevices("a", "ab");
    const cases: [sr: string, path: string, isCovered: boolean][] = [
      ["/devices", "/devices", true],
      ["/devices", "/devices/a", true],
      ["/devices", "/statistics/devices", false],
      ["/devices/a", "/devices/a", true],
      ["/devices/a", "/devices/a/modules", true],
      ["/devices/a", "/devices/ab", false],
      ["/devices/a", "/devices", false],
      ["/twins/a", "/twins/a", true],
      ["/twins/a", "/devices/a", false],
    ];
    for (const [prefix, path, isCovered] of cases) {
      const authorization = signSas({ connectionString, sr: encodeURIComponent(hub.hostName + prefix) });
      const { status, code } = await rest.call("GET", path, undefined, { authorization });
      const expected = isCovered ? [200, null] : NO_ACCESS;
      assert.deepEqual([status, code], expected, `${prefix} for ${path}`);
    }
  });

  test("is good until the very moment of its expiry, and after a first use not longer", async () => {
    let now = Date.UTC(2026, 0, 1);
    for (const clockSkewInSeconds of [0, 300]) {
      const hub = new LocalHub({ now: () => now, clockSkewInSeconds });
      const se = now / 1000 + 60;
      const rest = new RestCaller(hub, signSas({ connectionString: hub.connectionString, se }));
      await rest.do("GET", "/devices");
      now += (60 + clockSkewInSeconds) * 1000 - 1;
      await rest.do("GET", "/devices");
      now += 1;
      await rest.fails(UNAUTHORIZED, "GET", "/devices");
    }
  });

  test("carries the rights of its policy and no others", async () => {
    const { hub, rest } = setup();
    await rest.createDevices("d");
    hub.device("d").onMethod(() => ({ status: 200 }));
    const operations: Record<string, [method: string, path: string, body?: unknown][]> = {
      RegistryRead: [
        ["GET", "/devices"],
        ["GET", "/devices/d"],
        ["GET", "/devices/d/modules"],
        ["GET", "/statistics/devices"],
        ["GET", "/statistics/service"],
      ],
      RegistryWrite: [["POST", "/devices", []], ["PUT", "/devices/d", {}], ["PUT", "/devices/d/modules/m", {}]],
      ServiceConnect: [
        ["GET", "/twins/d"],
        ["PATCH", "/twins/d", {}],
        ["PUT", "/twins/d", {}],
        ["POST", "/devices/query", { query: "SELECT * FROM devices" }],
        ["POST", "/twins/d/methods", { methodName: "m" }],
        ["DELETE", "/devices/d/commands"],
      ],
    };
    const policies: [PolicyName, string[]][] = [
      ["iothubowner", ["RegistryRead", "RegistryWrite", "ServiceConnect"]],
      ["service", ["ServiceConnect"]],
      ["device", []],
      ["registryRead", ["RegistryRead"]],
      ["registryReadWrite", ["RegistryRead", "RegistryWrite"]],
    ];
    for (const [policy, rights] of policies) {
      const authorization = signSas({ connectionString: hub.connectionStringFor(policy) });
      for (const [right, calls] of Object.entries(operations)) {
        for (const [method, path, body] of calls) {
          const { status, code } = await rest.call(method, path, body, { authorization });
          const isAllowed = rights.includes(right);
          assert.equal(code === "IotHubUnauthorizedAccess", !isAllowed, `${policy}: ${method} ${path} was ${status}`);
          assert.equal(status === 401, !isAllowed);
        }
      }
    }
  });
});

describe("a bearer token", () => {
  test("of the hub's own credential has every right", async () => {
    const { hub, rest } = setup();
    const { token, expiresOnTimestamp } = (await hub.tokenCredential().getToken(SCOPE))!;
    assert.ok(expiresOnTimestamp > Date.now() + 3_590_000 && expiresOnTimestamp <= Date.now() + 3_600_000);
    for (const path of ["/devices", "/statistics/devices"]) {
      const answer = await rest.call("GET", path, undefined, { authorization: `Bearer ${token}` });
      assert.equal(answer.status, 200);
    }
  });

  test("is refused for whatever is wrong with it, with a text that names the reason and no token", async () => {
    const { hub, rest } = setup();
    const foreign = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const getToken = async (options: Parameters<LocalHub["tokenCredential"]>[0], scope: string | string[] = SCOPE) =>
      (await hub.tokenCredential(options).getToken(scope))!.token;
    const good = await getToken({});
    const [header, payload, signature] = good.split(".");
    const wrong: [token: string, reason: RegExp][] = [
      [await getToken({ audience: "https://management.azure.com" }), /audience/],
      [await getToken({}, ["https://graph.microsoft.com/.default"]), /audience/],
      [await getToken({ issuer: "https://sts.example/" }), /issuer/],
      [await getToken({ expiresInSeconds: -1 }), /expired/],
      [await getToken({ signingKey: foreign.privateKey }), /signature/],
      [(await new LocalHub().tokenCredential().getToken(SCOPE))!.token, /signature/],
      [`${header}.${payload}.${signature!.slice(0, -8)}AAAAAAAA`, /signature/],
      [`${btoa('{"alg":"none"}').replaceAll("=", "")}.${payload}.`, /not a JWT/],
      ["nonsense", /not a JWT/],
    ];
    for (const [token, reason] of wrong) {
      const { body } = await rest.fails(UNAUTHORIZED, "GET", "/devices", undefined, {
        authorization: `Bearer ${token}`,
      });
      assert.match(body.Message, reason);
      assert.equal(body.Message.includes(payload!), false);
    }
  });

  test("that has been good is refused once it has expired", async () => {
    let now = Date.UTC(2026, 0, 1);
    const hub = new LocalHub({ now: () => now });
    const { token } = (await hub.tokenCredential({ expiresInSeconds: 60 }).getToken(SCOPE))!;
    const rest = new RestCaller(hub, `Bearer ${token}`);
    await rest.do("GET", "/devices");
    now += 60_000;
    await rest.fails(UNAUTHORIZED, "GET", "/devices");
  });
});

describe("the REST surface", () => {
  test("answers with a date, a request id, and the charset", async () => {
    const { rest } = setup();
    const { headers } = await rest.call("GET", "/devices");
    assert.match(headers.get("x-ms-request-id")!, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.parse(headers.get("date")!) - Date.now()) < 5000);
    assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(headers.get("vary"), "Origin");
  });

  test("reports errors in an envelope with a tracking id", async () => {
    const { rest } = setup();
    const { body } = await rest.fails([404, "DeviceNotFound"], "GET", "/devices/none");
    assert.match(body.Message, /^ErrorCode:DeviceNotFound;[^;]+$/);
    assert.match(body.ExceptionMessage, /^Tracking ID:[0-9a-f]{32}-G:0-TimeStamp:\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d$/);
  });

  test("wants an api-version that is a date", async () => {
    const { hub, connectionString } = setup();
    const headers = { authorization: signSas({ connectionString }) };
    const versions: [search: string, status: number][] = [
      ["", 400],
      ["?api-version=", 400],
      ["?api-version=latest", 400],
      ["?api-version=2021-04-12-beta", 400],
      ["?api-version=2018-06-30", 200],
      ["?api-version=2020-05-31-preview", 200],
    ];
    for (const [search, status] of versions) {
      const response = await hub.fetch(new Request(`https://hub.example/devices${search}`, { headers }));
      assert.equal(response.status, status, search);
      assert.equal(response.headers.get("iothub-errorcode"), status === 200 ? null : "InvalidProtocolVersion");
    }
  });

  test("answers 404 for unknown paths and 405 for methods that a path does not have", async () => {
    const { rest } = setup();
    for (const path of ["/", "/nothing", "/devices/a/b/c/d", "/twins"]) {
      await rest.fails([404, "GenericNotFound"], "GET", path);
    }
    await rest.fails([405, "GenericMethodNotAllowed"], "DELETE", "/devices");
    await rest.fails([405, "GenericMethodNotAllowed"], "POST", "/twins/d", {});
    await rest.fails([400, "IotHubFormatError"], "GET", "/devices/%E0%A4%A");
  });

  test("takes fixed words of a path in any letter case, and POST for a PATCH that says so", async () => {
    const { rest } = setup();
    await rest.createDevices("d");
    await rest.do("GET", "/Devices/d/Modules");
    const twin = await rest.do("POST", "/twins/d", { tags: { a: 1 } }, { "x-http-method-override": "PATCH" });
    assert.deepEqual(twin.tags, { a: 1 });
  });

  test("knows the operations of devices by their methods, and has none for modules", async () => {
    const { rest } = setup();
    await rest.fails([405, "GenericMethodNotAllowed"], "GET", "/devices/d/files");
    await rest.fails([404, "GenericNotFound"], "POST", "/devices/d/modules/m/messages/events", {});
  });
});

describe("fixed keys", () => {
  const [ONE, TWO] = [btoa("1".repeat(16)), btoa("2".repeat(64))];

  test("are in connection strings, and let in whoever has them, also after a new start", async () => {
    const policyKeys = { iothubowner: ONE, service: { primaryKey: ONE, secondaryKey: TWO } };
    await using first = new LocalHub({ policyKeys });
    await using second = new LocalHub({ policyKeys });
    assert.equal(first.connectionString, `HostName=localhost;SharedAccessKeyName=iothubowner;SharedAccessKey=${ONE}`);
    assert.ok(first.connectionStringFor("service").endsWith(`SharedAccessKey=${ONE}`));
    assert.ok(first.connectionStringFor("service", "secondary").endsWith(`SharedAccessKey=${TWO}`));
    const authorization = signSas({ connectionString: first.connectionString });
    assert.deepEqual(await new RestCaller(second, authorization).do("GET", "/devices"), []);
  });

  test("leave those random that they do not name", async () => {
    const policyKeys = { iothubowner: ONE };
    await using first = new LocalHub({ policyKeys });
    await using second = new LocalHub({ policyKeys });
    for (
      const [name, key] of [["iothubowner", "secondary"], ["device", "primary"], ["registryRead", "secondary"]] as const
    ) {
      assert.notEqual(first.connectionStringFor(name, key), second.connectionStringFor(name, key));
    }
  });
});

describe("secrets", () => {
  test("are in no inspected or stringified object of the hub", async () => {
    const { hub, rest, connectionString } = setup();
    await rest.createDevices("d");
    const device = await rest.do("GET", "/devices/d");
    const credential = hub.tokenCredential();
    const container = hub.blobContainer("files");
    const { token } = (await credential.getToken(SCOPE))!;
    const secrets = [
      connectionString.split("SharedAccessKey=")[1]!,
      device.authentication.symmetricKey.primaryKey,
      token,
      container.url.split("sig=")[1]!,
    ];
    const options = { depth: 20, showHidden: true };
    for (const object of [hub, hub.device("d"), hub.clientOptions, credential, container]) {
      const text = inspect(object, options) + JSON.stringify(object) + String(object);
      for (const secret of secrets) assert.equal(text.includes(secret), false);
    }
  });

  test("differ from hub to hub", () => {
    assert.notEqual(new LocalHub().connectionString, new LocalHub().connectionString);
    assert.throws(() => new LocalHub().connectionStringFor("nobody" as PolicyName), RangeError);
  });
});
