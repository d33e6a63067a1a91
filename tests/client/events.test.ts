import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientEvent, type ClientOptions, IoTHubRegistryManager, Twins } from "../../mod.ts";
import { EventScene } from "../support/event_scene.ts";
import { ClientEvents } from "../support/client_events.ts";
import { CONNECTION_STRING, HOST_NAME, Recorder, type ScriptedAnswer } from "../support/recorder.ts";

const QUICK: ClientOptions = { retryOptions: { retryDelayInMs: 1 } };

/** A manager at a scripted hub, with what its client tells. */
function watched(...answers: ScriptedAnswer[]): { events: ClientEvents; registry: IoTHubRegistryManager } {
  const events = new ClientEvents();
  return { events, registry: new Recorder(...answers).connect({ ...QUICK, onEvent: events.listen }) };
}

/** An event without its times, which differ from run to run. */
function timeless({ timeUtc, ...event }: ClientEvent): object {
  assert.ok(Math.abs(timeUtc.getTime() - Date.now()) < 60_000);
  const rest: Record<string, unknown> = { ...event };
  for (const name of ["durationInMs", "waitedInMs"]) {
    if (name in rest) assert.ok(rest[name] as number >= 0 && rest[name] as number < 60_000, `${name} ${rest[name]}`);
    delete rest[name];
  }
  return rest;
}

