import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, test } from "node:test";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { BareClient, outcomeOf } from "../support/local_amqp.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import type { Json } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { openedHub, type OpenHub } from "../support/storage_scene.ts";

// Ahead of the clock of clients, however long other tests run before these: a message must not have expired for them.
const START = Date.now() + 6 * 3_600_000;
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];
const UNSTOPPABLE = 1e9;

/** A hub whose time stands still until it is set on, and to which tokens are good whatever the time. */
function setup(options: LocalHubOptions = {}): OpenHub {
  return openedHub(new LocalHub({ now: () => START, clockSkewInSeconds: UNSTOPPABLE, ...options }));
}

/** When something has happened, in milliseconds since the start. */
function since(time: string): number {
  return Date.parse(time) - START;
}

describe("The clock of a hub", () => {
  test("goes as the machine's, or as the hub was told, and is ahead by as much as it was set on", async () => {
    await using hub = new LocalHub();
    const before = Date.now();
    await hub.clock.advance(HOUR);
    const ahead = hub.clock.now() - HOUR;
    assert.ok(ahead >= before && ahead <= Date.now());

    let now = START;
    await using other = new LocalHub({ now: () => now });
    await other.clock.advance(0.5);
    now += 10;
    assert.equal(other.clock.now(), START + 10.5);
  });

  test("is not set back, and not by what is no number", async () => {
    await using hub = new LocalHub();
    for (const wrong of [-1, NaN, Infinity]) await assert.rejects(hub.clock.advance(wrong), RangeError);
    await assert.rejects(hub.clock.advance("1" as unknown as number), TypeError);
  });

  test("lets each thing happen at its time, in its order", async () => {
    await using scene = setup({ feedbackIntervalInMs: 0 });
    const { hub, rest, registry } = scene;
    await rest.createDevices("d");
    for (const [id, delay] of [["late", 2 * MINUTE], ["early", MINUTE]] as const) {
      await registry.sendC2dMessage("d", id, { messageId: id, ack: "full", expiryTimeUtc: START + delay });
    }
    await rest.do("PUT", "/jobs/v2/between", {
      jobId: "between",
      type: "scheduleUpdateTwin",
      updateTwin: { etag: "*", tags: { done: true } },
      startTime: new Date(START + 90 * SECOND).toISOString(),
    });
    await hub.clock.advance(HOUR);
    const { status, endTime } = await rest.do("GET", "/jobs/v2/between");
    assert.deepEqual([status, since(endTime)], ["completed", 90 * SECOND]);
    const told: [string, number][] = [];
    for (let batch: Json; (batch = await rest.do("GET", "/messages/serviceBound/feedback")) !== undefined;) {
      for (const { originalMessageId, enqueuedTimeUtc } of batch) {
        told.push([originalMessageId, since(enqueuedTimeUtc)]);
      }
      if (told.length === 2) break;
    }
    assert.deepEqual(told, [["early", MINUTE], ["late", 2 * MINUTE]]);
  });

  test("is set on at once, and tells of what has fallen due before it resolves", async () => {
    await using scene = setup();
    const { hub, rest, registry } = scene;
    await rest.createDevices("d");
    await registry.sendC2dMessage("d", "m");
    const told: number[] = [];
    hub.onEvent((event) => event.kind === "message" && told.push(event.timeUtc.getTime() - START));
    const moved = hub.clock.advance(2 * HOUR);
    assert.equal(hub.clock.now(), START + 2 * HOUR);
    await moved;
    assert.deepEqual(told, [HOUR]);
  });

  test("runs jobs over many devices to their end, and stops those that take too long", async () => {
    await using scene = setup();
    const { hub, rest } = scene;
    await rest.createDevices(...Array.from({ length: 900 }, (_, i) => `d${i}`));
    hub.device("d7").onMethod(() => new Promise<never>(() => {}));
    const startTime = new Date(START + HOUR).toISOString();
    const updateTwin = { etag: "*", tags: { done: true } };
    await rest.do("PUT", "/jobs/v2/twins", { jobId: "twins", type: "scheduleUpdateTwin", updateTwin, startTime });
    const cloudToDeviceMethod = { methodName: "m", responseTimeoutInSeconds: 300 };
    await rest.do("PUT", "/jobs/v2/calls", {
      jobId: "calls",
      type: "scheduleDeviceMethod",
      cloudToDeviceMethod,
      queryCondition: "deviceId = 'd7'",
      startTime,
      maxExecutionTimeInSeconds: 60,
    });
    await hub.clock.advance(HOUR + 59 * SECOND);
    const twins = await rest.do("GET", "/jobs/v2/twins");
    assert.deepEqual([twins.status, twins.deviceJobStatistics.succeededCount, since(twins.endTime)], [
      "completed",
      900,
      HOUR,
    ]);
    assert.equal((await rest.do("GET", "/jobs/v2/calls")).status, "running");
    await hub.clock.advance(SECOND);
    const { status, endTime } = await rest.do("GET", "/jobs/v2/calls");
    assert.deepEqual([status, since(endTime)], ["failed", HOUR + MINUTE]);
  });

  test("times direct methods out", async () => {
    await using scene = setup();
    const { hub, rest } = scene;
    await rest.createDevices("here", "away");
    const asked = new Promise<void>((resolve) => {
      hub.device("here").onMethod(() => {
        resolve();
        return new Promise<never>(() => {});
      });
    });
    const ended: string[] = [];
    const call = async (deviceId: string, connectTimeoutInSeconds: number): Promise<Json> => {
      const body = { methodName: "m", responseTimeoutInSeconds: 30, connectTimeoutInSeconds };
      const answer = await rest.call("POST", `/twins/${deviceId}/methods`, body);
      ended.push(deviceId);
      return answer;
    };
    const calls = [call("here", 0), call("away", 20)];
    await asked;
    // The other call has been taken, too.
    await rest.do("GET", "/devices/away");
    await hub.clock.advance(20 * SECOND - 1);
    assert.deepEqual(ended, []);
    await hub.clock.advance(1);
    assert.equal((await calls[1]!).status, 404);
    await hub.clock.advance(10 * SECOND - 1);
    assert.deepEqual(ended, ["away"]);
    await hub.clock.advance(1);
    assert.equal((await calls[0]!).status, 504);
  });

  test("gives back locks, and lets queries see what was written", async () => {
    await using scene = setup({ queryLagInMs: 5 * SECOND });
    const { hub, rest, registry } = scene;
    await rest.createDevices("d");
    const seen = async (): Promise<number> =>
      (await registry.queryIotHub<unknown>("SELECT deviceId FROM devices")).items.length;
    assert.equal(await seen(), 0);
    await hub.clock.advance(5 * SECOND);
    assert.equal(await seen(), 1);

    await registry.sendC2dMessage("d", "m");
    const { symmetricKey } = (await rest.do("GET", "/devices/d")).authentication;
    const authorization = signSas({
      connectionString: `HostName=${hub.hostName};SharedAccessKeyName=;SharedAccessKey=${symmetricKey.primaryKey}`,
      sr: `${hub.hostName}/devices/d`,
    }).replace(/&skn=.*$/, "");
    const take = async (): Promise<number> => {
      const url = `https://${hub.hostName}/devices/d/messages/deviceBound?api-version=2021-04-12`;
      return (await hub.fetch(new Request(url, { headers: { authorization } }))).status;
    };
    assert.deepEqual([await take(), await take()], [200, 204]);
    await hub.clock.advance(MINUTE - 1);
    assert.equal(await take(), 204);
    await hub.clock.advance(1);
    assert.equal(await take(), 200);
  });

  test("lets tokens expire, and with them the connections that depend on them", async () => {
    await using scene = await MqttHub.start();
    const { hub, rest, registry } = scene;
    await rest.createDevices("d");
    const client = await scene.connect("d");
    await using bearer = IoTHubRegistryManager.fromTokenCredential(
      hub.hostName,
      hub.tokenCredential(),
      hub.clientOptions,
    );
    assert.equal((await bearer.getDevice("d")).connectionState, "Connected");
    await hub.clock.advance(3 * HOUR);
    await client.closed;
    assert.equal(
      (await registry.getDevice("d")).connectionState,
      "Disconnected",
      "this client follows the hub's clock",
    );
    await hub.clock.advance(24 * HOUR);
    await assert.rejects(registry.getDevice("d"), { statusCode: 401 });
    await bearer.getDevice("d");
    const late = signSas({ connectionString: hub.connectionString, se: Math.floor(hub.clock.now() / 1000) + 60 });
    const request = () =>
      hub.fetch(
        new Request(`https://${hub.hostName}/devices/d?api-version=2021-04-12`, { headers: { authorization: late } }),
      );
    assert.equal((await request()).status, 200);
    await hub.clock.advance(HOUR);
    assert.equal((await request()).status, 401);
  });

  test("stamps the errors of every protocol", async () => {
    await using scene = await MqttHub.start({ now: () => START, clockSkewInSeconds: UNSTOPPABLE });
    const { hub, rest } = scene;
    const stamp = new Date(START).toISOString().slice(0, 19);
    await rest.createDevices("d");

    const client = await scene.connect("d");
    await client.subscribe("$iothub/twin/res/#");
    const [, body] = await client.ask("$iothub/twin/PATCH/properties/reported/?$rid=1", "[]");
    assert.equal(JSON.parse(body).timestampUtc.slice(0, 19), stamp);

    const { amqp, http } = await hub.listen({ amqp: 0, http: 0 });
    await using sender = new BareClient(Number(new URL(amqp!).port));
    await sender.putToken({ body: signSas({ connectionString: hub.connectionString }) });
    const { remote_state } = await outcomeOf(await sender.openSender("/messages/devicebound"), { to: "nobody" });
    const { description } = remote_state!["error"];
    assert.equal(JSON.parse(description).timestampUtc.slice(0, 19), stamp);

    const headers = { connection: "Upgrade", upgrade: "websocket" };
    const [refusal] = await once(get(`${http}/nothing`, { headers }), "response") as [IncomingMessage];
    refusal.resume();
    assert.equal(new Date(refusal.headers.date!).toISOString().slice(0, 19), stamp);
  });
});
