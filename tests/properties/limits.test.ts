import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { holds } from "../support/properties.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

/** One call, in ticks of a clock that the test turns. */
interface Plan {
  readonly arrival: number;
  readonly duration: number;
  /** When its caller gives it up. */
  readonly abort: number | undefined;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  arrival: fc.nat({ max: 8 }),
  duration: fc.integer({ min: 1, max: 4 }),
  abort: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
});

/** Answers requests when their time has come, and counts those under way. */
class SlowHub {
  readonly started: number[] = [];
  running = 0;
  most = 0;
  tick = 0;
  readonly #plans: readonly Plan[];
  readonly #due: { at: number; answer: () => void }[] = [];

  constructor(plans: readonly Plan[]) {
    this.#plans = plans;
  }

  readonly fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    const id = /devices\/call(\d+)/.exec(url)?.[1];
    if (id === undefined) return Promise.resolve(Response.json({}));
    this.started.push(Number(id));
    this.most = Math.max(this.most, ++this.running);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void): void => {
        if (isOver) return;
        isOver = true;
        this.running--;
        settle();
      };
      init.signal?.addEventListener("abort", () => end(() => reject(init.signal!.reason)));
      const at = this.tick + this.#plans[Number(id)]!.duration;
      this.#due.push({ at, answer: () => end(() => resolve(Response.json({}))) });
    });
  };

  /** Gives the answers that are due. */
  answer(): void {
    for (const { at, answer } of this.#due) if (at <= this.tick) answer();
  }
}

describe("calls under a limit", () => {
  test("never exceed it, are let through in the order of their arrival, and all end", async () => {
    const property = fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 14, size: "max" }),
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.nat({ max: 14 }), { freq: 4 }),
      async (plans, limit, closing) => {
        const hub = new SlowHub(plans);
        await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
          fetch: hub.fetch,
          limits: { maxConcurrentRequests: limit },
        });
        // Signs the token, which takes real time.
        await registry.getDevice("first");
        const outcomes = new Map<number, unknown>();
        const aborts = plans.map(() => new AbortController());
        const arrived: number[] = [];
        let atClosing: number | undefined;
        const last = plans.reduce((sum, { duration }) => sum + duration, 12);
        for (; hub.tick <= last; hub.tick++) {
          hub.answer();
          if (hub.tick === closing) {
            atClosing = hub.started.length;
            void registry.close();
          }
          for (const [index, { arrival, abort }] of plans.entries()) {
            if (arrival === hub.tick) {
              arrived.push(index);
              registry.getDevice(`call${index}`, { abortSignal: aborts[index]!.signal }).then(
                () => outcomes.set(index, "done"),
                (error) => outcomes.set(index, error),
              );
            }
            if (abort === hub.tick) aborts[index]!.abort(index);
          }
          await setImmediate();
          assert.ok(hub.running <= limit);
          const waiting = arrived.filter((index) => !hub.started.includes(index) && !outcomes.has(index));
          assert.ok(waiting.length === 0 || hub.running === limit, "nobody waits while there is room");
        }
        assert.ok(hub.most <= limit, `${hub.most} at once`);
        assert.deepEqual(
          hub.started,
          arrived.filter((index) => hub.started.includes(index)),
          "first come, first served",
        );
        if (atClosing !== undefined) assert.equal(hub.started.length, atClosing, "nothing starts after close()");
        for (const [index, { abort }] of plans.entries()) {
          const outcome = outcomes.get(index);
          if (outcome === "done") assert.ok(hub.started.includes(index));
          else if (outcome === index) assert.notEqual(abort, undefined);
          else {
            assert.ok(outcome instanceof IoTHubError && outcome.code === "Closed", String(outcome));
            assert.notEqual(closing, null);
          }
        }
      },
    );
    await holds(property, 100);
  });
});
