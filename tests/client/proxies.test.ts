import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import { runtimeName } from "../../lib/values/runtime.ts";
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { ProxyServer } from "../support/proxy_server.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const USER = "bob@example.com";
const PASSWORD = "pass:word/with?signs#&%";
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD), btoa(`${USER}:${PASSWORD}`)];

const IS_NODE = runtimeName() === "Node";
/** Node has proxies since 22.21 and 24.5. */
const HAS_PROXIES = !IS_NODE || process.allowedNodeEnvironmentFlags.has("--use-env-proxy");
const NO_PROXIES = HAS_PROXIES ? false : "this version of Node has no proxies";

/** A hub that can be reached by TLS, with the options that make a client trust it. */
async function listening(): Promise<{ hub: LocalHub; options: ClientOptions; wss: string; http: string }> {
  const hub = new LocalHub();
  const { https, wss, http, certificate } = await hub.listen({ https: 0, http: 0 });
  const endpoint = https!.replace("127.0.0.1", "localhost");
  const options = { endpoint, amqpEndpoint: wss!, tls: { ca: certificate! }, retryOptions: { maxRetries: 2 } };
  return { hub, options, wss: wss!, http: http! };
}

/** Runs a program that makes calls and sends a message, with these variables in its environment. */
async function runUser(hub: LocalHub, options: ClientOptions, variables: Record<string, string>): Promise<string> {
  const program = fileURLToPath(new URL("../support/socket_user.ts", import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
  const HUB = JSON.stringify({ connectionString: hub.connectionString, options });
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...variables, HUB } });
  return stdout.trim();
}

async function failureOf(call: Promise<unknown>): Promise<IoTHubError> {
  const error = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof IoTHubError, inspect(error));
  for (const text of [error.message, inspect(error, { depth: 10, showHidden: true }), JSON.stringify(error)]) {
    assert.deepEqual(SECRETS.filter((secret) => text.includes(secret)), [], text);
  }
  return error;
}

describe("a proxy that the options name", { skip: NO_PROXIES }, () => {
  test("carries HTTP and messages by tunnels, with a name and a password", async () => {
    const { hub, options } = await listening();
    await using _hub = hub;
    await using proxy = await ProxyServer.listen(USER, PASSWORD);
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...options,
      proxy: proxy.url(USER, PASSWORD),
    });
    await registry.createDeviceWithSas("d1");
    await registry.sendC2dMessage("d1", "hello");
    assert.equal((await registry.getDevice("d1")).cloudToDeviceMessageCount, 1);
    const { host } = new URL(options.endpoint!);
    const { host: amqpHost } = new URL(options.amqpEndpoint as string);
    assert.deepEqual([...new Set(proxy.requests.map(({ target }) => target))], [host, amqpHost]);
    assert.ok(proxy.requests.every(({ method }) => method === "CONNECT"));
    const shown = inspect(registry, { depth: 20, showHidden: true }) + JSON.stringify(registry);
    assert.deepEqual(SECRETS.filter((secret) => shown.includes(secret)), []);
  });

  test("carries HTTP without TLS, too", async () => {
    const { hub, http } = await listening();
    await using _hub = hub;
    await using proxy = await ProxyServer.listen(USER, PASSWORD);
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      endpoint: http,
      proxy: proxy.url(USER, PASSWORD),
    });
    await registry.createDeviceWithSas("d1", { statusReason: "é".repeat(100) });
    assert.equal((await registry.getTwin("d1")).deviceId, "d1");
    assert.deepEqual(proxy.requests.map(({ method, target }) => `${method} ${target.split("?")[0]}`), [
      `PUT ${http}/devices/d1`,
      `GET ${http}/twins/d1`,
    ]);
  });

  test("is not the way of a fetch that is given", async () => {
    const { hub, options } = await listening();
    await using _hub = hub;
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...options,
      fetch: hub.clientOptions.fetch,
      proxy: "http://proxy.invalid",
    });
    assert.deepEqual(await registry.getDevices(), []);
  });

  for (const [what, user, password] of [["no name", undefined, ""], ["a wrong password", USER, PASSWORD + "!"]]) {
    test(`and that refuses ${what} is named, with what to do, and is not asked again`, async () => {
      const { hub, options, http } = await listening();
      await using _hub = hub;
      await using proxy = await ProxyServer.listen(USER, PASSWORD);
      for (const endpoint of [options.endpoint!, http]) {
        proxy.requests.length = 0;
        await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
          ...options,
          endpoint,
          proxy: proxy.url(user, password),
        });
        for (
          const call of [() => registry.getTwin("d1"), () => registry.invokeDeviceMethod("d1", { methodName: "m" })]
        ) {
          const error = await failureOf(call());
          assert.equal(error.retryable, false);
          assert.match(error.message, /"d1"/);
          assert.ok(error.message.includes(`http://127.0.0.1:${proxy.port}`), error.message);
          assert.match(error.message, /http:\/\/user:password@host/);
          assert.doesNotMatch(error.message, /carried out/);
        }
        assert.equal(proxy.requests.length, 2);
      }
      proxy.requests.length = 0;
      await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
        ...options,
        proxy: proxy.url(user, password),
      });
      const error = await failureOf(registry.sendC2dMessage("d1", "hello"));
      assert.equal(error.code, "NetworkError");
      assert.ok(error.message.includes(`http://127.0.0.1:${proxy.port}`), error.message);
    });
  }

  test("and that nobody runs is named", async () => {
    const { hub, options } = await listening();
    await using _hub = hub;
    const proxy = await ProxyServer.listen();
    const url = proxy.url(USER, PASSWORD);
    const { port } = proxy;
    await proxy[Symbol.asyncDispose]();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...options,
      proxy: url,
      retryOptions: { maxRetries: 0 },
    });
    for (const call of [() => registry.getTwin("d1"), () => registry.sendC2dMessage("d1", "hello")]) {
      const error = await failureOf(call());
      assert.deepEqual([error.code, error.retryable], ["NetworkError", true]);
      assert.ok(error.message.includes(`proxy http://127.0.0.1:${port}`), error.message);
    }
  });

  test("makes messages use a WebSocket, and refuses TCP", async () => {
    await using proxy = await ProxyServer.listen();
    const connectionString = `HostName=hub.invalid;SharedAccessKeyName=a;SharedAccessKey=${btoa("0123456789abcdef")}`;
    const options: ClientOptions = { proxy: proxy.url(), retryOptions: { maxRetries: 0 } };
    await using registry = IoTHubRegistryManager.fromConnectionString(connectionString, options);
    await failureOf(registry.sendC2dMessage("d1", "hello"));
    // Deno asks a second time, for another version of HTTP.
    const asked = proxy.requests.length;
    assert.ok(asked > 0 && proxy.requests.every(({ target }) => target === "hub.invalid:443"));
    for (const direct of [{ transportType: "Amqp" }, { amqpEndpoint: "amqps://127.0.0.1:1" }] as const) {
      await using registry = IoTHubRegistryManager.fromConnectionString(connectionString, { ...options, ...direct });
      const error = await failureOf(registry.sendC2dMessage("d1", "hello"));
      assert.deepEqual([error.code, error.retryable], ["NetworkError", false]);
      assert.match(error.message, /AmqpOverWebSocket/);
    }
    assert.equal(proxy.requests.length, asked);
  });
});

