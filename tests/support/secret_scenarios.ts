import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import {
  type ClientEvent,
  type ClientOptions,
  createSasToken,
  deviceConnectionString,
  IoTHubJobManager,
  IoTHubRegistryManager,
  parseConnectionString,
  type TokenCredential,
} from "../../mod.ts";
import { TestTracer } from "./test_tracer.ts";
import { registerDevices, renewDeviceKeys } from "../../lib/fleet/mod.ts";
import { type BeginRun, exposureOfRun, httpRuns, messageRun } from "./fleet_exposure.ts";
import { MemoryJournal } from "./memory_journal.ts";
import { MockedTime } from "./mocked_time.ts";
import { ProxyServer } from "./proxy_server.ts";
import { type HubScript, type ScriptedHub, startScriptedHub } from "./scripted_hub.ts";

/** What was exposed to a user, and what must not be in it. */
export interface Exposure {
  secrets: string[];
  shown: unknown[];
}

type Fetch = NonNullable<ClientOptions["fetch"]>;

const HOST_NAME = "myhub.azure-devices.net";
const POLICY_KEY = base64("planted policy key, do not show ?>");
const DEVICE_KEYS = {
  primaryKey: base64("planted primary key, do not show"),
  secondaryKey: base64("planted 2nd key, do not show ~~~"),
};
const READY_SIGNATURE = base64("planted ready-made signature ?>");
const READY_TOKEN = `SharedAccessSignature sr=${HOST_NAME}&sig=${
  encodeURIComponent(READY_SIGNATURE)
}&se=4102444800&skn=p`;
const OPAQUE_TOKEN = "planted-opaque-bearer-token~0123456789";
const JSON_WEB_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJwbGFudGVkIjoic2VjcmV0In0.cGxhbnRlZC1zaWduYXR1cmU";
const CONNECTION_STRING = `HostName=${HOST_NAME};SharedAccessKeyName=service;SharedAccessKey=${POLICY_KEY}`;
const CONTAINER_SIGNATURE = base64("planted container signature ?>~");
const CONTAINER = `https://store.example/c?sv=2024-11-04&sig=${encodeURIComponent(CONTAINER_SIGNATURE)}&sp=racwdl`;
const PLANTED = [
  CONTAINER_SIGNATURE,
  POLICY_KEY,
  DEVICE_KEYS.primaryKey,
  DEVICE_KEYS.secondaryKey,
  READY_SIGNATURE,
  OPAQUE_TOKEN,
  JSON_WEB_TOKEN,
];

/** The ways to sign in. */
const SIGN_INS: Record<string, (options: ClientOptions) => IoTHubRegistryManager> = {
  "a policy's key": (options) => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options),
  "a ready-made token": (options) =>
    IoTHubRegistryManager.fromConnectionString(`HostName=${HOST_NAME};SharedAccessSignature=${READY_TOKEN}`, options),
  "a name with its key": (options) =>
    IoTHubRegistryManager.fromTokenCredential(HOST_NAME, { name: "service", key: POLICY_KEY }, options),
  "an opaque bearer token": (options) =>
    IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credentialOf(OPAQUE_TOKEN), options),
  "a JSON web token": (options) =>
    IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credentialOf(JSON_WEB_TOKEN), options),
};