describe("onEvent tells of a call over HTTP", () => {
  const call = { callId: 1, operation: "getTwin", deviceId: "d-1" };

  test("that it begins, is sent, is answered, ends; and that a token was made for it", async () => {
    const { events, registry } = watched({ body: {}, headers: { "x-ms-request-id": "r-1" } });
    await registry.getTwin("d-1");
    assert.deepEqual(events.all.map(timeless), [
      { kind: "callBegun", ...call, noun: "Twins", protocol: "http" },
      {
        kind: "tokenMade",
        audience: HOST_NAME,
        signedInAs: 'the policy "service"',
        expiresOn: events.first("tokenMade").expiresOn,
      },
      {
        kind: "callSent",
        ...call,
        attempt: 1,
        method: "GET",
        url: `https://${HOST_NAME}/twins/d-1?api-version=2021-04-12`,
        route: "/twins/{id}",
      },
      { kind: "callAnswered", ...call, attempt: 1, status: 200, requestId: "r-1" },
      { kind: "callEnded", ...call, attempts: 1 },
    ]);
    const left = events.first("tokenMade").expiresOn.getTime() - Date.now();
    assert.ok(left > 3_590_000 && left < 3_610_000);
  });

  test("that it waits to be repeated, why and for how long, and how it ends", async () => {
    const { events, registry } = watched({ status: 503 }, { status: 429, body: { Message: "slow" } }, { status: 404 });
    await assert.rejects(registry.getTwin("d-1"));
    const [retry, throttle] = events.of("callWaiting");
    assert.equal(retry!.reason, "retry");
    assert.ok(retry!.waitInMs! >= 0 && retry!.waitInMs! <= 1);
    assert.match(retry!.message!, /^Cannot complete getTwin of device "d-1": the hub answered 503/);
    assert.equal(throttle!.reason, "throttle");
    assert.equal(throttle!.errorCode, "GenericTooManyRequests");
    assert.deepEqual(events.of("callAnswered").map(({ attempt, status }) => [attempt, status]), [
      [1, 503],
      [2, 429],
      [3, 404],
    ]);
    const { attempts, errorCode, message } = events.first("callEnded");
    assert.deepEqual([attempts, errorCode], [3, "GenericNotFound"]);
    assert.match(message!, /404/);
  });

  test("that it waits for its turn", async () => {
    const events = new ClientEvents();
    await using registry = new Recorder({ body: {} }).connect({
      limits: { maxConcurrentRequests: 1 },
      onEvent: events.listen,
    });
    await Promise.all([registry.getTwin("a"), registry.getTwin("b")]);
    const waits = events.of("callWaiting").map(({ reason, waitInMs, deviceId }) => [reason, waitInMs, deviceId]);
    assert.deepEqual(waits, [["limit", undefined, "b"]]);
    assert.deepEqual(events.of("callBegun").map(({ callId }) => callId), [1, 2]);
  });

  test("that the hub has refused the token, and the call was sent again with another", async () => {
    const { events, registry } = watched({ status: 401 }, { body: {} });
    await registry.getTwin("d-1");
    assert.deepEqual(events.kinds, [
      "callBegun",
      "tokenMade",
      "callSent",
      "callAnswered",
      "tokenRefused",
      "tokenMade",
      "callSent",
      "callAnswered",
      "callEnded",
    ]);
  });

  test("that the credential gave no token", async () => {
    const events = new ClientEvents();
    await using twins = Twins.fromTokenCredential(
      HOST_NAME,
      { getToken: () => Promise.reject(new Error("no Bearer secret-of-mine for you")) },
      { ...QUICK, onEvent: events.listen },
    );
    await assert.rejects(twins.getTwin("d"), { code: "CredentialError" });
    assert.equal(events.first("tokenFailed").message, "no Bearer (hidden) for you");
    assert.equal(events.first("callEnded").errorCode, "CredentialError");
    assert.equal(events.of("callSent").length, 0);
  });

  test("that it was aborted, without the reason, which may be anything", async () => {
    const events = new ClientEvents();
    const controller = new AbortController();
    const reason = new Error("my own secret");
    await using twins = Twins.fromConnectionString(CONNECTION_STRING, {
      fetch: () => {
        controller.abort(reason);
        return new Promise(() => {});
      },
      onEvent: events.listen,
    });
    await assert.rejects(twins.getTwin("d", { abortSignal: controller.signal }), (error) => error === reason);
    const { errorCode, message } = events.first("callEnded");
    assert.deepEqual([errorCode, message], ["Aborted", undefined]);
  });

  test("that clients which share their connections share the numbers", async () => {
    const { events, registry } = watched({ body: {} });
    await registry.getTwin("a");
    await Twins.fromManager(registry).getTwin("b");
    assert.deepEqual(events.of("callEnded").map(({ callId, deviceId }) => [callId, deviceId]), [[1, "a"], [2, "b"]]);
  });

  test("nothing, where the arguments are wrong", async () => {
    const { events, registry } = watched();
    await assert.rejects(registry.getTwin("no id"), RangeError);
    await assert.rejects(registry.updateTwin("d", { tags: { n: 1n } }), TypeError);
    assert.deepEqual(events.all, []);
  });
});

describe("onEvent cannot harm a call", () => {
  const LISTENERS: Record<string, NonNullable<ClientOptions["onEvent"]>> = {
    "that throws"() {
      throw new Error("mine");
    },
    "that rejects": () => Promise.reject(new Error("mine")),
    "that rejects a promise of another realm": () => runInNewContext("Promise.reject('mine')"),
    "that never settles": () => new Promise(() => {}),
    "that spoils the event": (event) => {
      for (const name of Object.keys(event)) delete (event as unknown as Record<string, unknown>)[name];
    },
  };
  for (const [what, onEvent] of Object.entries(LISTENERS)) {
    test(`with a function ${what}`, async () => {
      await using hub = new LocalHub();
      const options = { ...hub.clientOptions, ...QUICK, onEvent };
      await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
      await registry.createDeviceWithSas("d");
      await registry.sendC2dMessage("d", "text");
      await assert.rejects(registry.getTwin("nobody"), { code: "DeviceNotFound" });
    });
  }
});

