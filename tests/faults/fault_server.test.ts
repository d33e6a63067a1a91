import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { type FaultRequest, FaultServer, httpAnswer } from "../support/fault_server.ts";
import { LiveTimers } from "../support/live_timers.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const GOOD = httpAnswer(200, '{"status":200,"payload":"done"}');
const METHOD = { methodName: "reboot" };

/** The managers of both entries: on Node each has its own way to the wire. */
const ENTRIES = { ".": IoTHubRegistryManager, "/http": HttpRegistryManager };

/** A manager that reaches a server by the runtime's own means. */
function connect(
  endpoint: string,
  options: ClientOptions = {},
  entry: keyof typeof ENTRIES = ".",
): HttpRegistryManager {
  return ENTRIES[entry].fromConnectionString(CONNECTION_STRING, {
    endpoint,
    timeoutInMs: 10_000,
    retryOptions: { retryDelayInMs: 1 },
    ...options,
  });
}

/** A server that does something wrong with the first requests, and answers the others. */
async function failing(times: number, fail: (request: FaultRequest) => void): Promise<FaultServer> {
  return await FaultServer.listen((request) => {
    if (request.index < times) fail(request);
    else request.socket.write(GOOD);
  });
}

/** A call that must not run twice. */
function invoke(registry: HttpRegistryManager, timeoutInMs: number = 10_000): Promise<unknown> {
  return registry.invokeDeviceMethod("d", METHOD, { timeoutInMs });
}

const BREAKS: readonly [string, (request: FaultRequest) => void][] = [
  ["closes the connection before the answer", ({ socket }) => socket.destroy()],
  ["resets the connection before the answer", ({ socket }) => socket.resetAndDestroy()],
  [
    "closes the connection in the middle of the head",
    ({ socket }) => socket.write(GOOD.slice(0, 30), () => socket.destroy()),
  ],
  [
    "closes the connection in the middle of the body",
    ({ socket }) => socket.write(GOOD.slice(0, -5), () => socket.destroy()),
  ],
  [
    "closes the connection in the middle of a body in chunks",
    ({ socket }) => {
      const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.write(`${head}5\r\n{"a":\r\n`, () => socket.destroy());
    },
  ],
  [
    "says something that is no HTTP",
    ({ socket }) => socket.write("SSH-2.0-OpenSSH_9.9\r\n\r\n", () => socket.destroy()),
  ],
];

for (const entry of [".", "/http"] as const) {
  for (const [what, fail] of BREAKS) {
    describe(`with the entry ${entry}, when the server ${what}`, () => {
      test("a read and an update are made again, a direct method and a bulk request are not", async () => {
        await using server = await failing(2, ({ index, ...request }) => fail({ ...request, index }));
        await using registry = connect(server.endpoint, {}, entry);
        assert.deepEqual(await registry.getTwin("d"), { status: 200, payload: "done" });
        assert.equal(server.requests.length, 3);

        await using updated = await failing(2, fail);
        await using updating = connect(updated.endpoint, {}, entry);
        await updating.updateTwin("d", { tags: { site: "berlin" } });
        assert.deepEqual(updated.requests.map(({ body }) => body), Array(3).fill('{"tags":{"site":"berlin"}}'));

        for (const call of [invoke, (r: HttpRegistryManager) => r.bulkCreateOrUpdateDevices([{ id: "d" }])]) {
          await using once = await failing(1, fail);
          await using calling = connect(once.endpoint, {}, entry);
          await assert.rejects(call(calling), {
            code: "NetworkError",
            retryable: false,
            message: /connection to myhub\.azure-devices\.net failed .* may still have been carried out$/s,
          });
          assert.equal(once.requests.length, 1);
        }
      });

      test("a direct method reaches it once, also on a connection that served before", async () => {
        await using server = await FaultServer.listen((request) => {
          if (request.index === 0) request.socket.write(GOOD);
          else fail(request);
        });
        await using registry = connect(server.endpoint, {}, entry);
        await invoke(registry);
        await assert.rejects(invoke(registry), { code: "NetworkError", operation: "invokeDeviceMethod" });
        assert.equal(server.requests.length, 2);
        // Node's fetch likes to open another one.
        if (entry === ".") assert.deepEqual(server.requests.map(({ connection }) => connection), [0, 0]);
      });
    });
  }
}

describe("when nobody listens", () => {
  for (
    const [name, call] of [["a read", (r: HttpRegistryManager) => r.getTwin("d")], [
      "a direct method",
      invoke,
    ]] as const
  ) {
    test(`${name} is made again until somebody does`, async () => {
      await using server = await FaultServer.listen(({ socket }) => socket.write(GOOD));
      const { endpoint, port } = server;
      await server[Symbol.asyncDispose]();
      let onBackOff = (): void => {};
      const backsOff = new Promise<void>((resolve) => onBackOff = resolve);
      using _timers = new LiveTimers((delayInMs) => {
        if (delayInMs < 1000) onBackOff();
        return false;
      });
      await using registry = connect(endpoint, {
        retryOptions: { maxRetries: 1_000, retryDelayInMs: 50, maxRetryDelayInMs: 100 },
      });
      const result = call(registry);
      await backsOff;
      await server.listen(port);
      assert.deepEqual(await result, { status: 200, payload: "done" });
      assert.equal(server.requests.length, 1);
    });

    test(`${name} fails in the end`, async () => {
      const server = await FaultServer.listen(() => {});
      const { endpoint } = server;
      await server[Symbol.asyncDispose]();
      await using registry = connect(endpoint);
      await assert.rejects(call(registry), { code: "NetworkError", retryable: true });
    });
  }
});