/** Answers and failures that give away what they were sent: `token` is the whole header, `body` the request's. */
const ECHOES: Record<string, (sent: { token: string; body: string }) => Response | Promise<never>> = {
  "a Message": ({ token }) => json(401, { Message: `ErrorCode:IotHubUnauthorized;Unauthorized ${token}` }),
  "a bare token": ({ token }) => json(401, { Message: `The token '${token.split(" ")[1]}' is no good` }),
  "a decoded signature": ({ token }) => json(401, { Message: `Bad signature ${decodeURIComponent(token)}` }),
  "an encoded header": ({ token }) => json(401, { Message: `Authorization%3A%20${encodeURIComponent(token)}` }),
  "a nested body": ({ token, body }) =>
    json(400, { Message: JSON.stringify({ errorCode: 400004, message: `Header: ${token} ${body}` }) }),
  "a doubly nested body": ({ token, body }) =>
    json(400, {
      Message: JSON.stringify({ Message: JSON.stringify({ message: `${token} ${JSON.stringify(body)}` }) }),
    }),
  "a body whose signs are escaped": ({ token, body }) =>
    new Response(
      JSON.stringify({ Message: JSON.stringify({ message: `${token} ${keyIn(body)}` }) })
        .replace(/[+/=&%]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
      { status: 400 },
    ),
  "codes and ids": ({ token }) =>
    json(400, {
      errorCode: token,
      trackingId: token,
      ExceptionMessage: `Tracking ID:${token.split(" ")[1]}`,
      message: "m",
    }),
  "the id of the request": ({ token }) =>
    new Response("", { status: 400, headers: { "x-ms-request-id": token.split(" ")[1]! } }),
  "an error header": ({ token }) => new Response("", { status: 400, headers: { "iothub-errorcode": token } }),
  "plain text": ({ token, body }) => new Response(`${token}\n${body}`, { status: 500 }),
  "a page": ({ token }) => new Response(`<html><body>${token}</body></html>`, { status: 502 }),
  "half of a JSON text": ({ token }) => new Response(`{"Message":"Unauthorized: ${token}`, { status: 401 }),
  "a bare key": ({ body }) => json(400, { Message: `ErrorCode:ArgumentInvalid;bad key ${keyIn(body)}` }),
  "a long text": ({ token }) => json(400, { Message: `${"x".repeat(390)}${token}` }),
  "a success that is none": ({ token }) => new Response(`not JSON: ${token}`, { status: 200 }),
  "a redirect": ({ token }) =>
    new Response(null, { status: 307, headers: { Location: `https://else.example/?t=${encodeURIComponent(token)}` } }),
  "an error's message": ({ token }) => Promise.reject(new TypeError(`cannot send Authorization: ${token}`)),
  "an error's cause": ({ token }) =>
    Promise.reject(new TypeError("fetch failed", { cause: new Error(`header ${token}`) })),
  "an error with its request": ({ token, body }) =>
    Promise.reject(Object.assign(new Error("failed"), { config: { headers: { Authorization: token }, data: body } })),
  "an error with its headers": ({ token }) =>
    Promise.reject(Object.assign(new Error("failed"), { request: { headers: new Headers({ Authorization: token }) } })),
  "an error with collections": ({ token, body }) =>
    Promise.reject(Object.assign(new Error("failed"), {
      sent: new Map([["authorization", new Set([token])]]),
      [Symbol("state")]: Object.assign(Object.create(null), { answer: new Response(null, { headers: { token } }) }),
      keys: new Map([[keyIn(body), 1]]),
    })),
  "an error far within others": ({ token }) =>
    Promise.reject(
      Array.from({ length: 20 }).reduce<Error>((cause) => new Error("failed", { cause }), new Error(`no ${token}`)),
    ),
  "several errors": ({ token }) =>
    Promise.reject(new AggregateError([new Error(`no ${token}`), new Error("no")], "all")),
  "a text instead of an error": ({ token }) => Promise.reject(`cannot send ${token}`),
  "an object instead of an error": ({ token }) =>
    Promise.reject({ message: "failed", headers: { authorization: token } }),
};

/** All that can go wrong, or right, with a secret near. */
export const SCENARIOS: Record<string, () => Promise<Exposure>> = {};

for (const [signIn, connect] of Object.entries(SIGN_INS)) {
  for (const [what, echo] of Object.entries(ECHOES)) {
    SCENARIOS[`${signIn}, echoed in ${what}`] = async () => {
      const tokens = new Set<string>();
      const fetch: Fetch = async (_url, init) => {
        const token = new Headers(init!.headers).get("authorization")!;
        tokens.add(token);
        return await echo({ token, body: String(init!.body ?? "") });
      };
      const events: ClientEvent[] = [];
      const tracer = new TestTracer();
      const onEvent = (event: ClientEvent): number => events.push(event);
      await using registry = connect({ fetch, retryOptions: { maxRetries: 1, retryDelayInMs: 0 }, onEvent, tracer });
      const errors = await failuresOf([
        registry.getTwin("d"),
        registry.createDeviceWithSas("d", DEVICE_KEYS),
        registry.updateDeviceWithSas("d", { ...DEVICE_KEYS, status: "enabled" }),
        registry.createModuleWithSas("d", "m", DEVICE_KEYS),
        registry.bulkCreateOrUpdateDevices([
          { id: "d", importMode: "create", authentication: { type: "sas", symmetricKey: DEVICE_KEYS } },
        ]),
        registry.invokeDeviceMethod("d", { methodName: "m" }),
        ...(["import", "export"] as const).map((type) =>
          IoTHubJobManager.fromManager(registry).createImportExportJob({
            type,
            inputBlobContainerUri: CONTAINER,
            outputBlobContainerUri: CONTAINER,
          })
        ),
      ]);
      return {
        secrets: [...PLANTED, ...[...tokens].flatMap(partsOf)],
        // These as a text: they are many, and plain.
        shown: [...errors, JSON.stringify([events, tracer.shown]), registry],
      };
    };
  }
}

for (const [signIn, connect] of Object.entries(SIGN_INS)) {
  for (const [what, echo] of Object.entries(ECHOES)) {
    SCENARIOS[`runs over fleets with ${signIn}, echoed in ${what}`] = async () => {
      const secrets = new Set(PLANTED);
      const fetch: Fetch = async (_url, init) => {
        const token = new Headers(init!.headers).get("authorization")!;
        const body = String(init!.body ?? "");
        for (const secret of [...partsOf(token), ...keysIn(body)]) secrets.add(secret);
        return await echo({ token, body });
      };
      await using registry = connect({ fetch, retryOptions: { maxRetries: 0 } });
      await failuresOf([registry.getTwin("d")]);
      // Runs are patient with a hub that may get better.
      using time = new MockedTime();
      const runs = Promise.all(httpRuns(DEVICE_KEYS).map((begin) => exposureOfRun(begin, registry)));
      const exposures = await time.settleInJumps(runs, () => false);
      if (exposures.some(({ errors }) => errors === 0)) throw new Error("A run succeeded");
      return { secrets: [...secrets], shown: exposures.flatMap(({ shown }) => shown) };
    };
  }
}

SCENARIOS["runs over fleets at a hub, which succeed and fail"] = async () => {
  await using hub = new LocalHub();
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  const [shown, results]: [unknown[], unknown[]] = [[], []];
  const journals = new Map<BeginRun, MemoryJournal>();
  const [register, ...others] = httpRuns(DEVICE_KEYS);
  for (const begin of [messageRun, register!, register!, messageRun, ...others, ...others]) {
    const journal = new MemoryJournal();
    journals.set(begin, journal);
    const exposure = await exposureOfRun(begin, registry, journal);
    shown.push(...exposure.shown);
    results.push(...exposure.results);
  }
  const otherKeys = httpRuns({ ...DEVICE_KEYS, primaryKey: base64("planted other key, do not show") })[0]!;
  const wrongKeys = httpRuns({ primaryKey: `*${DEVICE_KEYS.primaryKey}`, secondaryKey: POLICY_KEY })[0]!;
  const noKeys = httpRuns({ primaryKey: DEVICE_KEYS as unknown as string, secondaryKey: POLICY_KEY })[0]!;
  for (const [begin, journal] of [[otherKeys, journals.get(register!)!], [wrongKeys], [noKeys]] as const) {
    const exposure = await exposureOfRun(begin, registry, journal);
    if (exposure.errors === 0) throw new Error("A run succeeded");
    shown.push(...exposure.shown);
  }
  shown.push(
    ...await failuresOf([
      attempt(() => registerDevices(registry, CONNECTION_STRING as unknown as [])),
      attempt(() => registerDevices(CONNECTION_STRING as unknown as IoTHubRegistryManager, [])),
      attempt(() => registerDevices(registry, [], { journal: READY_TOKEN as unknown as MemoryJournal })),
      attempt(() => renewDeviceKeys(registry, [], { keys: DEVICE_KEYS as unknown as "both" })),
    ]),
  );
  return { secrets: [...PLANTED, base64("planted other key, do not show"), ...keysIn(JSON.stringify(results))], shown };
};

SCENARIOS["arguments that are wrong"] = async () => {
  const fetch: Fetch = () => Promise.resolve(new Response("{}"));
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch });
  const strings = [
    CONNECTION_STRING.replace("HostName=", ""),
    CONNECTION_STRING.replace("SharedAccessKeyName=service;", ""),
    CONNECTION_STRING.replace("SharedAccessKey=", ""),
    CONNECTION_STRING.replace("SharedAccessKey=", "SharedAccessKey"),
    CONNECTION_STRING.replace(";", ""),
    CONNECTION_STRING.replaceAll("=", ";"),
    `${CONNECTION_STRING};${CONNECTION_STRING}`,
    `${CONNECTION_STRING};SharedAccessSignature=${READY_TOKEN}`,
    CONNECTION_STRING.replace(POLICY_KEY, `*${POLICY_KEY}*`),
    CONNECTION_STRING.replace(HOST_NAME, `${POLICY_KEY}/`),
    CONNECTION_STRING.replace("=service", `=${POLICY_KEY}/ /`),
    `HostName=${HOST_NAME};SharedAccessSignature=sig=${READY_SIGNATURE}`,
    POLICY_KEY,
    READY_TOKEN,
  ];
  const wrongKeys = {
    primaryKey: [DEVICE_KEYS.primaryKey] as unknown as string,
    secondaryKey: DEVICE_KEYS.secondaryKey,
  };
  const errors = await failuresOf([
    ...strings.map((text) => attempt(() => parseConnectionString(text))),
    ...[...strings, `${CONNECTION_STRING};DeviceId=d`].map((text) =>
      attempt(() => IoTHubRegistryManager.fromConnectionString(text))
    ),
    ...strings.map((text) =>
      attempt(() => IoTHubRegistryManager.fromTokenCredential(text, credentialOf(OPAQUE_TOKEN)))
    ),
    attempt(() => IoTHubRegistryManager.fromTokenCredential(HOST_NAME, OPAQUE_TOKEN as unknown as TokenCredential)),
    attempt(() =>
      IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint: `https://u:${POLICY_KEY}@h.example` })
    ),
    createSasToken({ resourceUri: HOST_NAME, key: `*${POLICY_KEY}` }),
    createSasToken({ resourceUri: HOST_NAME, key: { key: POLICY_KEY } as unknown as string }),
    createSasToken({ resourceUri: HOST_NAME, key: POLICY_KEY, keyName: `${POLICY_KEY} /` }),
    createSasToken({ resourceUri: HOST_NAME, key: POLICY_KEY, ttlInSeconds: -1 }),
    registry.createDeviceWithSas("d", wrongKeys),
    registry.updateDeviceWithSas("d", { ...wrongKeys, status: "enabled" }),
    registry.createDeviceWithSas("d", { primary_key: DEVICE_KEYS.primaryKey } as object),
    registry.updateModuleWithSas("d", "m", wrongKeys),
    ...[`${CONTAINER} `, CONTAINER.slice(1), `AccountKey=${POLICY_KEY}`, [CONTAINER] as unknown as string].map((uri) =>
      IoTHubJobManager.fromManager(registry).createImportExportJob({ type: "export", outputBlobContainerUri: uri })
    ),
    registry.createDeviceWithSas("no id", DEVICE_KEYS),
    attempt(() =>
      deviceConnectionString("no host", { deviceId: "d", authentication: { type: "sas", symmetricKey: DEVICE_KEYS } })
    ),
    attempt(() =>
      deviceConnectionString(
        HOST_NAME,
        { authentication: { type: "sas", symmetricKey: DEVICE_KEYS } } as object as { deviceId: string },
      )
    ),
  ]);
  return { secrets: PLANTED, shown: errors };
};

