import assert from "node:assert/strict";
import { test } from "node:test";
import { trace } from "@opentelemetry/api";
import { inspect } from "node:util";
import { type ClientOptions, IoTHubRegistryManager, type TokenCredential } from "../../mod.ts";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

type Kind = typeof TypeError | typeof RangeError;

const FACTORIES = { mod: IoTHubRegistryManager, http: HttpRegistryManager };
const CREDENTIAL: TokenCredential = { getToken: () => Promise.resolve(null) };

/** Planted where a key can stand; no piece of it may come back in an error. */
const KEY = "cGxhbnRlZEtleVRoYXRNdXN0Tm90U2hvdw==";
const PIECES = Array.from({ length: KEY.length - 7 }, (_, index) => KEY.slice(index, index + 8));

const HOST = "HostName=myhub.azure-devices.net";
const POLICY = "SharedAccessKeyName=service";

const BAD_CONNECTION_STRINGS: readonly [connectionString: unknown, kind: Kind, says: RegExp][] = [
  [undefined, TypeError, /must be a string, got undefined/],
  [null, TypeError, /must be a string, got null/],
  [{}, TypeError, /must be a string, got an object/],
  ["", TypeError, /part 1 of 1 is not one of hostName, sharedAccessKeyName, /],
  [KEY, TypeError, /part 1 of 1/],
  [`${POLICY};SharedAccessKey=${KEY}`, TypeError, /HostName is missing/],
  [`${HOST};SharedAccessKey=${KEY}`, TypeError, /SharedAccessKeyName or DeviceId is missing/],
  [
    `${HOST};${POLICY}`,
    TypeError,
    /it has 0 of SharedAccessKey, SharedAccessSignature and x509 instead of one/,
  ],
  [`HostName=;${POLICY};SharedAccessKey=${KEY}`, TypeError, /hostName has no value/],
  [`${HOST};SharedAccessKeyName=;SharedAccessKey=${KEY}`, TypeError, /sharedAccessKeyName has no value/],
  [`${HOST};${POLICY};SharedAccessKey=`, TypeError, /sharedAccessKey has no value/],
  [`${HOST};${POLICY};SharedAccessKey=${KEY};SharedAccessKey=${KEY}`, TypeError, /sharedAccessKey appears twice/],
  [`${HOST};${HOST};${POLICY};SharedAccessKey=${KEY}`, TypeError, /hostName appears twice/],
  [`${HOST};${POLICY};SharedAccessKey=${KEY};SharedAccessSignature=${KEY}`, RangeError, /SharedAccessSignature/],
  [
    `${HOST};${POLICY};SharedAccessKey=${KEY};x509=true`,
    TypeError,
    /it has 2 of SharedAccessKey, SharedAccessSignature and x509 instead of one/,
  ],
  [
    `${HOST};${POLICY};AccountKey=${KEY}`,
    TypeError,
    /part 3 of 3 is not one of hostName, sharedAccessKeyName, /,
  ],
  [`${HOST};${POLICY};${KEY}`, TypeError, /part 3 of 3/],
  [`${HOST};;${POLICY};SharedAccessKey=${KEY}`, TypeError, /part 2 of 4/],
  [`${HOST},${POLICY},SharedAccessKey=${KEY}`, RangeError, /host name/],
  [`HostName=https://myhub.azure-devices.net;${POLICY};SharedAccessKey=${KEY}`, RangeError, /host name/],
  ...["", "x", "-1", "65536", "44 3", "443:443", "443/devices"].map((port): [string, Kind, RegExp] => [
    `HostName=myhub.azure-devices.net:${port};${POLICY};SharedAccessKey=${KEY}`,
    RangeError,
    /host name/,
  ]),
  [`HostName=user@myhub.azure-devices.net;${POLICY};SharedAccessKey=${KEY}`, RangeError, /host name/],
  [`HostName=my hub;${POLICY};SharedAccessKey=${KEY}`, RangeError, /host name/],
  [`HostName=1.2.3.456;${POLICY};SharedAccessKey=${KEY}`, RangeError, /host name/],
  [`${HOST};SharedAccessKeyName=ser vice;SharedAccessKey=${KEY}`, RangeError, /policy name/],
  [`${HOST};SharedAccessKeyName=a&sr=b;SharedAccessKey=${KEY}`, RangeError, /policy name/],
  [`${HOST};${POLICY};SharedAccessKey=-${KEY}`, RangeError, /SharedAccessKey: it must be base64/],
  [`${HOST};${POLICY};SharedAccessKey=${KEY} ${KEY}`, RangeError, /SharedAccessKey: it must be base64/],
  [`${HOST};DeviceId=d1;SharedAccessKey=${KEY}`, TypeError, /it is for a device/],
  [`${HOST};ModuleId=m1;${POLICY};SharedAccessKey=${KEY}`, TypeError, /ModuleId needs a DeviceId/],
];

