import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubThrottling } from "../../lib/local/mod.ts";
import { turns } from "../support/mocked_time.ts";
import { type Answer, RestCaller } from "../support/rest_caller.ts";

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
    const answer = await this.#settle(this.send(method, path, body));
    return { answer, seconds: (this.hub.clock.now() - started) / 1000 };
  }

  /** Makes calls at once. */
  async calls(count: number, method: string, path: string): Promise<Answer[]> {
    return await this.#settle(Promise.all(Array.from({ length: count }, () => this.send(method, path))));
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
  async #settle<T>(promise: Promise<T>): Promise<T> {
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