SCENARIOS["credentials that fail or give what they should not"] = async () => {
  const shown: unknown[] = [];
  const sources: TokenCredential["getToken"][] = [
    () => Promise.reject(new Error(`no token, only Bearer ${OPAQUE_TOKEN}`)),
    () =>
      Promise.reject(Object.assign(new Error("no token"), { response: { headers: { Authorization: OPAQUE_TOKEN } } })),
    () => Promise.reject({ error: `Bearer ${JSON_WEB_TOKEN}` }),
    () => Promise.resolve(`${OPAQUE_TOKEN}` as unknown as null),
    () => Promise.resolve({ token: `${OPAQUE_TOKEN}\r\nX: y`, expiresOnTimestamp: Date.now() + 60_000 }),
    () => Promise.resolve({ token: `${OPAQUE_TOKEN} \u{1f511}`, expiresOnTimestamp: Date.now() + 60_000 }),
  ];
  for (const getToken of sources) {
    // The runtime's own transport: it is that which complains of a header.
    await using registry = IoTHubRegistryManager.fromTokenCredential(HOST_NAME, { getToken }, {
      endpoint: "http://127.0.0.1:9",
      amqpEndpoint: "amqp://127.0.0.1:9",
      retryOptions: { maxRetries: 0 },
      onEvent: (event) => shown.push(event),
    });
    shown.push(...await failuresOf([registry.getTwin("d"), registry.sendC2dMessage("d", "hello")]), registry);
  }
  return { secrets: PLANTED, shown };
};

