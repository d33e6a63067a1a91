import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { inspect } from "node:util";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { MockedTime } from "../support/mocked_time.ts";

const CONNECTION_STRING = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${
  btoa("planted-secret-planted-secret-01")
}`;

/** A loopback server that lives as long as the test; the origin to call it by. */
async function serve(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A promise to be settled from outside. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open };
}

/** The two ways to the wire: the runtime's own means, and a fetch that was handed in. */
const WIRES: [string, ClientOptions][] = [
  ["the runtime's own transport", { retryOptions: { maxRetries: 0 } }],
  ["an injected fetch", { fetch: (url, init) => fetch(url, init), retryOptions: { maxRetries: 0 } }],
];

for (const [what, wire] of WIRES) {
  describe(`over ${what}`, () => {
    test("requests and answers pass unharmed, non-ASCII in chunks of one byte too", async (t) => {
      const twin = { deviceId: "d", tags: { ort: "Köln 🌡", "レ": ["\u2028", null, 1e300] } };
      let received = "";
      const endpoint = await serve(t, (request, response) => {
        request.setEncoding("utf8").on("data", (chunk) => received += chunk).on("end", () => {
          response.writeHead(200, { "Content-Type": "application/json; charset=utf-8" });
          for (const byte of Buffer.from(JSON.stringify(twin))) response.write(Buffer.of(byte));
          response.end();
        });
      });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      assert.deepEqual(await registry.updateTwin("d", twin), twin);
      assert.deepEqual(JSON.parse(received), twin);
    });

    test("a call ends with Timeout when its time is up, and the connection is given back", async (t) => {
      using time = new MockedTime();
      const arrived = gate();
      const hungUp = gate();
      const endpoint = await serve(t, (request) => {
        request.socket.on("close", hungUp.open);
        arrived.open();
      });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      const ended = assert.rejects(registry.getTwin("d", { timeoutInMs: 5_000 }), (error: Error) => {
        assert.equal((error as { code?: string }).code, "Timeout");
        assert.match(error.message, /within 5000 ms/);
        return true;
      });
      await arrived.opened;
      time.pass(5_000);
      await ended;
      await hungUp.opened;
    });

    test("a call ends with Timeout when the body stops in the middle", async (t) => {
      using time = new MockedTime();
      const stopped = gate();
      const endpoint = await serve(t, (_request, response) => {
        response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
        response.write('{"deviceId":', stopped.open);
      });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
        endpoint,
        timeoutInMs: 5_000,
        ...wire,
      });
      const ended = assert.rejects(registry.getTwin("d"), { code: "Timeout" });
      await stopped.opened;
      // By then the first half has come.
      await time.passInSteps(4_900, 490);
      time.pass(100);
      await ended;
    });

    test("an aborted call rejects with the signal's reason", async (t) => {
      const arrived = gate();
      const endpoint = await serve(t, () => arrived.open());
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      const reason = new Error("No longer needed");
      const controller = new AbortController();
      const call = registry.getTwin("d", { abortSignal: controller.signal });
      await arrived.opened;
      controller.abort(reason);
      await assert.rejects(call, (error) => error === reason);
      await assert.rejects(registry.getTwin("d", { abortSignal: controller.signal }), (error) => error === reason);
    });

    test("a broken connection is a NetworkError, before and in the middle of the body", async (t) => {
      const endpoint = await serve(t, (request, response) => {
        if (request.url!.startsWith("/twins/")) return void request.socket.destroy();
        response.writeHead(200, { "Content-Length": "100" });
        response.write("{", () => request.socket.destroy());
      });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      await assert.rejects(registry.getTwin("d"), { code: "NetworkError", operation: "getTwin", retryable: true });
      await assert.rejects(registry.getDevice("d"), { code: "NetworkError", operation: "getDevice" });
    });

    test("a refused connection is a NetworkError", async () => {
      const closed = createServer();
      await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
      const { port } = closed.address() as AddressInfo;
      await new Promise((resolve) => closed.close(resolve));
      const endpoint = `http://127.0.0.1:${port}`;
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      await assert.rejects(registry.getTwin("d"), { code: "NetworkError" });
    });

    test("a redirect is not followed", async (t) => {
      const paths: string[] = [];
      const endpoint = await serve(t, (request, response) => {
        paths.push(request.url!);
        response.writeHead(302, { Location: "/elsewhere" }).end();
      });
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      await assert.rejects(registry.getTwin("d"), { code: "UnexpectedRedirect" });
      assert.deepEqual(paths, ["/twins/d?api-version=2021-04-12"]);
    });

    test("close() ends the calls under way, and later ones are refused", async (t) => {
      const arrived = gate();
      const endpoint = await serve(t, () => arrived.open());
      const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint, ...wire });
      const call = registry.getTwin("d");
      await arrived.opened;
      await Promise.all([registry.close(), assert.rejects(call, { code: "Closed", operation: "getTwin" })]);
      await registry.close();
      await assert.rejects(registry.getDevice("d"), { code: "Closed", operation: "getDevice" });
    });
  });
}

test("the runtime's own transport keeps connections", async (t) => {
  const sockets = new Set<unknown>();
  const endpoint = await serve(t, (request, response) => {
    sockets.add(request.socket);
    response.end("{}");
  });
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint });
  for (let call = 0; call < 10; call++) await registry.getTwin("d");
  assert.equal(sockets.size, 1);
});

test("a time-out covers a credential that gives no token", async () => {
  const credential = { getToken: () => new Promise<never>(() => {}) };
  await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", credential, {
    fetch: () => assert.fail("a request was made"),
  });
  await assert.rejects(registry.getTwin("d", { timeoutInMs: 30 }), { code: "Timeout" });
  const reason = new Error("No longer needed");
  const controller = new AbortController();
  const call = registry.getTwin("d", { abortSignal: controller.signal });
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
});

test("a time-out covers a fetch that ignores its signal", async () => {
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    fetch: () => new Promise<never>(() => {}),
  });
  await assert.rejects(registry.getTwin("d", { timeoutInMs: 30 }), { code: "Timeout" });
});

test("a direct method may take its own time-outs, whatever the manager's is", async () => {
  using time = new MockedTime();
  const sent = Promise.withResolvers<AbortSignal>();
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    timeoutInMs: 1000,
    fetch(_url, init) {
      const signal = init!.signal!;
      sent.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const request = { methodName: "m", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 60 };
  const call = registry.invokeDeviceMethod("d", request).catch((error) => error);
  const signal = await sent.promise;
  time.pass(360_000);
  assert.equal(signal.aborted, false, "still waiting when the hub's own time is up");
  time.pass(15_000);
  assert.equal((await call).code, "Timeout");
});

test("no part of a manager shows a secret", async () => {
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    fetch: () => Promise.resolve(new Response("{}")),
  });
  await registry.getTwin("d");
  for (const text of [inspect(registry, { depth: 10, showHidden: true }), JSON.stringify(registry), String(registry)]) {
    assert.ok(!text.includes("SharedAccess") && !text.includes(btoa("planted-secret")), text);
  }
});