const BAD_URLS: readonly [url: unknown, kind: Kind][] = [
  [undefined, TypeError],
  [null, TypeError],
  [{}, TypeError],
  [new URL("https://myhub.azure-devices.net"), TypeError],
  ["", RangeError],
  ["https://", RangeError],
  ["http://myhub.azure-devices.net", RangeError],
  ["amqps://myhub.azure-devices.net", RangeError],
  ["https://myhub.azure-devices.net/devices", RangeError],
  ["https://myhub.azure-devices.net?x=1", RangeError],
  ["https://myhub.azure-devices.net#x", RangeError],
  ["myhub.azure-devices.net:", RangeError],
  ["https://myhub.azure-devices.net:65536", RangeError],
  ["user:password@myhub.azure-devices.net", RangeError],
  ["//myhub.azure-devices.net", RangeError],
  ["my hub", RangeError],
  ["mÿhub.azure-devices.net", RangeError],
  ["myhub.azure-devices.net\n", RangeError],
  ["999.1.1.1", RangeError],
];

const BAD_CREDENTIALS: readonly unknown[] = [undefined, null, "token", {}, { getToken: "token" }, () => {}];

const GOOD_OPTIONS: readonly ClientOptions[] = [
  { fetch: undefined, endpoint: undefined, timeoutInMs: undefined, retryOptions: undefined, limits: undefined },
  ...["http://localhost", "HTTPS://localhost:8443/", "https://[::1]:8443"].map((endpoint) => ({ endpoint })),
  ...["amqp://localhost", "amqps://localhost:5671/", "AMQPS://[::1]"].map((amqpEndpoint) => ({ amqpEndpoint })),
  ...["ws://localhost", "wss://localhost/$iothub/websocket?x=1"].map((amqpEndpoint) => ({ amqpEndpoint })),
  { amqpEndpoint: () => Promise.resolve("amqps://localhost") },
  { fetch, tls: { ca: "pem" }, proxy: "http://bob:p%40ss@proxy.example:8080" },
  { fetch, tls: { ca: ["pem", "pem"] }, proxy: "https://proxy.example/", limits: { maxSockets: Infinity } },
  { onEvent: () => {}, tracer: trace.getTracer("tests"), propagateTrace: true },
  { transportType: "AmqpOverWebSocket", tls: {}, userAgentPrefix: "", sasTokenTtlInSeconds: 0.5 },
];

