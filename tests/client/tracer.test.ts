import { trace, type Tracer as ApiTracer } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager, type Tracer, Twins } from "../../mod.ts";
import { CONNECTION_STRING, HOST_NAME, Recorder, type ScriptedAnswer } from "../support/recorder.ts";
import { EventScene } from "../support/event_scene.ts";
import { TestTracer } from "../support/test_tracer.ts";

const COMMON = { "azure.resource_provider.namespace": "Microsoft.Devices" };
const QUICK: ClientOptions = { retryOptions: { retryDelayInMs: 1 } };
const CLIENT = 2;
const PRODUCER = 3;
const UNSET = { code: 0 };

/** A manager at a scripted hub, whose calls are traced. */
function traced(
  answers: ScriptedAnswer[],
  options: ClientOptions = {},
): { tracer: TestTracer; recorder: Recorder; registry: IoTHubRegistryManager } {
  const tracer = new TestTracer();
  const recorder = new Recorder(...answers);
  return { tracer, recorder, registry: recorder.connect({ ...QUICK, tracer, ...options }) };
}

describe("a tracer gets", () => {
  test("a span of each call, with one of each attempt and of the token within it", async () => {
    const { tracer, registry } = traced([{ body: {}, headers: { "x-ms-request-id": "r-1" } }]);
    await tracer.startActiveSpan("mine", () => registry.getTwin("d-1"));
    assert.deepEqual(tracer.tree, [
      ["mine", undefined],
      ["Twins.getTwin", "mine"],
      ["get token", "Twins.getTwin"],
      ["GET /twins/{id}", "Twins.getTwin"],
    ]);
    const [, call, token, attempt] = tracer.spans;
    assert.deepEqual([call!.options.kind, call!.attributes, call!.status], [undefined, COMMON, UNSET]);
    assert.deepEqual([token!.options.kind, token!.attributes, token!.status], [undefined, COMMON, UNSET]);
    assert.equal(attempt!.options.kind, CLIENT);
    assert.deepEqual(attempt!.options.attributes, {
      ...COMMON,
      "server.address": HOST_NAME,
      "server.port": 443,
      "http.request.method": "GET",
      "url.full": `https://${HOST_NAME}/twins/d-1?api-version=2021-04-12`,
      "url.template": "/twins/{id}",
    });
    assert.deepEqual(attempt!.attributes, {
      ...attempt!.options.attributes,
      "http.response.status_code": 200,
      "azure.service.request.id": "r-1",
    });
    assert.deepEqual(tracer.spans.slice(1).map(({ ends }) => ends), [1, 1, 1]);
  });

  test("repetitions and waits as events, and what went wrong", async () => {
    const { tracer, registry } = traced([{ status: 503 }, { status: 429 }, { status: 404 }]);
    await assert.rejects(registry.getTwin("d-1"), { code: "GenericNotFound" });
    const [call] = tracer.named("Twins.getTwin");
    assert.deepEqual(call!.events.map(({ name, attributes }) => [name, attributes["error.type"]]), [
      ["wait (retry)", "ServiceUnavailable"],
      ["wait (throttle)", "GenericTooManyRequests"],
    ]);
    assert.equal(call!.attributes["error.type"], "GenericNotFound");
    assert.equal(call!.status.code, 2);
    assert.match(call!.status.message!, /^Cannot complete getTwin/);
    const attempts = tracer.named("GET /twins/{id}");
    assert.deepEqual(
      attempts.map(({ attributes, status, ends }) => [
        attributes["http.request.resend_count"],
        attributes["http.response.status_code"],
        attributes["error.type"],
        status.code,
        ends,
      ]),
      [[undefined, 503, "503", 2, 1], [1, 429, "429", 2, 1], [2, 404, "404", 2, 1]],
    );
  });

  test("an attempt that had no answer", async () => {
    const tracer = new TestTracer();
    await using twins = Twins.fromConnectionString(CONNECTION_STRING, {
      fetch: () => Promise.reject(new TypeError("no network")),
      retryOptions: { maxRetries: 1, retryDelayInMs: 1 },
      tracer,
    });
    await assert.rejects(twins.getTwin("d"));
    const attempts = tracer.named("GET /twins/{id}");
    assert.deepEqual(attempts.map(({ attributes, ends }) => [attributes["error.type"], ends]), [
      ["NetworkError", 1],
      ["NetworkError", 1],
    ]);
  });

  test("no token where the credential gave none", async () => {
    const tracer = new TestTracer();
    await using twins = Twins.fromTokenCredential(
      HOST_NAME,
      { getToken: () => Promise.reject(new Error("no Bearer secret-of-mine for you")) },
      { ...QUICK, tracer },
    );
    await assert.rejects(twins.getTwin("d"), { code: "CredentialError" });
    const [token] = tracer.named("get token");
    assert.deepEqual(token!.status, { code: 2, message: "no Bearer (hidden) for you" });
    assert.deepEqual(tracer.spans.map(({ ends }) => ends), [1, 1]);
  });

  test("messages that are sent and received, and the connection under them", async () => {
    const tracer = new TestTracer();
    await using hub = new LocalHub({ feedbackIntervalInMs: 0 });
    const options = { ...hub.clientOptions, ...QUICK, tracer };
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
    await registry.createDeviceWithSas("d");
    hub.device("d").onMessage(() => {});
    hub.faults.release(1);
    await registry.sendC2dMessage("d", "text", { messageId: "m-1", ack: "full" });
    for await (const _record of registry.receiveFeedback()) break;
    const [connection] = tracer.named("open amqp");
    const port = Number(connection!.attributes["server.port"]);
    assert.ok(port > 0);
    const server = { "server.address": "127.0.0.1", "server.port": port };
    assert.deepEqual(connection!.attributes, { ...COMMON, ...server });
    const [sent] = tracer.named("send /messages/devicebound");
    assert.equal(connection!.parent, sent);
    assert.equal(sent!.options.kind, CLIENT);
    assert.deepEqual(sent!.attributes, {
      ...COMMON,
      ...server,
      "messaging.system": "iothub",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": "/messages/devicebound",
      "messaging.message.id": "m-1",
    });
    assert.deepEqual(sent!.events.map(({ name, attributes }) => [name, attributes["error.type"]]), [
      ["wait (retry)", "MessageNotAccepted"],
    ]);
    const [received] = tracer.named("receive /messages/serviceBound/feedback");
    assert.equal(received!.options.kind, CLIENT);
    assert.deepEqual(received!.attributes, {
      ...COMMON,
      ...server,
      "messaging.system": "iothub",
      "messaging.operation.name": "receive",
      "messaging.operation.type": "receive",
      "messaging.destination.name": "/messages/serviceBound/feedback",
    });
    assert.ok(received!.options.startTime instanceof Date);
    assert.deepEqual(tracer.spans.map(({ ends }) => ends), tracer.spans.map(() => 1));
  });
});

