import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

const KEY = btoa("a key of sixteen bytes or more");

/** Writes the names of a body in whatever case; what is below the free names is its owner's and stays as it is. */
function recased(value: Json, cases: readonly boolean[], free: readonly string[] = []): Json {
  let at = 0;
  const inAnyCase = (name: string): string =>
    Array.from(name, (letter) => cases[at++ % cases.length] ? letter.toUpperCase() : letter.toLowerCase()).join("");
  const visit = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(
      Object.entries(part).map(([name, member]) => [inAnyCase(name), free.includes(name) ? member : visit(member)]),
    );
  };
  return visit(value);
}

const CASES = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });

async function setup(): Promise<{ hub: LocalHub; rest: RestCaller }> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/d/modules/m", {});
  return { hub, rest };
}

describe("the names in a body are read without regard to case", () => {
  test("of a device and a module", async () => {
    const { hub, rest } = await setup();
    const sas = { type: "sas", symmetricKey: { primaryKey: KEY, secondaryKey: KEY } };
    const device = {
      deviceId: "e",
      status: "disabled",
      statusReason: "Why",
      capabilities: { iotEdge: true },
      authentication: sas,
    };
    const hash = "ab".repeat(20);
    const selfSigned = { type: "selfSigned", x509Thumbprint: { primaryThumbprint: hash, secondaryThumbprint: hash } };
    const module = { deviceId: "d", moduleId: "n", managedBy: "Me", authentication: selfSigned };
    await holds(
      fc.asyncProperty(CASES, async (cases) => {
        const e = await rest.do("PUT", "/devices/e", recased(device, cases));
        assert.deepEqual([e.status, e.statusReason, e.capabilities], ["disabled", "Why", { iotEdge: true }]);
        assert.deepEqual(e.authentication.symmetricKey, sas.symmetricKey);
        const n = await rest.do("PUT", "/devices/d/modules/n", recased(module, cases));
        assert.deepEqual([n.managedBy, n.authentication.x509Thumbprint], ["Me", selfSigned.x509Thumbprint]);
        const other = recased({ deviceId: "other" }, cases);
        await rest.fails([400, "ArgumentInvalid"], "PUT", "/devices/f", other);
        await rest.do("DELETE", "/devices/e", undefined, { "if-match": "*" });
        await rest.do("DELETE", "/devices/d/modules/n", undefined, { "if-match": "*" });
      }),
      40,
    );
    await hub.close();
  });

  test("of a twin, but not those of its owner", async () => {
    const { hub, rest } = await setup();
    const content = { Aa: { bB: 1 }, aA: "x", ETAG: 2 };
    const twin = { etag: "old", VERSION: 3, tags: content, properties: { desired: content, reported: { No: 1 } } };
    await holds(
      fc.asyncProperty(CASES, fc.constantFrom("PATCH", "PUT"), async (cases, method) => {
        const written = await rest.do(method, "/twins/d", recased(twin, cases, ["tags", "desired", "reported"]));
        assert.deepEqual(written.tags, content);
        const { $metadata: _metadata, $version: _version, ...desired } = written.properties.desired;
        assert.deepEqual(desired, content);
        const unknown = recased({ desiredProperties: {} }, cases);
        await rest.fails([400, "GenericBadRequest"], method, "/twins/d", unknown);
      }),
      40,
    );
    await hub.close();
  });

  test("of an element of a bulk call, its etags too", async () => {
    const { hub, rest } = await setup();
    const bulk = async (element: Json, cases: readonly boolean[]): Promise<Json> => {
      return (await rest.call("POST", "/devices", recased([element], cases, ["tags", "desired"]))).body;
    };
    await holds(
      fc.asyncProperty(CASES, async (cases) => {
        const target = { id: "d", moduleId: "n" };
        const created = await bulk({
          ...target,
          importMode: "create",
          tags: { T: 1 },
          properties: { desired: { D: 1 } },
        }, cases);
        assert.equal(created.isSuccessful, true);
        const twin = await rest.do("GET", "/twins/d/modules/n");
        assert.deepEqual([twin.tags, twin.properties.desired.D], [{ T: 1 }, 1]);
        for (
          const element of [
            { importMode: "updateIfMatchETag", eTag: "b2xk" },
            { importMode: "deleteIfMatchETag", eTag: "b2xk" },
            { importMode: "updateTwinIfMatchETag", twinETag: "AAAAAAAAAAk=", tags: {} },
          ]
        ) {
          const { errors } = await bulk({ ...target, ...element }, cases);
          assert.equal(errors[0].errorCode, "PreconditionFailed", element.importMode);
        }
        const deleted = await bulk({ ...target, importMode: "deleteIfMatchETag", eTag: twin.deviceEtag }, cases);
        assert.equal(deleted.isSuccessful, true);
      }),
      40,
    );
    await hub.close();
  });

  test("of a query and of a direct method, but not those of its payload", async () => {
    const { hub, rest } = await setup();
    hub.device("d").onMethod((payload, name) => ({ status: 200, payload: { name, payload } }));
    const call = { methodName: "Go", payload: { Payload: { pAYLOAD: 1 } }, responseTimeoutInSeconds: 7 };
    await holds(
      fc.asyncProperty(CASES, async (cases) => {
        const rows = await rest.do("POST", "/devices/query", recased({ query: "SELECT * FROM devices" }, cases));
        assert.equal(rows.length, 1);
        const answer = await rest.do("POST", "/twins/d/methods", recased(call, cases, ["payload"]));
        assert.deepEqual(answer.payload, { name: "Go", payload: call.payload });
        const tooLong = recased({ ...call, responseTimeoutInSeconds: 301 }, cases, ["payload"]);
        await rest.fails([400, "ArgumentInvalid"], "POST", "/twins/d/methods", tooLong);
      }),
      40,
    );
    await hub.close();
  });

  test("and the last of several counts", async () => {
    const { rest } = await setup();
    const device = await rest.do("PUT", "/devices/e", '{"status":"enabled","STATUS":"disabled"}');
    assert.equal(device.status, "disabled");
  });
});

