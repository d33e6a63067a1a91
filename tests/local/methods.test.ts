import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { type Answer, type Json, RestCaller } from "../support/rest_caller.ts";

const ANY = { "if-match": "*" };

interface Setup extends AsyncDisposable {
  hub: LocalHub;
  rest: RestCaller;
  /** Invokes the method `m` of a device or of the module at a path below it. */
  invoke(target: string, body?: Json, signal?: AbortSignal): Promise<Answer>;
}

/** A hub with the devices `d` and `off`, which is disabled, and the module `d/m`. */
async function setup(): Promise<Setup> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  await rest.do("PUT", "/devices/off", { deviceId: "off", status: "disabled" });
  await rest.do("PUT", "/devices/d/modules/m", { moduleId: "m" });
  return {
    hub,
    rest,
    invoke: (target, body = {}, signal) =>
      rest.call("POST", `/twins/${target}/methods`, { methodName: "m", ...body }, signal && { signal }),
    [Symbol.asyncDispose]: () => hub.close(),
  };
}

/** Status, name and number of an error in the nested envelope. */
function nested({ status, code, body }: Answer): unknown[] {
  const { errorCode, info, message } = JSON.parse(body.Message);
  assert.equal(info, null);
  assert.equal(body.ExceptionMessage, "");
  assert.equal(typeof message, "string");
  return [status, code, errorCode];
}