test("a tracer gets events that are received, and the call that finds out where they are", async () => {
  const tracer = new TestTracer();
  const client = { ...QUICK, tracer };
  await using scene = await EventScene.start({ hub: { hostName: "hub.local", events: { partitions: 1 } }, client });
  await scene.send(["text"]);
  await scene.registry.getEventHubEndpoint();
  await scene.read({}, 1);
  const [call] = tracer.named("DeviceEvents.getEventHubEndpoint");
  assert.deepEqual([call!.options.kind, call!.attributes, call!.status], [undefined, COMMON, UNSET]);
  const connections = tracer.named("open amqp");
  assert.equal(connections.length, 2);
  const address = "hub/ConsumerGroups/$Default/Partitions/0";
  const [received] = tracer.named(`receive ${address}`);
  assert.equal(received!.options.kind, CLIENT);
  assert.deepEqual(received!.attributes, {
    ...connections[1]!.attributes,
    "messaging.system": "eventhubs",
    "messaging.operation.name": "receive",
    "messaging.operation.type": "receive",
    "messaging.destination.name": address,
  });
  assert.deepEqual(tracer.spans.map(({ ends }) => ends), tracer.spans.map(() => 1));
});

describe("the context of a span", () => {
  const TRACE_PARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

  test("goes with each request where that is asked for", async () => {
    const { tracer, recorder, registry } = traced([{ status: 503 }, { body: {} }], { propagateTrace: true });
    await registry.getTwin("d-1");
    const attempts = tracer.named("GET /twins/{id}").map((span) => span.spanContext());
    assert.equal(attempts.length, 2);
    assert.deepEqual(
      recorder.requests.map(({ headers }) => headers["traceparent"]),
      attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
  });

  test("stays here where it is not", async () => {
    const { recorder, registry } = traced([{ body: {} }]);
    await registry.getTwin("d-1");
    assert.ok(!("traceparent" in recorder.requests[0]!.headers));
  });

  for (const properties of [{}, { traceparent: "mine" }]) {
    test(`goes with each message, which has ${JSON.stringify(properties)}`, async () => {
      const tracer = new TestTracer();
      await using hub = new LocalHub();
      const options = { ...hub.clientOptions, tracer, propagateTrace: true };
      await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
      await registry.createDeviceWithSas("d");
      const arrival = new Promise<string>((resolve) =>
        hub.device("d").onMessage(({ properties }) => resolve(String(properties["traceparent"])))
      );
      await registry.sendC2dMessage("d", "text", properties);
      const [sent] = tracer.named("send /messages/devicebound");
      assert.equal(sent!.options.kind, PRODUCER);
      const { traceId, spanId } = sent!.spanContext();
      assert.equal(await arrival, properties.traceparent ?? `00-${traceId}-${spanId}-01`);
      if (properties.traceparent === undefined) assert.match(await arrival, TRACE_PARENT);
    });
  }

  test("does not go where the tracer makes none", async () => {
    const { recorder, registry } = traced([{ body: {} }], { tracer: trace.getTracer("none"), propagateTrace: true });
    await registry.getTwin("d-1");
    assert.ok(!("traceparent" in recorder.requests[0]!.headers));
  });
});

describe("a tracer cannot harm a call", () => {
  const broken = (): never => {
    throw new Error("mine");
  };
  const TRACERS: Record<string, Tracer> = {
    "whose methods throw": { startSpan: broken, startActiveSpan: broken },
    "that does not call back": { startSpan: broken, startActiveSpan() {} },
    "whose spans throw": {
      startSpan: () => SPAN,
      startActiveSpan: (_name, _options, work) => work(SPAN),
    },
    "that throws in the end": {
      startSpan: () => SPAN,
      startActiveSpan(_name, _options, work) {
        work(SPAN);
        throw new Error("mine");
      },
    },
  };
  const SPAN = { spanContext: broken, setAttribute: broken, addEvent: broken, setStatus: broken, end: broken };
  for (const [what, tracer] of Object.entries(TRACERS)) {
    test(`${what}, which is made once`, async () => {
      await using hub = new LocalHub();
      const options = { ...hub.clientOptions, ...QUICK, tracer, propagateTrace: true };
      await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
      await registry.createDeviceWithSas("d");
      await registry.sendC2dMessage("d", "text");
      assert.equal((await registry.getDevice("d")).cloudToDeviceMessageCount, 1);
      await assert.rejects(registry.getTwin("nobody"), { code: "DeviceNotFound" });
    });
  }
});

test("the types are those of @opentelemetry/api", () => {
  const api: ApiTracer = trace.getTracer("tests");
  const own: Tracer = api;
  assert.equal(own, api);
});

test("Deno's own spans of requests are not made twice", {
  skip: "Deno" in globalThis ? false : "only Deno makes them by itself",
}, async () => {
  const program = fileURLToPath(new URL("../support/tracing_user.ts", import.meta.url));
  const env = { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console" };
  const { stdout } = await promisify(execFile)(process.execPath, ["run", "-A", "--no-check", program], {
    env: { ...process.env, ...env },
  });
  assert.deepEqual(JSON.parse(/\{"spans".*\}/.exec(stdout.replaceAll('\\"', '"'))![0]), {
    spans: ["get token", "Twins.getTwin"],
    traceparent: true,
  });
});