SCENARIOS["a hub that nobody reaches"] = async () => {
  const shown: unknown[] = [];
  for (const connect of Object.values(SIGN_INS)) {
    await using registry = connect({
      endpoint: "http://127.0.0.1:9",
      amqpEndpoint: "amqp://127.0.0.1:9",
      retryOptions: { maxRetries: 0 },
      onEvent: (event) => shown.push(event),
    });
    shown.push(
      ...await failuresOf([registry.createDeviceWithSas("d", DEVICE_KEYS), registry.sendC2dMessage("d", "hello")]),
      registry,
    );
  }
  return { secrets: PLANTED, shown };
};

SCENARIOS["a proxy that wants a password"] = async () => {
  const password = "planted proxy password ?>@/:";
  await using proxy = await ProxyServer.listen("bob", `${password}, another one`);
  const addresses = [proxy.url("bob", password), `http://bob:${encodeURIComponent(password)}@127.0.0.1:9`];
  const header = `Basic ${base64(`bob:${password}`)}`;
  const shown: unknown[] = [];
  for (const address of addresses) {
    for (const endpoint of ["https://127.0.0.1:9", "http://127.0.0.1:9"]) {
      const options: ClientOptions = {
        endpoint,
        proxy: address,
        retryOptions: { maxRetries: 0 },
        onEvent: (event) => shown.push(event),
      };
      // A Node without proxies throws at once.
      const call = async (send: (registry: IoTHubRegistryManager) => Promise<unknown>): Promise<void> => {
        await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options);
        shown.push(registry);
        await send(registry);
      };
      const calls = [
        call((registry) => registry.getDevices()),
        call((registry) => registry.sendC2dMessage("d", "hello")),
      ];
      shown.push(...await failuresOf(calls));
    }
    const echoes: (() => Error)[] = [
      () => new Error(`cannot reach ${address}, nor "${address}/"`),
      () => new TypeError("fetch failed", { cause: new Error(`Proxy-Authorization: ${header}`) }),
      () => Object.assign(new Error("failed"), { agent: { options: { proxyEnv: { HTTPS_PROXY: address } } } }),
      () => Object.assign(new Error("failed"), { headers: { "proxy-authorization": header } }),
    ];
    for (const echo of echoes) {
      const options: ClientOptions = {
        proxy: address,
        fetch: () => Promise.reject(echo()),
        retryOptions: { maxRetries: 0 },
        onEvent: (event) => shown.push(event),
      };
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options);
      shown.push(...await failuresOf([registry.getTwin("d")]), registry);
    }
    const wrong = [`${address}/path`, `${address}?query`, address.replace("http", "ftp"), `${address} `.repeat(2)];
    shown.push(
      ...await failuresOf(
        wrong.map((proxy) => attempt(() => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { proxy }))),
      ),
    );
  }
  return { secrets: [password, header.slice("Basic ".length)], shown };
};