const STALLS: readonly [string, (request: FaultRequest) => void][] = [
  ["before the answer", () => {}],
  ["in the middle of the head", ({ socket }) => socket.write(GOOD.slice(0, 30))],
  ["in the middle of the body", ({ socket }) => socket.write(GOOD.slice(0, -5))],
];

for (const [where, stall] of STALLS) {
  describe(`when the server stops ${where}`, () => {
    test("a read is given up after its attempt's time and made again", async () => {
      using time = new MockedTime();
      const stalled = Promise.withResolvers<void>();
      await using server = await failing(1, (request) => (stall(request), stalled.resolve()));
      await using registry = connect(server.endpoint, { attemptTimeoutInMs: 5_000 });
      const read = registry.getTwin("d");
      await stalled.promise;
      await time.passInSteps(4_900, 490);
      assert.equal(server.requests.length, 1);
      time.pass(100);
      assert.deepEqual(await time.settle(read), { status: 200, payload: "done" });
      assert.deepEqual(server.requests.map(({ connection }) => connection), [0, 1], "on another connection");
    });

    test("a direct method waits all its time, and is not made again", async () => {
      using time = new MockedTime();
      const stalled = Promise.withResolvers<void>();
      await using server = await failing(1, (request) => (stall(request), stalled.resolve()));
      await using registry = connect(server.endpoint, { attemptTimeoutInMs: 500 });
      let hasEnded = false;
      const ended = assert.rejects(
        invoke(registry, 5_000).finally(() => hasEnded = true),
        { code: "Timeout", retryable: false, message: /no answer .* may still have been carried out$/ },
      );
      await stalled.promise;
      await time.passInSteps(4_900, 490);
      assert.equal(hasEnded, false);
      time.pass(100);
      await ended;
      assert.equal(server.requests.length, 1);
    });
  });
}

describe("when the server answers with", () => {
  const answers: readonly [string, string, "works" | "InvalidResponse"][] = [
    ["JSON as text/plain", httpAnswer(200, '{"a":"ü"}', { "Content-Type": "text/plain" }), "works"],
    ["JSON as no type at all", 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a":"\u00c3\u00bc"}', "works"],
    ["JSON in a body that ends with the connection", 'HTTP/1.1 200 OK\r\n\r\n{"a":"\u00c3\u00bc"}', "works"],
    [
      "JSON after an interim answer",
      `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${httpAnswer(200, '{"a":"ü"}')}`,
      "works",
    ],
    ["half JSON", httpAnswer(200, '{"a":'), "InvalidResponse"],
    ["a page", httpAnswer(200, "<html>Welcome</html>", { "Content-Type": "text/html" }), "InvalidResponse"],
    ["nothing", httpAnswer(200, ""), "InvalidResponse"],
  ];
  for (const [what, text, outcome] of answers) {
    test(`${what}: ${outcome}`, async () => {
      const isLatin1 = text.includes("\u00c3");
      await using server = await FaultServer.listen(({ socket }) => {
        socket.write(text, isLatin1 ? "latin1" : "utf8");
        if (!/content-length/i.test(text)) socket.end();
      });
      await using registry = connect(server.endpoint);
      for (const call of [registry.getTwin("d"), invoke(registry)]) {
        if (outcome === "works") assert.deepEqual(await call, { a: "ü" });
        else await assert.rejects(call, { code: outcome, retryable: false, statusCode: 200 });
      }
      assert.equal(server.requests.length, 2);
    });
  }

  test("32 MB of devices: all are there", async () => {
    const reason = "é".repeat(16_000);
    await using server = await FaultServer.listen(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let index = 0; index < 1000; index++) {
        const text = `${index === 0 ? "[" : ","}{"deviceId":"d${index}","statusReason":"${reason}"}`;
        socket.write(`${new TextEncoder().encode(text).length.toString(16)}\r\n${text}\r\n`);
      }
      socket.write("1\r\n]\r\n0\r\n\r\n");
    });
    await using registry = connect(server.endpoint);
    const devices = await registry.getDevices();
    assert.equal(devices.length, 1000);
    assert.ok(
      devices.every(({ deviceId, statusReason }, index) => deviceId === `d${index}` && statusReason === reason),
    );
  });

  for (const status of [301, 302, 303, 307, 308]) {
    test(`${status} to another host: nothing goes there`, async () => {
      await using elsewhere = await FaultServer.listen(({ socket }) => socket.write(GOOD));
      await using server = await FaultServer.listen(({ socket, path }) => {
        socket.write(httpAnswer(status, "", { Location: `http://localhost:${elsewhere.port}${path}` }));
      });
      await using registry = connect(server.endpoint);
      const calls = [registry.getTwin("d"), registry.updateTwin("d", {}), registry.deleteDevice("d"), invoke(registry)];
      const refused = { code: "UnexpectedRedirect", statusCode: status };
      await Promise.all(calls.map((call) => assert.rejects(call, refused)));
      assert.equal(server.requests.length, calls.length);
      assert.equal(elsewhere.connections, 0);
    });
  }

  test("a storm of 429, then recovers: every call succeeds, and every method has run once", async () => {
    const ran: string[] = [];
    await using server = await FaultServer.listen(({ socket, path, index }) => {
      // As the hub does: it closes the connection then.
      if (index < 60) {
        const message =
          "ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 0 seconds and try again.";
        socket.end(httpAnswer(429, JSON.stringify({ Message: message }), { Connection: "close" }));
      } else {
        ran.push(path);
        socket.write(GOOD);
      }
    });
    await using registry = connect(server.endpoint, { retryOptions: { maxRetries: 100, retryDelayInMs: 1 } });
    const ids = Array.from({ length: 20 }, (_, number) => `d${number}`);
    await Promise.all(
      ids.map((id, number) => number % 2 ? registry.getTwin(id) : registry.invokeDeviceMethod(id, METHOD)),
    );
    assert.equal(server.requests.length, 60 + ids.length);
    assert.deepEqual(ran.map((path) => path.split(/[/?]/)[2]).sort(), ids.sort());
  });

  test("500 for some time: a read is made again, up to its limit, a direct method is not", async () => {
    const answer = httpAnswer(500, '{"Message":"ErrorCode:ServerError;Oops"}', { "iothub-errorcode": "ServerError" });
    await using server = await failing(4, ({ socket }) => socket.write(answer));
    await using registry = connect(server.endpoint);
    assert.deepEqual(await registry.getTwin("d"), { status: 200, payload: "done" });
    assert.equal(server.requests.length, 5);
    await using broken = await failing(Infinity, ({ socket }) => socket.write(answer));
    await using calling = connect(broken.endpoint);
    await assert.rejects(invoke(calling), { code: "ServerError", statusCode: 500, errorNumber: 500001 });
    assert.equal(broken.requests.length, 1);
    await assert.rejects(calling.getTwin("d"), { code: "ServerError", retryable: true });
    assert.equal(broken.requests.length, 6);
  });
});