const BAD_OPTIONS: readonly [options: unknown, kind: Kind, named: string][] = [
  [null, TypeError, "options"],
  ["https://localhost", TypeError, "options"],
  [{ fetch: "fetch" }, TypeError, "fetch"],
  [{ fetch: null }, TypeError, "fetch"],
  [{ endpoint: 5 }, TypeError, "endpoint"],
  [{ endpoint: "" }, RangeError, "endpoint"],
  [{ endpoint: "localhost" }, RangeError, "endpoint"],
  [{ endpoint: "localhost:8443" }, RangeError, "endpoint"],
  [{ endpoint: "ftp://localhost" }, RangeError, "endpoint"],
  [{ endpoint: "https://user:password@localhost" }, RangeError, "endpoint"],
  [{ endpoint: "https://localhost/path" }, RangeError, "endpoint"],
  [{ endpoint: "https://localhost/?query=1" }, RangeError, "endpoint"],
  [{ endpoint: "https://localhost/#fragment" }, RangeError, "endpoint"],
  [{ amqpEndpoint: 5 }, TypeError, "amqpEndpoint"],
  [{ amqpEndpoint: "https://localhost" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "localhost:5671" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "amqps:localhost" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "amqps://user:password@localhost" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "amqps://localhost/path" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "amqp://localhost?query=1" }, RangeError, "amqpEndpoint"],
  [{ amqpEndpoint: "wss://user:password@localhost/path" }, RangeError, "amqpEndpoint"],
  [{ transportType: "amqp" }, RangeError, "transportType"],
  [{ transportType: "Mqtt" }, RangeError, "transportType"],
  [{ transportType: null }, RangeError, "transportType"],
  [{ tls: "pem" }, TypeError, "tls"],
  [{ tls: null }, TypeError, "tls"],
  [{ tls: { ca: 5 } }, TypeError, "tls.ca"],
  [{ tls: { ca: ["pem", undefined] } }, TypeError, "tls.ca"],
  [{ proxy: 5 }, TypeError, "proxy"],
  [{ proxy: "" }, RangeError, "proxy"],
  [{ proxy: "proxy.example:8080" }, RangeError, "proxy"],
  [{ proxy: "socks5://user:password@proxy.example" }, RangeError, "proxy"],
  [{ proxy: "http://user:password@proxy.example/path" }, RangeError, "proxy"],
  [{ timeoutInMs: 0 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: -1 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: NaN }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: 2 ** 31 }, RangeError, "timeoutInMs"],
  [{ timeoutInMs: "5" }, TypeError, "timeoutInMs"],
  [{ attemptTimeoutInMs: 0 }, RangeError, "attemptTimeoutInMs"],
  [{ attemptTimeoutInMs: "5" }, TypeError, "attemptTimeoutInMs"],
  [{ retryOptions: null }, TypeError, "retryOptions"],
  [{ retryOptions: { maxRetries: 1.5 } }, RangeError, "retryOptions.maxRetries 1.5"],
  [{ retryOptions: { retryDelayInMs: -1 } }, RangeError, "retryOptions.retryDelayInMs -1"],
  [{ retryOptions: { maxRetryDelayInMs: "5" } }, TypeError, "retryOptions.maxRetryDelayInMs"],
  [{ limits: null }, TypeError, "limits"],
  [{ limits: { maxSockets: 0 } }, RangeError, "limits.maxSockets 0"],
  [{ limits: { maxSockets: "5" } }, TypeError, "limits.maxSockets"],
  [{ sasTokenTtlInSeconds: 0 }, RangeError, "sasTokenTtlInSeconds"],
  [{ sasTokenTtlInSeconds: -1 }, RangeError, "sasTokenTtlInSeconds"],
  [{ sasTokenTtlInSeconds: NaN }, RangeError, "sasTokenTtlInSeconds"],
  [{ sasTokenTtlInSeconds: Infinity }, RangeError, "sasTokenTtlInSeconds"],
  [{ sasTokenTtlInSeconds: "3600" }, TypeError, "sasTokenTtlInSeconds"],
  [{ tokenScope: 5 }, TypeError, "tokenScope"],
  [{ userAgentPrefix: 5 }, TypeError, "userAgentPrefix"],
  [{ userAgentPrefix: "a\r\nX-Injected: 1" }, RangeError, "userAgentPrefix"],
  [{ userAgentPrefix: "Zürich" }, RangeError, "userAgentPrefix"],
  [{ onEvent: "console.debug" }, TypeError, "onEvent"],
  [{ tracer: null }, TypeError, "tracer"],
  [{ tracer: { startSpan() {} } }, TypeError, "tracer.startActiveSpan"],
  [{ propagateTrace: "yes" }, TypeError, "propagateTrace"],
];