for (const [signIn, connect] of Object.entries(SIGN_INS)) {
  SCENARIOS[`${signIn}, echoed by the AMQP side of a hub`] = async () => {
    const tokens = new Set<string>();
    const shown: unknown[] = [];
    const scripts: ((token: () => string) => HubScript)[] = [
      (token) => ({ onToken: () => ({ status: 401, description: `Unauthorized: ${token()}` }) }),
      (token) => ({
        onToken: () => ({ status: 400, description: JSON.stringify({ message: token(), errorCode: 400004 }) }),
      }),
      (token) => ({ onToken: () => ({ status: 401, description: `bad token '${token().split(" ")[1]}'` }) }),
      (token) => ({
        onMessage: ({ delivery }) =>
          void delivery.reject({ condition: "amqp:internal-error", description: `Failed for ${token()}` }),
      }),
      (token) => ({
        onMessage: ({ connection }) =>
          connection.close({ condition: "amqp:connection:forced", description: `Closed for ${token()}` }),
      }),
      (token) => ({
        onAttach: (link) =>
          link.close({ condition: "amqp:unauthorized-access", description: `No link for ${token()}` }),
      }),
    ];
    for (const script of scripts) {
      const started: ScriptedHub[] = [];
      const token = (): string => String(started[0]!.tokens[0]!.body);
      await using hub = await startScriptedHub(script(token));
      started.push(hub);
      await using registry = connect({
        amqpEndpoint: hub.endpoint,
        retryOptions: { maxRetries: 1, retryDelayInMs: 0 },
        onEvent: (event) => shown.push(event),
      });
      shown.push(...await failuresOf([registry.sendC2dMessage("d", "hello", {}, { timeoutInMs: 5_000 })]), registry);
      shown.push(...(await exposureOfRun(messageRun, registry)).shown);
      for (const { body } of hub.tokens) tokens.add(String(body));
    }
    return { secrets: [...PLANTED, ...[...tokens].flatMap(partsOf)], shown };
  };
}