describe("when the server closes a connection that nobody uses", () => {
  test("the next call takes another one, be it a direct method", async () => {
    let closed = Promise.resolve();
    await using server = await FaultServer.listen(({ socket }) => {
      closed = new Promise((resolve) => socket.once("close", () => resolve()));
      socket.end(GOOD);
    });
    await using registry = connect(server.endpoint);
    for (let round = 0; round < 5; round++) {
      await registry.getTwin("d");
      await closed;
      await invoke(registry);
      await closed;
    }
    assert.deepEqual(
      server.requests.map(({ connection }) => connection),
      Array.from({ length: 10 }, (_, index) => index),
    );
  });

  test("a read succeeds also if it is made at that very moment", async () => {
    await using server = await FaultServer.listen(({ socket }) => socket.end(GOOD));
    await using registry = connect(server.endpoint, { retryOptions: { retryDelayInMs: 1, maxRetries: 10 } });
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await registry.getTwin("d"), { status: 200, payload: "done" });
    }
    assert.ok(server.connections >= 20);
  });

  test("a direct method that is made at that very moment succeeds or fails, but reaches the server once", async () => {
    await using server = await FaultServer.listen(({ socket }) => socket.end(GOOD));
    await using registry = connect(server.endpoint);
    for (let payload = 0; payload < 20; payload++) {
      const call = registry.invokeDeviceMethod("d", { ...METHOD, payload });
      await call.catch((error) => assert.equal(error.code, "NetworkError"));
    }
    const bodies = server.requests.map(({ body }) => body);
    assert.equal(new Set(bodies).size, bodies.length);
  });
});

describe("when the server sends a second answer that nobody asked for", () => {
  for (const isLate of [false, true]) {
    test(`${isLate ? "after" : "with"} the first one, no call takes it for its own`, async () => {
      let closed = Promise.resolve();
      await using server = await FaultServer.listen(({ socket, index }) => {
        closed = new Promise((resolve) => socket.once("close", () => resolve()));
        const own = httpAnswer(200, `{"own":${index}}`);
        const foreign = httpAnswer(200, '{"own":"no"}');
        if (isLate) socket.write(own, () => setImmediate(() => socket.write(foreign)));
        else socket.write(own + foreign);
      });
      await using registry = connect(server.endpoint);
      for (let index = 0; index < 5; index++) {
        const answer: unknown = await (index % 2 ? registry.getTwin("d") : invoke(registry));
        assert.deepEqual(answer, { own: index });
        await closed;
      }
      assert.equal(server.requests.length, 5);
    });
  }
});
