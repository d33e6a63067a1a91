import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { RestCaller } from "../support/rest_caller.ts";

const ANY = { headers: { "if-match": '"*"' } };
const KEY_16 = btoa("0123456789abcdef");

interface Setup {
  hub: LocalHub;
  rest: RestCaller;
}

function setup(): Setup {
  const hub = new LocalHub();
  return { hub, rest: new RestCaller(hub) };
}

describe("device identities", () => {
  test("a create answers 200 with generated keys, times of never without a zone, and a quoted ETag", async () => {
    const { rest } = setup();
    const { status, body, headers } = await rest.call("PUT", "/devices/d1", { deviceId: "d1" });
    assert.equal(status, 200);
    assert.match(body.generationId, /^\d{18}$/);
    assert.match(atob(body.etag), /^\d+$/);
    assert.equal(headers.get("etag"), `"${body.etag}"`);
    const { symmetricKey, x509Thumbprint, type } = body.authentication;
    assert.equal(type, "sas");
    for (const key of Object.values(symmetricKey)) assert.equal(atob(key as string).length, 32);
    assert.notEqual(symmetricKey.primaryKey, symmetricKey.secondaryKey);
    assert.deepEqual(x509Thumbprint, { primaryThumbprint: null, secondaryThumbprint: null });
    const { generationId: _, etag: __, authentication: ___, ...others } = body;
    assert.deepEqual(others, {
      deviceId: "d1",
      connectionState: "Disconnected",
      status: "enabled",
      statusReason: null,
      connectionStateUpdatedTime: "0001-01-01T00:00:00",
      statusUpdatedTime: "0001-01-01T00:00:00",
      lastActivityTime: "0001-01-01T00:00:00",
      cloudToDeviceMessageCount: 0,
      capabilities: { iotEdge: false },
      parentScopes: [],
    });
  });

  test("a read shows times with their zone, no empty scopes, and the same keys and etag", async () => {
    const { rest } = setup();
    const created = await rest.do("PUT", "/devices/d1", { deviceId: "d1", statusReason: "new" });
    const { body, headers } = await rest.call("GET", "/devices/d1");
    assert.equal(body.lastActivityTime, "0001-01-01T00:00:00Z");
    assert.equal("parentScopes" in body || "deviceScope" in body, false);
    assert.deepEqual(body.authentication, created.authentication);
    assert.equal(body.statusReason, "new");
    assert.equal(headers.get("etag"), `"${created.etag}"`);
  });

  const MATRIX: [what: string, exists: boolean, method: string, ifMatch: string | undefined, expected: unknown[]][] = [
    ["a create of a new device", false, "PUT", undefined, [200, null]],
    ["a create with an empty If-Match", false, "PUT", "", [200, null]],
    ["a create with an empty quoted If-Match", false, "PUT", '""', [200, null]],
    ["a create of a device that exists", true, "PUT", undefined, [409, "DeviceAlreadyExists"]],
    ["a create with an empty If-Match of a device that exists", true, "PUT", '""', [409, "DeviceAlreadyExists"]],
    ["an update with a star", true, "PUT", "*", [200, null]],
    ["an update with a quoted star", true, "PUT", '"*"', [200, null]],
    ["an update with the etag", true, "PUT", "ETAG", [200, null]],
    ["an update with the quoted etag", true, "PUT", '"ETAG"', [200, null]],
    ["an update with a stale etag", true, "PUT", '"c3RhbGU="', [412, "PreconditionFailed"]],
    ["an update with an unquoted stale etag", true, "PUT", "c3RhbGU=", [412, "PreconditionFailed"]],
    ["an update of a missing device with a star", false, "PUT", '"*"', [404, "DeviceNotFound"]],
    ["an update of a missing device with an etag", false, "PUT", '"c3RhbGU="', [404, "DeviceNotFound"]],
    ["a delete without If-Match", true, "DELETE", undefined, [412, "PreconditionFailed"]],
    ["a delete with a star", true, "DELETE", "*", [204, null]],
    ["a delete with a quoted star", true, "DELETE", '"*"', [204, null]],
    ["a delete with the etag", true, "DELETE", '"ETAG"', [204, null]],
    ["a delete with a stale etag", true, "DELETE", '"c3RhbGU="', [412, "PreconditionFailed"]],
    ["a delete of a missing device with a star", false, "DELETE", '"*"', [404, "DeviceNotFound"]],
    ["a delete of a missing device with an etag", false, "DELETE", '"c3RhbGU="', [404, "DeviceNotFound"]],
    ["a read of a missing device", false, "GET", undefined, [404, "DeviceNotFound"]],
  ];
  for (const [what, exists, method, ifMatch, expected] of MATRIX) {
    test(`${what} answers ${expected[0]}`, async () => {
      const { rest } = setup();
      const etag = exists ? (await rest.do("PUT", "/devices/d", { deviceId: "d" })).etag : "none";
      const headers: Record<string, string> = ifMatch === undefined
        ? {}
        : { "if-match": ifMatch.replace("ETAG", etag) };
      const body = method === "PUT" ? { deviceId: "d", etag } : undefined;
      const answer = await rest.call(method, "/devices/d", body, { headers });
      assert.deepEqual([answer.status, answer.code], expected);
      if (answer.status === 204) assert.equal(answer.body, undefined);
      if (answer.status === 200 && exists) assert.equal(Number(atob(answer.body.etag)), Number(atob(etag)) + 1);
    });
  }

  test("an update replaces every writable member and makes new keys where none are given", async () => {
    const { rest } = setup();
    const before = await rest.do("PUT", "/devices/d", { deviceId: "d", status: "disabled", statusReason: "why" });
    const after = await rest.do("PUT", "/devices/d", { deviceId: "d", generationId: "1" }, ANY.headers);
    assert.deepEqual([after.status, after.statusReason], ["enabled", null]);
    assert.notEqual(after.authentication.symmetricKey.primaryKey, before.authentication.symmetricKey.primaryKey);
    assert.equal(after.generationId, before.generationId);
    assert.notEqual(after.statusUpdatedTime, "0001-01-01T00:00:00Z");
  });

  test("twin writes and connections leave the etag of the identity alone", async () => {
    const { hub, rest } = setup();
    const { etag } = await rest.do("PUT", "/devices/d", { deviceId: "d" });
    await rest.do("PATCH", "/twins/d", { tags: { a: 1 } });
    hub.device("d").connect();
    assert.equal((await rest.do("GET", "/devices/d")).etag, etag);
  });

  test("deleting and creating again gives another generation", async () => {
    const { rest } = setup();
    const first = await rest.do("PUT", "/devices/d", { deviceId: "d" });
    await rest.do("DELETE", "/devices/d", undefined, ANY.headers);
    const second = await rest.do("PUT", "/devices/d", { deviceId: "d" });
    assert.ok(BigInt(second.generationId) > BigInt(first.generationId));
  });

  const REFUSED: [what: string, body: unknown, code?: string][] = [
    ["another id than in the path", { deviceId: "other" }],
    ["an unknown status", { deviceId: "d", status: "sleepy" }],
    ["a statusReason of 129 characters", { deviceId: "d", statusReason: "x".repeat(129) }],
    ["one key only", { deviceId: "d", authentication: { symmetricKey: { primaryKey: KEY_16 }, type: "sas" } }],
    ["a key of 15 bytes", keys(btoa("0123456789abcde"))],
    ["a key of 65 bytes", keys(btoa("x".repeat(65)))],
    ["a key that is not base64", keys("not base64!")],
    ["a thumbprint with colons", thumbprint("aa:bb:cc")],
    ["a thumbprint of 41 digits", thumbprint("a".repeat(41))],
    ["the type none", { deviceId: "d", authentication: { type: "none" } }],
    ["an unknown type", { deviceId: "d", authentication: { type: "magic" } }],
    ["keys and thumbprints together", {
      deviceId: "d",
      authentication: {
        symmetricKey: { primaryKey: KEY_16, secondaryKey: KEY_16 },
        x509Thumbprint: { primaryThumbprint: "a".repeat(40) },
      },
    }],
    ["no JSON", "{", "GenericBadRequest"],
    ["an array", [], "ArgumentNull"],
  ];
  for (const [what, body, code = "ArgumentInvalid"] of REFUSED) {
    test(`a create with ${what} answers 400 ${code} and creates nothing`, async () => {
      const { rest } = setup();
      await rest.fails([400, code], "PUT", "/devices/d", body);
      await rest.fails([404, "DeviceNotFound"], "GET", "/devices/d");
    });
  }

  test("a refused create says which value it was, what it must be, and nothing of a key", async () => {
    const { rest } = setup();
    const texts: [body: unknown, text: string][] = [
      [{ status: "unknown" }, 'Cannot use status "unknown": it must be "enabled" or "disabled"'],
      [{ status: 1 }, 'Cannot use status 1: it must be "enabled" or "disabled"'],
      [{ deviceId: "e" }, 'Cannot use deviceId "e": it must be "d", as in the path'],
      [{ capabilities: [] }, "Cannot use capabilities: it must be an object, got an array"],
      [
        { authentication: { symmetricKey: { primaryKey: 7, secondaryKey: KEY_16 } } },
        "Cannot use authentication.symmetricKey.primaryKey: it must be a string, got a number",
      ],
      [
        keys(btoa("0123456789abcde")),
        "Invalid device key length: Cannot use primaryKey of 15 bytes: it must be from 16 to 64 bytes",
      ],
      [keys("not base64!"), "Invalid device key: Cannot use primaryKey: it must be standard base64"],
    ];
    for (const [body, text] of texts) {
      assert.equal((await rest.call("PUT", "/devices/d", body)).body.Message, `ErrorCode:ArgumentInvalid;${text}`);
    }
  });

  function keys(key: string): unknown {
    return { deviceId: "d", authentication: { symmetricKey: { primaryKey: key, secondaryKey: key }, type: "sas" } };
  }

  function thumbprint(primaryThumbprint: string): unknown {
    return { deviceId: "d", authentication: { x509Thumbprint: { primaryThumbprint }, type: "selfSigned" } };
  }

  test("keys of 16 and 64 bytes are kept as they are", async () => {
    const { rest } = setup();
    for (const key of [KEY_16, btoa("x".repeat(64))]) {
      const symmetricKey = { primaryKey: key, secondaryKey: key };
      const body = { deviceId: key.length.toString(), authentication: { symmetricKey, type: "sas" } };
      const device = await rest.do("PUT", `/devices/${key.length}`, body);
      assert.deepEqual(device.authentication.symmetricKey, symmetricKey);
    }
  });

  test("thumbprints keep their letter case, have no keys beside them, and tell the type", async () => {
    const { rest } = setup();
    const x509Thumbprint = { primaryThumbprint: "aB".repeat(20), secondaryThumbprint: "0f".repeat(32) };
    const device = await rest.do("PUT", "/devices/d", { deviceId: "d", authentication: { x509Thumbprint } });
    assert.deepEqual(device.authentication, {
      symmetricKey: { primaryKey: null, secondaryKey: null },
      x509Thumbprint,
      type: "selfSigned",
    });
  });

  test("a device under a certificate authority has neither keys nor thumbprints", async () => {
    const { rest } = setup();
    const authentication = { type: "certificateAuthority" };
    const device = await rest.do("PUT", "/devices/d", { deviceId: "d", authentication });
    assert.deepEqual(device.authentication.symmetricKey, { primaryKey: null, secondaryKey: null });
    assert.equal(device.authentication.type, "certificateAuthority");
  });

  test("every character of the alphabet of ids survives the way through the path", async () => {
    const { rest } = setup();
    const deviceId = "-:.+%_#*?!(),=@;$'aZ9";
    const path = `/devices/${encodeURIComponent(deviceId)}`;
    await rest.do("PUT", path, { deviceId });
    assert.equal((await rest.do("GET", path)).deviceId, deviceId);
    await rest.fails([404, "DeviceNotFound"], "GET", path.toUpperCase());
  });

  for (const deviceId of ["a b", "é", "a/b", "x".repeat(129)]) {
    test(`the id ${JSON.stringify(deviceId.slice(0, 9))} of ${deviceId.length} characters is refused`, async () => {
      const { rest } = setup();
      await rest.fails([400, "ArgumentInvalid"], "PUT", `/devices/${encodeURIComponent(deviceId)}`, { deviceId });
    });
  }

  test("a list has the devices up to top, and takes a top out of range for 1000", async () => {
    const { rest } = setup();
    await rest.createDevices("a", "b", "c");
    assert.equal((await rest.do("GET", "/devices?top=2")).length, 2);
    for (const path of ["/devices", "/devices/", "/devices?top=0", "/devices?top=1001", "/devices?top=many"]) {
      assert.deepEqual((await rest.do("GET", path)).map((device: { deviceId: string }) => device.deviceId), [
        "a",
        "b",
        "c",
      ]);
    }
  });

  test("statistics count devices by status and by connection", async () => {
    const { hub, rest } = setup();
    await rest.createDevices("a", "b");
    await rest.do("PUT", "/devices/c", { deviceId: "c", status: "disabled" });
    hub.device("a").connect();
    hub.device("c").connect();
    const counts = { totalDeviceCount: 3, enabledDeviceCount: 2, disabledDeviceCount: 1 };
    assert.deepEqual(await rest.do("GET", "/statistics/devices"), counts);
    assert.deepEqual(await rest.do("GET", "/statistics/service"), { connectedDeviceCount: 1 });
  });
});