describe("a direct method", () => {
  test("gets the payload, and gives back the status and the payload of the device", async () => {
    await using all = await setup();
    const seen: unknown[] = [];
    all.hub.device("d").onMethod("m", (payload, methodName) => {
      seen.push([payload, methodName]);
      return { status: 500, payload: { echo: payload } };
    });
    for (const payload of [null, false, 0, "", "text", [1, { a: null }], {}]) {
      const { status, body } = await all.invoke("d", { payload });
      assert.deepEqual([status, body], [200, { status: 500, payload: { echo: payload } }]);
      assert.deepEqual(seen.pop(), [payload, "m"]);
    }
    assert.deepEqual((await all.invoke("d")).body, { status: 500, payload: { echo: null } });
  });

  test("goes to the handler of its name, else to the one for all, else is answered with 501", async () => {
    await using all = await setup();
    const device = all.hub.device("d");
    device.onMethod("m", () => ({ status: 201 }));
    assert.deepEqual((await all.invoke("d")).body, { status: 201, payload: null });
    assert.equal((await all.invoke("d", { methodName: "other" })).body.status, 501);
    device.onMethod((_, methodName) => Promise.resolve({ status: 202, payload: methodName }));
    assert.deepEqual((await all.invoke("d", { methodName: "other" })).body, { status: 202, payload: "other" });
    assert.equal((await all.invoke("d")).body.status, 201);
  });

  test("of a handler that throws or returns something else is answered with 500 and the reason", async () => {
    await using all = await setup();
    all.hub.device("d").onMethod("m", () => {
      throw new Error("out of paper");
    });
    assert.deepEqual((await all.invoke("d")).body, { status: 500, payload: "out of paper" });
    all.hub.device("d").onMethod("m", () => ({ status: "200" }) as unknown as { status: number });
    const { body } = await all.invoke("d");
    assert.equal(body.status, 500);
    assert.match(body.payload, /integer status/);
    all.hub.device("d").onMethod("m", () => ({ status: 200, payLoad: 1 }) as { status: number });
    assert.deepEqual((await all.invoke("d")).body, {
      status: 500,
      payload: 'Cannot use "payLoad" in the answer of m: did you mean "payload"? It can only have status, payload',
    });
  });

  test("reaches a module, which is connected on its own", async () => {
    await using all = await setup();
    assert.equal(all.hub.device("d").module("m"), all.hub.device("d").module("m"));
    all.hub.device("d").module("m").onMethod("m", () => ({ status: 203 }));
    assert.equal((await all.invoke("d/modules/m")).body.status, 203);
    assert.deepEqual(nested(await all.invoke("d")), [404, "DeviceNotOnline", 404103]);
  });

  test("fails in the nested envelope where there is nobody to take it", async () => {
    await using all = await setup();
    const offline = [404, "DeviceNotOnline", 404103];
    assert.deepEqual(nested(await all.invoke("none")), [404, "DeviceNotFound", 404001]);
    assert.deepEqual(nested(await all.invoke("off")), [404, "DeviceNotFound", 404001]);
    assert.deepEqual(nested(await all.invoke("d/modules/none")), [404, "ModuleNotFound", 404010]);
    assert.deepEqual(nested(await all.invoke("d")), offline);
    all.hub.device("d").connect();
    assert.deepEqual(nested(await all.invoke("d")), offline);
    all.hub.device("d").onMethod(() => ({ status: 200 }));
    all.hub.device("d").disconnect();
    assert.deepEqual(nested(await all.invoke("d")), offline);
    const answer = await all.rest.call("POST", "/twins/d/methods", {}, { authorization: null });
    assert.deepEqual(nested(answer), [401, "IotHubUnauthorizedAccess", 401002]);
  });

  const REFUSED: [what: string, body: Json, expected: unknown[]][] = [
    ["no name", { methodName: "" }, [400, "ArgumentInvalid", 400004]],
    ["a name that is no string", { methodName: 1 }, [400, "ArgumentInvalid", 400004]],
    ["a response time-out of 4", { responseTimeoutInSeconds: 4 }, [400, "ArgumentInvalid", 400004]],
    ["a response time-out of 301", { responseTimeoutInSeconds: 301 }, [400, "ArgumentInvalid", 400004]],
    ["a response time-out that is no number", { responseTimeoutInSeconds: "five" }, [400, "ArgumentInvalid", 400004]],
    ["a connect time-out of -1", { connectTimeoutInSeconds: -1 }, [400, "ArgumentInvalid", 400004]],
    ["a connect time-out of 301", { connectTimeoutInSeconds: 301 }, [400, "ArgumentInvalid", 400004]],
    ["a connect time-out over the response time-out", { connectTimeoutInSeconds: 31 }, [
      400,
      "ArgumentInvalid",
      400004,
    ]],
    ["a payload over 128 KB", { payload: "x".repeat(128 * 1024) }, [413, "MessageTooLarge", 413001]],
  ];
  for (const [what, body, expected] of REFUSED) {
    test(`with ${what} is refused before it reaches the device`, async () => {
      await using all = await setup();
      all.hub.device("d").onMethod(() => assert.fail("must not be called"));
      assert.deepEqual(nested(await all.invoke("d", body)), expected);
    });
  }

  test("may have 128 KB of payload, and the answer no more", async () => {
    await using all = await setup();
    const payload = "x".repeat(128 * 1024 - 2);
    all.hub.device("d").onMethod((payload) => ({ status: 200, payload }));
    assert.equal((await all.invoke("d", { payload })).body.payload, payload);
    all.hub.device("d").onMethod(() => ({ status: 200, payload: `${payload}x` }));
    assert.deepEqual(nested(await all.invoke("d")), [413, "MessageTooLarge", 413001]);
  });

  test("waits within the connect time-out for a device that connects and takes methods", async () => {
    await using all = await setup();
    const device = all.hub.device("d");
    const answer = all.invoke("d", { connectTimeoutInSeconds: 20 });
    await all.rest.do("GET", "/devices");
    device.connect();
    device.onMethod("m", () => ({ status: 200, payload: "late" }));
    assert.deepEqual((await answer).body, { status: 200, payload: "late" });
  });

  test("ends with DeviceNotOnline when the connect time-out is over, and with GatewayTimeout when no answer comes", async () => {
    await using all = await setup();
    using time = new MockedTime();
    const ended: string[] = [];
    const waiting = all.invoke("d/modules/m", { connectTimeoutInSeconds: 1 });
    all.hub.device("d").onMethod(() => new Promise<never>(() => {}));
    const stuck = all.invoke("d", { responseTimeoutInSeconds: 5 });
    void waiting.then(() => ended.push("waiting"));
    void stuck.then(() => ended.push("stuck"));
    for (
      const [milliseconds, expected] of [
        [999, []],
        [1, ["waiting"]],
        [3999, ["waiting"]],
        [1, ["waiting", "stuck"]],
      ] as const
    ) {
      await settled();
      time.pass(milliseconds);
      await settled();
      assert.deepEqual(ended, expected);
    }
    assert.deepEqual(nested(await waiting), [404, "DeviceNotOnline", 404103]);
    assert.deepEqual(nested(await stuck), [504, "GatewayTimeout", 504101]);
  });

  test("ends when the device leaves, is disabled or deleted during the call", async () => {
    const leave: ((all: Setup) => unknown)[] = [
      ({ hub }) => hub.device("d").disconnect(),
      ({ rest }) => rest.do("PUT", "/devices/d", { status: "disabled" }, ANY),
      ({ rest }) => rest.do("DELETE", "/devices/d", undefined, ANY),
    ];
    for (const act of leave) {
      await using all = await setup();
      const called = new Promise<void>((resolve) => {
        all.hub.device("d").onMethod(() => {
          resolve();
          return new Promise<never>(() => {});
        });
      });
      const answer = all.invoke("d");
      await called;
      await act(all);
      assert.deepEqual(nested(await answer), [404, "DeviceNotOnline", 404103]);
    }
  });

  test("ends with the reason of an abort, and with 503 when the hub closes", async () => {
    const all = await setup();
    const aborter = new AbortController();
    const aborted = all.invoke("d", { connectTimeoutInSeconds: 20 }, aborter.signal);
    const closed = all.invoke("d", { connectTimeoutInSeconds: 20 });
    await all.rest.do("GET", "/devices");
    aborter.abort(new Error("enough"));
    await assert.rejects(aborted, { message: "enough" });
    await all.hub.close();
    assert.deepEqual(nested(await closed), [503, "ServiceUnavailable", 503001]);
    await assert.rejects(all.invoke("d"), TypeError);
    await all.hub.close();
  });
});

/** Waits until what Web Crypto does elsewhere, and what follows it, is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