SCENARIOS["the objects of the module, in use"] = async () => {
  await using hub = new LocalHub();
  const addresses = await hub.listen();
  const credential = hub.tokenCredential();
  const told: ClientEvent[] = [];
  const options: ClientOptions = { ...hub.clientOptions, onEvent: (event) => told.push(event) };
  const { token } = (await credential.getToken("https://iothubs.azure.net/.default"))!;
  await using byPolicy = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
  await using byCredential = IoTHubRegistryManager.fromTokenCredential(hub.hostName, credential, options);
  const sas = await createSasToken({ resourceUri: hub.hostName, key: POLICY_KEY });
  await byPolicy.createDeviceWithSas("d", DEVICE_KEYS);
  const made = await byPolicy.createDeviceWithSas("made");
  await byPolicy.createModuleWithSas("d", "m", DEVICE_KEYS);
  const device = hub.device("d");
  const message = new Promise((resolve) => device.onMessage((message) => resolve(message)));
  await byPolicy.sendC2dMessage("d", "hello");
  await byCredential.sendC2dMessage("d", "hello");
  const errors = await failuresOf([
    byPolicy.createDeviceWithSas("d", DEVICE_KEYS),
    byCredential.createDeviceWithSas("d", DEVICE_KEYS),
    byCredential.sendC2dMessage("nobody", "hello"),
  ]);
  await device.sendTelemetry("21.5");
  const endpoint = await byPolicy.getEventHubEndpoint();
  const events = byPolicy.receiveEvents({ from: "earliest" });
  const { value: event } = await events.next();
  await events.return?.();
  errors.push(
    ...await failuresOf([
      byPolicy.receiveEvents({ partitionIds: ["77"] }).next(),
      byCredential.receiveEvents().next(),
      byCredential.getEventHubEndpoint().then(() => Promise.reject(new Error("no failure, which is as good"))),
    ]),
  );
  const parsed = [CONNECTION_STRING, `HostName=${HOST_NAME};SharedAccessSignature=${READY_TOKEN}`].map((text) => {
    const result = parseConnectionString(text);
    // Readable all the same, or it would be of no use: what is searched is what prints.
    return [String(result), JSON.stringify(result), inspect(result, { depth: 9, showHidden: true })];
  });
  const symmetricKey = made.authentication!.symmetricKey!;
  return {
    secrets: [
      ...PLANTED,
      ...partsOf(sas),
      ...[hub.connectionString, hub.connectionStringFor("service", "secondary")].map((text) => text.split("Key=")[1]!),
      symmetricKey.primaryKey!,
      symmetricKey.secondaryKey!,
      token,
    ],
    shown: [
      ...errors,
      // Its connection string can be read, or it would be of no use.
      [String(endpoint), JSON.stringify(endpoint), inspect(endpoint, { depth: 9, showHidden: true })],
      events,
      event,
      told,
      hub,
      hub.clientOptions,
      addresses,
      credential,
      byPolicy,
      byCredential,
      device,
      device.module("m"),
      device.twin,
      await message,
      parsed,
      await byPolicy.getTwin("d"),
      await byPolicy.queryIotHub("SELECT * FROM devices"),
    ],
  };
};

function credentialOf(token: string): TokenCredential {
  return { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}

/** The errors of calls that must all fail. */
async function failuresOf(calls: Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(calls);
  return outcomes.map((outcome, index) => {
    if (outcome.status === "rejected") return outcome.reason;
    throw new Error(`Call ${index} succeeded`);
  });
}

async function attempt(call: () => unknown): Promise<unknown> {
  return await call();
}

/** What is secret of an `Authorization` header. */
function partsOf(authorization: string): string[] {
  const signature = /\bsig=([^&]+)/.exec(authorization)?.[1];
  return signature === undefined ? [authorization.replace(/^\S+ /, "")] : [decodeURIComponent(signature)];
}

function keysIn(text: string): string[] {
  return Array.from(text.matchAll(/"(?:primary|secondary)Key":"([^"]+)"/g), ([, key]) => key!);
}

function keyIn(body: string): string {
  return /"primaryKey":"([^"]+)"|sig=([^&]+)/.exec(body)?.slice(1).find(Boolean) ?? "none";
}

function json(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