describe("a proxy that the environment names", { skip: NO_PROXIES }, () => {
  const GREETING = "1 message waits for secure-device";

  for (const over of ["TLS", "plain HTTP"]) {
    test(`is obeyed where the runtime obeys it, over ${over}`, async () => {
      const { hub, options, http } = await listening();
      await using _hub = hub;
      await using proxy = await ProxyServer.listen(USER, PASSWORD);
      const endpoint = over === "TLS" ? options.endpoint! : http;
      const variables = {
        HTTP_PROXY: proxy.url(USER, PASSWORD),
        HTTPS_PROXY: proxy.url(USER, PASSWORD),
        NODE_USE_ENV_PROXY: "1",
        NO_PROXY: "",
        DENO_NO_UPDATE_CHECK: "1",
      };
      assert.equal(await runUser(hub, { ...options, endpoint }, variables), GREETING);
      const { host } = new URL(endpoint);
      assert.ok(proxy.requests.some(({ target }) => target === host || target.startsWith(`${http}/devices/`)));
      // The WebSocket of Bun takes a proxy from the options only.
      const { host: amqpHost } = new URL(options.amqpEndpoint as string);
      assert.equal(proxy.requests.some(({ target }) => target === amqpHost), runtimeName() !== "Bun");
    });
  }

  test("is not used for hosts that the environment excepts, nor by a Node that is not told to", async () => {
    for (const exception of [{ NO_PROXY: "localhost,127.0.0.1" }, { NODE_USE_ENV_PROXY: "0" }]) {
      if ("NODE_USE_ENV_PROXY" in exception && !IS_NODE) continue;
      const { hub, options } = await listening();
      await using _hub = hub;
      await using proxy = await ProxyServer.listen();
      const HTTPS_PROXY = proxy.url();
      const variables = { HTTPS_PROXY, NODE_USE_ENV_PROXY: "1", NO_PROXY: "", DENO_NO_UPDATE_CHECK: "1", ...exception };
      assert.equal(await runUser(hub, options, variables), GREETING);
      assert.deepEqual(proxy.requests, []);
    }
  });

  test("gives way to that of the options", async () => {
    const { hub, options } = await listening();
    await using _hub = hub;
    await using other = await ProxyServer.listen();
    await using proxy = await ProxyServer.listen();
    const HTTPS_PROXY = other.url();
    const variables = { HTTPS_PROXY, NODE_USE_ENV_PROXY: "1", NO_PROXY: "", DENO_NO_UPDATE_CHECK: "1" };
    assert.equal(await runUser(hub, { ...options, proxy: proxy.url() }, variables), GREETING);
    assert.deepEqual(other.requests, []);
    assert.ok(proxy.requests.length >= 2);
  });
});

describe("a runtime that cannot be told of a proxy", () => {
  test("is refused at once where it is a Node without proxies", { skip: HAS_PROXIES }, () => {
    assert.throws(() => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { proxy: "http://p.example" }), {
      name: "TypeError",
      message: /^Cannot use proxy: .*Node 22\.21/,
    });
  });
});