describe("a text is read as what its member is", () => {
  test("where it is a whole number", async () => {
    const { hub, rest } = await setup();
    const device = hub.device("d");
    const call = (seconds: unknown) => ({ methodName: "m", payload: "30", responseTimeoutInSeconds: seconds });
    device.onMethod((payload) => ({ status: 200, payload }));
    const number = fc.integer({ min: -400, max: 400 });
    await holds(
      fc.asyncProperty(number, fc.constantFrom("", " ", "\t"), async (seconds, space) => {
        const answer = await rest.call("POST", "/twins/d/methods", call(`${space}${seconds}${space}`));
        assert.equal(answer.status, seconds >= 5 && seconds <= 300 ? 200 : 400);
        if (answer.status === 200) assert.equal(answer.body.payload, "30", "a payload is nobody's number");
      }),
      60,
    );
    for (const text of ["", "x", "30s", "3e1", "0x1e", "30.5", "NaN", "--30"]) {
      await rest.fails([400, "ArgumentInvalid"], "POST", "/twins/d/methods", call(text));
    }
    const connecting = { methodName: "m", responseTimeoutInSeconds: "30", connectTimeoutInSeconds: "31" };
    await rest.fails([400, "ArgumentInvalid"], "POST", "/twins/d/methods", connecting);
  });

  test("where it is true or false", async () => {
    const { rest } = await setup();
    for (const [text, iotEdge] of [["true", true], ["True", true], ["FALSE", false]] as const) {
      const { capabilities } = await rest.do("PUT", `/devices/${text}`, { capabilities: { iotEdge: text } });
      assert.deepEqual(capabilities, { iotEdge });
    }
    await rest.fails([400, "ArgumentInvalid"], "PUT", "/devices/e", { capabilities: { iotEdge: "yes" } });
  });
});

describe("a write of a twin ignores", () => {
  test("every member of the hub's own documents that it does not write, in any case", async () => {
    const { rest } = await setup();
    const edge = await rest.do("PUT", "/devices/e", { capabilities: { iotEdge: true } });
    await rest.do("PUT", "/devices/d", { deviceScope: edge.deviceScope, statusReason: "why" }, { "if-match": "*" });
    const documents = await Promise.all(
      ["/devices/d", "/devices/e", "/devices/d/modules/m", "/twins/d", "/twins/e", "/twins/d/modules/m"].map((path) =>
        rest.do("GET", path)
      ),
    );
    for (const document of documents) {
      const { tags: _tags, properties: _properties, ...readOnly } = document;
      for (const method of ["PATCH", "PUT"]) {
        for (const path of ["/twins/d", "/twins/d/modules/m"]) {
          const body = recased({ ...readOnly, tags: { a: 1 } }, [true, false], ["tags"]);
          const twin = await rest.do(method, path, body);
          assert.deepEqual(twin.tags, { a: 1 });
          for (const name of ["deviceId", "moduleId", "status", "deviceScope", "capabilities"]) {
            assert.deepEqual(twin[name], (await rest.do("GET", path))[name], name);
          }
        }
      }
    }
  });

  test("what the twin of the Java SDK holds of an identity", async () => {
    const { rest } = await setup();
    const { generationId, statusUpdatedTime } = await rest.do("GET", "/devices/d");
    const body = { deviceId: "d", generationId, statusUpdatedTime, version: 2, tags: { a: 1 } };
    assert.deepEqual((await rest.do("PATCH", "/twins/d", body)).tags, { a: 1 });
  });
});