for (const [entry, Manager] of Object.entries(FACTORIES)) {
  test(`fromConnectionString of ${entry} throws at once on every string that is none, and shows no key`, () => {
    for (const [connectionString, kind, says] of BAD_CONNECTION_STRINGS) {
      const error = thrown(() => Manager.fromConnectionString(connectionString as string));
      assert.equal(error.constructor, kind, `${error}`);
      assert.match(error.message, says);
      const shown = `${error.message}\n${error.stack}\n${inspect(error, { depth: 10, showHidden: true })}`;
      assert.deepEqual(PIECES.filter((piece) => shown.includes(piece)), [], "the error shows a piece of the key");
    }
  });

  test(`fromTokenCredential of ${entry} throws at once on every url that is no hub's`, () => {
    for (const [url, kind] of BAD_URLS) {
      const error = thrown(() => Manager.fromTokenCredential(url as string, CREDENTIAL));
      assert.equal(error.constructor, kind, `${inspect(url)}: ${error}`);
      assert.match(error.message, /^Cannot use (url|the host name)/);
    }
  });

  test(`fromTokenCredential of ${entry} throws at once on every credential that is none`, () => {
    for (const credential of BAD_CREDENTIALS) {
      const error = thrown(() => Manager.fromTokenCredential("myhub.azure-devices.net", credential as TokenCredential));
      assert.equal(error.constructor, TypeError);
      assert.match(error.message, /^Cannot use credential/);
    }
  });

  test(`both factories of ${entry} throw at once on every option that is none`, () => {
    for (const [options, kind, named] of BAD_OPTIONS) {
      for (
        const make of [
          () => Manager.fromConnectionString(CONNECTION_STRING, options as ClientOptions),
          () => Manager.fromTokenCredential("myhub.azure-devices.net", CREDENTIAL, options as ClientOptions),
        ]
      ) {
        const error = thrown(make);
        assert.equal(error.constructor, kind, `${inspect(options)}: ${error}`);
        assert.ok(error.message.startsWith(`Cannot use ${named}`), error.message);
        assert.doesNotMatch(error.message, /password/);
      }
    }
  });

  test(`both factories of ${entry} take every option that is one`, async () => {
    for (const options of GOOD_OPTIONS) {
      await using _policy = Manager.fromConnectionString(CONNECTION_STRING, options);
      await using _identity = Manager.fromTokenCredential("myhub.azure-devices.net", CREDENTIAL, options);
    }
  });

  test(`a manager of ${entry} shows no key when it is printed`, async () => {
    await using registry = Manager.fromConnectionString(`${HOST};${POLICY};SharedAccessKey=${KEY}`);
    const shown = inspect(registry, { depth: 10, showHidden: true }) + JSON.stringify(registry);
    assert.deepEqual(PIECES.filter((piece) => shown.includes(piece)), []);
  });
}

/** The address that a manager calls, and the token that it shows. */
async function requestOf(make: (options: ClientOptions) => IoTHubRegistryManager): Promise<[string, string | null]> {
  const requests: [string, string | null][] = [];
  await using registry = make({
    fetch: (url, init) => {
      requests.push([url, new Headers(init?.headers).get("authorization")]);
      return Promise.resolve(Response.json({ deviceId: "d1" }));
    },
  });
  await registry.getTwin("d1");
  assert.equal(requests.length, 1);
  return requests[0]!;
}

test("a hub's address may be written as a host name or as a URL, with a port or without", async () => {
  const credential = { getToken: () => Promise.resolve({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const addresses = ["myhub.azure-devices.net", "https://myhub.azure-devices.net", "HTTPS://myhub.azure-devices.net/"];
  const cases = [
    ...[...addresses, "myhub.azure-devices.net:443"].map((url) => [url, "https://myhub.azure-devices.net"]),
    ...["localhost:8443", "https://localhost:8443/"].map((url) => [url, "https://localhost:8443"]),
    ["127.0.0.1:1", "https://127.0.0.1:1"],
  ];
  for (const [url, origin] of cases) {
    const [called] = await requestOf((options) => IoTHubRegistryManager.fromTokenCredential(url!, credential, options));
    assert.equal(called, `${origin}/twins/d1?api-version=2021-04-12`);
  }
});

test("a connection string's host name may have a port, which the token names too", async () => {
  const text = `HostName=localhost:8443;${POLICY};SharedAccessKey=${KEY}`;
  const [called, authorization] = await requestOf((options) =>
    IoTHubRegistryManager.fromConnectionString(text, options)
  );
  assert.equal(called, "https://localhost:8443/twins/d1?api-version=2021-04-12");
  assert.match(authorization!, /^SharedAccessSignature sr=localhost%3A8443&/);
});

function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  throw new assert.AssertionError({ message: `${call} did not throw` });
}