describe("onEvent tells of messages", () => {
  /** A manager at a local hub with the device `d`, with what its client tells from then on. */
  async function start(): Promise<
    AsyncDisposable & { hub: LocalHub; events: ClientEvents; registry: IoTHubRegistryManager }
  > {
    const hub = new LocalHub({ feedbackIntervalInMs: 0 });
    await using admin = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await admin.createDeviceWithSas("d");
    const events = new ClientEvents();
    const options = { ...hub.clientOptions, ...QUICK, onEvent: events.listen };
    const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
    return {
      hub,
      events,
      registry,
      async [Symbol.asyncDispose]() {
        await registry.close();
        await hub.close();
      },
    };
  }

  test("with the connection and the link under them", async () => {
    await using scene = await start();
    const { events, registry } = scene;
    await registry.sendC2dMessage("d", "text", { messageId: "m-1" });
    // The token is made, and the connection opened, at the same time.
    assert.deepEqual(events.kinds.filter((kind) => kind !== "tokenMade"), [
      "callBegun",
      "connectionOpening",
      "connectionOpened",
      "linkAttached",
      "callSent",
      "callAnswered",
      "callEnded",
    ]);
    const { connectionId, endpoint } = events.first("connectionOpened");
    assert.equal(connectionId, 1);
    assert.match(endpoint, /^amqp:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(events.first("linkAttached").address, "/messages/devicebound");
    const { callId, operation, deviceId, messageId } = events.first("callSent");
    assert.deepEqual([callId, operation, deviceId, messageId], [1, "sendC2dMessage", "d", "m-1"]);
    await registry.close();
    assert.equal(events.kinds.at(-1), "connectionClosed");
  });

  test("that one is sent again, and why", async () => {
    await using scene = await start();
    const { hub, events, registry } = scene;
    hub.faults.release(1);
    await registry.sendC2dMessage("d", "text", { messageId: "m-1" });
    assert.deepEqual(events.of("callSent").map(({ attempt, messageId }) => [attempt, messageId]), [
      [1, "m-1"],
      [2, "m-1"],
    ]);
    assert.deepEqual(events.of("callAnswered").map(({ errorCode }) => errorCode), ["MessageNotAccepted", undefined]);
    assert.equal(events.first("callWaiting").errorCode, "MessageNotAccepted");
    assert.equal(events.first("callEnded").attempts, 2);
  });

  test("that the connection is lost, and comes back", async () => {
    await using scene = await start();
    const { hub, events, registry } = scene;
    await registry.sendC2dMessage("d", "one");
    hub.faults.drop();
    await events.until("connectionLost");
    await registry.sendC2dMessage("d", "two");
    assert.equal(events.first("connectionLost").connectionId, 1);
    assert.equal(events.first("connectionLost").errorCode, "NetworkError");
    assert.deepEqual(events.of("connectionOpened").map(({ connectionId }) => connectionId), [1, 2]);
  });

  test("that the hub has closed the link", async () => {
    await using scene = await start();
    const { hub, events, registry } = scene;
    await registry.sendC2dMessage("d", "one");
    hub.faults.detach();
    await events.until("linkLost");
    await registry.sendC2dMessage("d", "two");
    assert.match(events.first("linkLost").message, /the hub closed the link/);
    assert.equal(events.of("linkAttached").length, 2);
    assert.equal(events.of("connectionLost").length, 0);
  });

  test("that a loop receives them, completes them, gives them back", async () => {
    await using scene = await start();
    const { hub, events, registry } = scene;
    hub.device("d").onMessage(() => {});
    await registry.sendC2dMessage("d", "text", { ack: "full" });
    for await (const record of registry.receiveFeedback()) {
      record.abandon();
      break;
    }
    for await (const _record of registry.receiveFeedback()) {
      assert.equal(events.kinds.at(-1), "messageReceived");
      assert.equal(events.kinds.filter((kind) => kind === "messageCompleted").length, 0);
      break;
    }
    for await (const record of registry.receiveFeedback()) {
      record.complete();
      break;
    }
    assert.deepEqual(
      events.all.filter(({ kind }) => kind.startsWith("message")).map(timeless),
      [
        "messageReceived",
        "messageReturned",
        "messageReceived",
        "messageReturned",
        "messageReceived",
        "messageCompleted",
      ]
        .map((kind) => ({ kind, operation: "receiveFeedback", address: "/messages/serviceBound/feedback" })),
    );
  });
});

describe("onEvent tells of events of devices", () => {
  const PARTITION = "hub/ConsumerGroups/$Default/Partitions/0";

  /** A hub with one device, and a manager with what its client tells once the device is there. */
  async function start(): Promise<EventScene & { told: ClientEvents }> {
    const told = new ClientEvents();
    const scene = await EventScene.start({
      hub: { hostName: "hub.local", events: { partitions: 1 } },
      client: { ...QUICK, onEvent: told.listen },
    });
    told.all.length = 0;
    return Object.assign(scene, { told });
  }

  test("that a loop receives, with the connections and the link under them", async () => {
    await using scene = await start();
    const { told } = scene;
    await scene.send(["secret"]);
    for await (const { text } of scene.registry.receiveEvents({ from: "earliest" })) {
      assert.equal(text, "secret");
      assert.equal(told.kinds.at(-1), "messageReceived");
      break;
    }
    // First the hub is asked where its event hub is.
    assert.deepEqual(told.of("connectionOpened").map(({ connectionId }) => connectionId), [1, 2]);
    assert.equal(told.of("connectionClosed").length, 1);
    assert.ok(told.of("tokenMade").some(({ audience }) => audience.startsWith("sb://") && audience.endsWith("/hub")));
    assert.equal(told.first("linkAttached").address, PARTITION);
    const [received] = told.of("messageReceived").map(timeless);
    assert.deepEqual(received, { kind: "messageReceived", operation: "receiveEvents", address: PARTITION });
    assert.ok(!inspect(told.all, { depth: Infinity }).includes("secret"));
  });

  test("that the connection and the link are lost, and come back", async () => {
    await using scene = await start();
    const { hub, told } = scene;
    const loop = scene.registry.receiveEvents({ from: "earliest" });
    await scene.send(["one"]);
    await loop.next();
    const second = loop.next();
    hub.faults.detach();
    await told.until("linkLost");
    await told.until("linkAttached", 2);
    hub.faults.drop();
    await told.until("connectionLost");
    await told.until("linkAttached", 3);
    await scene.send(["two"]);
    assert.equal((await second).value?.text, "two");
    assert.equal(told.first("linkLost").address, PARTITION);
    assert.equal(told.first("connectionLost").connectionId, 2);
    await loop.return();
  });

  test("that it is found out where they are", async () => {
    await using scene = await start();
    const { told } = scene;
    await scene.registry.getEventHubEndpoint();
    const call = { callId: 2, operation: "getEventHubEndpoint" };
    assert.deepEqual(told.all.filter(({ kind }) => kind.startsWith("call")).map(timeless), [
      { kind: "callBegun", ...call, noun: "DeviceEvents", protocol: "amqp" },
      { kind: "callSent", ...call, attempt: 1 },
      { kind: "callAnswered", ...call, attempt: 1 },
      { kind: "callEnded", ...call, attempts: 1 },
    ]);
  });

  test("that the hub has refused the token", async () => {
    const told = new ClientEvents();
    await using hub = new LocalHub();
    const other = new LocalHub();
    const connectionString = hub.connectionString.replace(
      /SharedAccessKey=.*/,
      /SharedAccessKey=.*/.exec(other.connectionString)![0],
    );
    const options = { ...hub.clientOptions, retryOptions: { maxRetries: 0 }, onEvent: told.listen };
    await using registry = IoTHubRegistryManager.fromConnectionString(connectionString, options);
    await assert.rejects(registry.getEventHubEndpoint(), { code: "Unauthorized" });
    assert.equal(told.first("tokenRefused").signedInAs, told.first("tokenMade").signedInAs);
    assert.equal(told.first("callEnded").errorCode, "Unauthorized");
  });
});
