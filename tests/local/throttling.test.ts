import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubThrottling } from "../../lib/local/mod.ts";
import { HubWatch } from "../support/hub_watch.ts";
import { ListeningHub } from "../support/listening_hub.ts";
import { once } from "../support/local_amqp.ts";
import { turns } from "../support/mocked_time.ts";
import { MqttHub } from "../support/mqtt_hub.ts";
import { type Answer, RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";
import { IoTHubRegistryManager } from "../../mod.ts";

/** A hub whose clock stands still until it is set on. */
class Scene implements AsyncDisposable {
  readonly hub: LocalHub;
  readonly #caller: RestCaller;

  constructor(throttling?: LocalHubThrottling) {
    const start = Date.now();
    this.hub = new LocalHub({ throttling, now: () => start });
    this.#caller = new RestCaller(this.hub);
  }

  /** Makes a call. Returns its answer, and how many seconds it has taken by the hub's clock. */
  async call(method: string, path: string, body?: unknown) {
    const started = this.hub.clock.now();
    const answer = await this.settle(this.send(method, path, body));
    return { answer, seconds: (this.hub.clock.now() - started) / 1000 };
  }

  /** Makes calls at once. */
  async calls(count: number, method: string, path: string, body?: unknown): Promise<Answer[]> {
    return await this.settle(Promise.all(Array.from({ length: count }, () => this.send(method, path, body))));
  }

  /** Makes a call whose answer may have to wait. */
  send(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.#caller.call(method, path, body);
  }

  /** Resolves when the hub has all that was sent, and those have their answers that do not wait. */
  async arrived(): Promise<void> {
    // Nothing limits this one, and whatever is loaded with the first call is there after it.
    await this.#caller.do("GET", "/statistics/devices");
    await turns(10);
  }

  bulk(from: number, count: number, importMode: string = "create") {
    const elements = Array.from({ length: count }, (_, index) => ({ id: `d-${from + index}`, importMode }));
    return this.call("POST", "/devices", elements);
  }

  /** Sets the clock on, a second at a time, until a promise has settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    for (await this.arrived(); !isSettled; await this.arrived()) await this.hub.clock.advance(1000);
    return await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.close();
  }
}

describe("throttling", () => {
  test("makes requests wait first, and refuses those that would wait longer", async () => {
    await using scene = new Scene({ tier: "S1" });
    const answers = await scene.calls(130, "GET", "/devices/nobody");
    assert.equal(answers.filter(({ status }) => status === 404).length, 116, "100 at once, and 16 within ten seconds");
    const refused = answers.filter(({ status }) => status === 429);
    assert.equal(refused.length, 14);
    const [{ code, body, headers }] = refused as [Answer];
    assert.equal(code, "ThrottlingBacklogTimeout");
    assert.match(
      body.Message,
      /^ErrorCode:ThrottlingBacklogTimeout;The request has been throttled\. Wait 11 seconds and try again\. Operation type: RegistryRead$/,
    );
    assert.equal(headers.get("retry-after"), null);
  });

  test("counts a bulk request as its devices, or as one", async () => {
    {
      await using scene = new Scene({ tier: "S1" });
      assert.equal((await scene.bulk(0, 100)).answer.status, 200);
      assert.equal((await scene.bulk(100, 10)).seconds, 6);
      const { answer } = await scene.bulk(200, 100);
      assert.equal(answer.status, 429);
      assert.match(answer.body.Message, /Wait 60 seconds .* Operation type: CRUD$/);
      await scene.hub.clock.advance(60_000);
      assert.equal((await scene.bulk(200, 100)).answer.status, 200);
    }
    await using scene = new Scene({ tier: "S1", bulkCost: "request" });
    for (let request = 0; request < 20; request++) {
      const { answer, seconds } = await scene.bulk(request * 100, 100);
      assert.deepEqual([answer.status, seconds], [200, 0]);
    }
  });

  test("has a rate for each kind of request, tier and unit", async () => {
    const cases = [
      [{ tier: "S1" }, "GET", "/twins/nobody", 100, 10],
      [{ tier: "S3" }, "GET", "/twins/nobody", 500, 10],
      [{ tier: "S1" }, "POST", "/devices/query", 20, 3],
      [{ tier: "S1", units: 3 }, "POST", "/devices/query", 60, 10],
      [{ tier: "S1" }, "GET", "/configurations/none", 20, 3],
    ] as const;
    for (const [throttling, method, path, atOnce, later] of cases) {
      await using scene = new Scene(throttling);
      const rate = later / 10;
      const most = path.startsWith("/twins") ? atOnce + atOnce * 10 : atOnce + Math.floor(rate * 10);
      const count = path.startsWith("/twins") ? 120 : most + 5;
      const answers = await scene.calls(count, method, path);
      const refused = answers.filter(({ status }) => status === 429).length;
      assert.equal(refused, Math.max(0, count - most), `${method} ${path} of ${JSON.stringify(throttling)}`);
    }
  });

  test("counts twin updates in bulk apart, and direct methods by their size", async () => {
    await using scene = new Scene({ tier: "S1" });
    assert.equal((await scene.bulk(0, 100)).answer.status, 200);
    assert.equal((await scene.bulk(0, 100, "updateTwin")).seconds, 0);
    assert.equal((await scene.bulk(0, 100, "updateTwin")).seconds, 2, "50 per second");
    const call = (payload: string) => scene.call("POST", "/twins/d-1/methods", { methodName: "m", payload });
    assert.equal((await call("x".repeat(100_000))).seconds, 0, "25 of 40 blocks");
    const { answer, seconds } = await call("x".repeat(100_000));
    assert.deepEqual([answer.status, seconds], [404, 1], "15 are left, and 10 come in a quarter of a second");
  });

  test("limits what devices ask for over HTTPS", async () => {
    for (
      const [method, path, body, most] of [
        ["POST", "/devices/d-0/files", { blobName: "log.txt" }, 116],
        ["GET", "/devices/d-0/messages/devicebound", undefined, 1166],
      ] as const
    ) {
      await using scene = new Scene({ tier: "S1" });
      await scene.bulk(0, 1);
      const answers = await scene.calls(most + 4, method, path, body);
      assert.equal(answers.filter(({ status }) => status === 429).length, 4, path);
    }
  });

  test("limits messages for devices, which keep their order", async () => {
    await using scene = new Scene({ tier: "S1" });
    const { hub } = scene;
    await scene.bulk(0, 3);
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      ...hub.clientOptions,
      retryOptions: { maxRetries: 0 },
    });
    const texts: string[] = [];
    const watch = new HubWatch(hub);
    const sent = { kind: "operation", operation: "sendCloudToDeviceMessage" } as const;
    const send = (index: number) => registry.sendC2dMessage(`d-${index % 3}`, String(index));
    await scene.settle(Promise.all(Array.from({ length: 100 }, (_, index) => send(index))));
    for (const deviceId of ["d-0", "d-1", "d-2"]) hub.device(deviceId).onMessage(({ text }) => void texts.push(text));
    const late = Promise.allSettled(Array.from({ length: 20 }, (_, index) => send(100 + index)));
    await watch.until(sent, 104);
    assert.equal(watch.all({ ...sent, status: 429 }).length, 4, "the others wait");
    const outcomes = await scene.settle(late);
    const refused = outcomes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    assert.deepEqual(
      refused.map(({ reason }) => [reason.code, reason.statusCode, reason.retryable]),
      Array(4).fill(["ThrottlingBacklogTimeout", 429, true]),
    );
    await watch.until({ kind: "deviceAct", act: "completeMessage" }, 116);
    for (const rest of [0, 1, 2]) {
      const ofDevice = texts.map(Number).filter((index) => index % 3 === rest);
      assert.deepEqual(ofDevice, ofDevice.toSorted((one, other) => one - other));
    }
  });

  test("refuses devices that connect when too many do", async () => {
    const start = Date.now();
    await using mqtt = await MqttHub.start({ throttling: { tier: "S1" }, now: () => start });
    const { hub } = mqtt;
    const { amqp } = await hub.listen({ amqp: 0 });
    const listening = new ListeningHub(hub, Number(amqp!.split(":").at(-1)));
    await mqtt.rest.createDevices("d1", "d2");
    const faults: unknown[] = [];
    hub.onFault(({ error }) => void faults.push(error));
    const password = Buffer.from(signSas({ connectionString: hub.connectionStringFor("device") }));
    const credentials = { ...await mqtt.credentials("d1"), password };
    for (let count = 0; count < 100; count++) assert.equal((await mqtt.client().connect(credentials))[0], 0);
    assert.equal(await mqtt.refusal(credentials), 3, "the server is not available");
    const client = await listening.connectAs("device");
    const link = client.connection.open_sender("/devices/d2/messages/events");
    await once(link, "sender_error");
    assert.equal((link.error as { condition: string }).condition, "com.microsoft:device-container-throttled");
    await hub.clock.advance(10);
    // Its further links belong to the same connection of the device.
    for (let count = 0; count < 3; count++) await client.openSender("/devices/d2/messages/events");
    assert.equal(await mqtt.refusal(credentials), 3);
    assert.deepEqual(faults, []);
    await client[Symbol.asyncDispose]();
  });

  test("is off by default", async () => {
    await using scene = new Scene();
    const answers = await scene.calls(600, "GET", "/devices/nobody");
    assert.ok(answers.every(({ status }) => status === 404));
  });

  test("lets requests go on that wait when the hub is closed", async () => {
    await using scene = new Scene({ tier: "S1" });
    assert.equal((await scene.bulk(0, 100)).answer.status, 200);
    let isAnswered = false;
    const waiting = scene.send("GET", "/devices/d-0").then(() => isAnswered = true);
    await scene.arrived();
    assert.ok(!isAnswered);
    await scene.hub.close();
    await waiting;
  });
});
