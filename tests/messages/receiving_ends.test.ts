import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Sender } from "rhea";
import type { IoTHubError } from "../../mod.ts";
import { REASON, rejectionOf, UNAUTHORIZED } from "../support/hub_scripts.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { batch, connect, outcomes, type Scene, start } from "../support/receiving_scene.ts";
import { drop, startScriptedHub } from "../support/scripted_hub.ts";
import { ScriptedQueue } from "../support/scripted_queue.ts";

describe("A loop ends", () => {
  test("without an error when nothing has come for maxWaitTimeInMs", async () => {
    using time = new MockedTime();
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1", "2"));
    const seen: string[] = [];
    let hasEnded = false;
    async function consume(): Promise<void> {
      for await (const { originalMessageId } of registry.receiveFeedback({ maxWaitTimeInMs: 5_000 })) {
        seen.push(originalMessageId!);
      }
      hasEnded = true;
    }
    const consumed = consume();
    await log.until("accepted");
    await time.passInSteps(4_900, 700);
    assert.equal(hasEnded, false);
    time.pass(100);
    await consumed;
    assert.deepEqual(seen, ["1", "2"]);
    await log.until("detached");
    assert.deepEqual(outcomes(log), ["accepted", "detached"]);
  });

  test("without an error when the hub could not even be reached within maxWaitTimeInMs", async () => {
    await using hub = await startScriptedHub({ onToken: () => undefined });
    await using registry = connect(hub.endpoint);
    for await (const _record of registry.receiveFeedback({ maxWaitTimeInMs: 50 })) assert.fail("Nothing was sent");
  });

  test("with the signal's reason when that aborts while it waits", async () => {
    await using scene = await start();
    const { log, registry } = scene;
    const controller = new AbortController();
    const next = registry.receiveFeedback({ abortSignal: controller.signal }).next();
    await log.until("credit 1");
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(next, (error) => error === reason);
    await log.until("detached");
  });

  test("with the signal's reason when that has aborted before", async () => {
    await using scene = await start();
    const { hub, registry } = scene;
    const reason = new Error("enough");
    const next = registry.receiveFeedback({ abortSignal: AbortSignal.abort(reason) }).next();
    await assert.rejects(next, (error) => error === reason);
    assert.equal(hub.connections.length, 0);
  });

  test("with the signal's reason when that aborts while a record is handled, which is the hub's again at once", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1"));
    const controller = new AbortController();
    const reason = new Error("enough");
    let count = 0;
    await assert.rejects(
      async () => {
        for await (const _record of registry.receiveFeedback({ abortSignal: controller.signal })) {
          count++;
          controller.abort(reason);
          await log.until("detached");
        }
      },
      (error) => error === reason,
    );
    assert.equal(count, 1);
    assert.equal(log.count("accepted"), 0);
  });

  test("and leaves no listener on the signal", async () => {
    await using scene = await start();
    const { queue, registry } = scene;
    queue.put(batch("1"));
    const { signal: abortSignal } = new AbortController();
    let listeners = 0;
    const add = abortSignal.addEventListener.bind(abortSignal);
    const remove = abortSignal.removeEventListener.bind(abortSignal);
    abortSignal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    abortSignal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    for await (const _record of registry.receiveFeedback({ abortSignal })) break;
    assert.equal(listeners, 0);
  });

  test("with Closed when the manager is closed while it waits", async () => {
    await using scene = await start();
    const { log, registry } = scene;
    const next = rejectionOf(registry.receiveFeedback().next());
    await log.until("credit 1");
    await registry.close();
    const { code, operation, retryable } = await next;
    assert.deepEqual([code, operation, retryable], ["Closed", "receiveFeedback", false]);
  });

  test("with Closed when the manager is closed while a record is handled", async () => {
    await using scene = await start();
    const { queue, log, registry } = scene;
    queue.put(batch("1", "2"));
    const records = registry.receiveFeedback();
    assert.equal((await records.next()).value.originalMessageId, "1");
    await registry.close();
    // What has come is shown to its end.
    assert.equal((await records.next()).value.originalMessageId, "2");
    assert.equal((await rejectionOf(records.next())).code, "Closed");
    assert.equal(log.count("accepted"), 0);
  });

  test("with Closed where the manager was closed before", async () => {
    await using scene = await start();
    const { hub, registry } = scene;
    await registry.close();
    assert.equal((await rejectionOf(registry.receiveFeedback().next())).code, "Closed");
    assert.equal(hub.connections.length, 0);
  });

  test("with Timeout when the hub was out of reach for timeoutInMs", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub({ onOpen: drop });
    await using registry = connect(hub.endpoint, { retryOptions: { retryDelayInMs: 5, maxRetryDelayInMs: 5 } });
    const next = rejectionOf(registry.receiveFeedback({ timeoutInMs: 10_000 }).next());
    await time.passUntil(() => hub.connections.length > 1);
    const error = await time.settle(next, 500);
    assert.deepEqual([error.code, error.operation, error.retryable], ["Timeout", "receiveFeedback", true]);
    assert.match(error.message, /no link to the hub within 10000 ms, since the AMQP connection to .* failed/);
    assert.equal((error.cause as IoTHubError).code, "NetworkError");
    assert.ok(hub.connections.length > 1);
  });

  test("with Timeout when the hub has refused the link again and again for timeoutInMs", async () => {
    using time = new MockedTime();
    await using scene = await start(
      { onSource: (link) => link.close(REASON) },
      { retryOptions: { retryDelayInMs: 5, maxRetryDelayInMs: 5 } },
    );
    const { hub, registry } = scene;
    const next = rejectionOf(registry.receiveFeedback({ timeoutInMs: 10_000 }).next());
    await time.passUntil(() => hub.sources.length > 1);
    const error = await time.settle(next, 500);
    assert.equal(error.code, "Timeout");
    assert.match(error.message, /Moving house/);
    assert.ok(hub.sources.length > 1);
    assert.equal(hub.connections.length, 1);
  });

  const TAKEN_BACK: [what: string, take: (link: Sender) => void, reason: RegExp][] = [
    ["the link", (link) => link.close(REASON), /Moving house/],
    ["the link for want of rights", (link) => link.close(UNAUTHORIZED), /unauthorized-access/],
    ["the session", (link) => link.session.close(REASON), /Moving house/],
    ["the connection", (link) => link.connection.close(REASON), /Moving house/],
  ];
  for (const [what, take, reason] of TAKEN_BACK) {
    test(`with Timeout when the hub has agreed and then closed ${what} again and again for timeoutInMs`, async () => {
      using time = new MockedTime();
      await using scene = await start(
        {
          onSource(link) {
            link.set_source({ address: link.source.address });
            take(link);
          },
        },
        { retryOptions: { retryDelayInMs: 5, maxRetryDelayInMs: 5 } },
      );
      const { hub, registry } = scene;
      const records = registry.receiveFeedback({ timeoutInMs: 10_000, maxWaitTimeInMs: 300_000 });
      const next = rejectionOf(records.next());
      await time.passUntil(() => hub.sources.length > 1);
      const error = await time.settle(next, 500);
      assert.equal(error.code, "Timeout");
      assert.match(error.message, reason);
      assert.ok(hub.sources.length > 1);
    });
  }

  test("with the first error where nothing is to be repeated", async () => {
    await using hub = await startScriptedHub({ onOpen: drop });
    await using registry = connect(hub.endpoint, { retryOptions: { maxRetries: 0 } });
    assert.equal((await rejectionOf(registry.receiveFeedback().next())).code, "NetworkError");
    assert.equal(hub.connections.length, 1);
  });

  for (const condition of ["amqp:not-found", "amqp:not-allowed"]) {
    test(`with the hub's error when the link is refused with ${condition}`, async () => {
      await using scene = await start({ onSource: (link) => link.close({ condition, description: "No." }) });
      const { hub, registry } = scene;
      const error = await rejectionOf(registry.receiveFeedback().next());
      assert.equal(error.retryable, false);
      assert.match(error.message, /No\./);
      assert.equal(hub.sources.length, 1);
    });
  }

  test("with Unauthorized when the link is refused with a new token too, and sends are not disturbed", async () => {
    await using scene = await start({ onSource: (link) => link.close(UNAUTHORIZED) });
    const { hub, registry } = scene;
    const sends = [registry.sendC2dMessage("d1", "before")];
    const error = rejectionOf(registry.receiveFeedback().next());
    for (let i = 0; i < 20; i++) {
      sends.push(registry.sendC2dMessage("d1", `${i}`));
      await turns(1);
    }
    const { code, statusCode, operation } = await error;
    assert.deepEqual([code, statusCode, operation], ["Unauthorized", 401, "receiveFeedback"]);
    await Promise.all(sends);
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.links.length, 1);
    assert.equal(hub.sources.length, 2);
    assert.equal(hub.tokens.length, 2);
  });
});

describe("A loop goes on", () => {
  const LOSSES: [what: string, lose: (scene: Scene) => void][] = [
    ["the connection is lost", ({ hub }) => drop(hub.connections.at(-1)!)],
    ["the connection is closed", ({ hub }) => hub.connections.at(-1)!.close(REASON)],
    ["the session is ended", ({ queue }) => queue.links.at(-1)!.session.close(REASON)],
    ["the link is closed", ({ queue }) => queue.links.at(-1)!.close()],
    ["the link is closed with a reason", ({ queue }) => queue.links.at(-1)!.close(REASON)],
    ["the link is closed for want of a token", ({ queue }) => queue.links.at(-1)!.close(UNAUTHORIZED)],
  ];
  for (const [what, lose] of LOSSES) {
    test(`when ${what} while it waits`, async () => {
      await using scene = await start();
      const { queue, log, registry } = scene;
      const next = registry.receiveFeedback().next();
      for (let times = 1; times <= 3; times++) {
        await log.until("credit 1", times);
        lose(scene);
        await log.until("attached", times + 1);
      }
      queue.put(batch("1"));
      assert.equal((await next).value.originalMessageId, "1");
    });

    test(`when ${what} while a record is handled, which comes again`, async () => {
      await using scene = await start();
      const { queue, log, registry } = scene;
      queue.put(batch("1"));
      let count = 0;
      for await (const record of registry.receiveFeedback()) {
        assert.equal(record.originalMessageId, "1");
        if (++count === 2) {
          record.complete();
          break;
        }
        lose(scene);
        await log.until("detached");
        await turns();
      }
      await log.until("accepted");
      assert.equal(log.count("accepted"), 1);
      assert.equal(log.count("attached"), 2);
    });
  }

  test("after each of several outages that are shorter than timeoutInMs, if the links between them last", async () => {
    using time = new MockedTime();
    const queue = new ScriptedQueue();
    let isUp = false;
    await using hub = await startScriptedHub({
      onSource: (link) => isUp ? queue.attach(link) : link.close(REASON),
    });
    await using registry = connect(hub.endpoint);
    const next = registry.receiveFeedback({ timeoutInMs: 30_000 }).next();
    for (let outage = 1; outage <= 3; outage++) {
      await time.passInSteps(20_000, 1_000);
      isUp = true;
      await time.passInSteps(20_000, 1_000);
      assert.equal(queue.log.count("attached"), outage);
      isUp = false;
      queue.links.at(-1)!.close(REASON);
    }
    isUp = true;
    await time.passInSteps(5_000, 1_000);
    queue.put(batch("1"));
    assert.equal((await next).value.originalMessageId, "1");
  });

  test("when the hub is out of reach for longer than maxRetries openings", async () => {
    const queue = new ScriptedQueue();
    let openings = 0;
    await using hub = await startScriptedHub({
      onSource: queue.attach,
      onOpen: (connection) => ++openings <= 12 && drop(connection),
    });
    await using registry = connect(hub.endpoint);
    queue.put(batch("1"));
    assert.equal((await registry.receiveFeedback().next()).value.originalMessageId, "1");
    assert.equal(openings, 13);
  });
});

describe("The options of a loop are refused by its first step, and nothing is opened:", () => {
  const WRONG: [options: unknown, kind: typeof TypeError | typeof RangeError, name: string][] = [
    [{ maxWaitTimeInMs: "1" }, TypeError, "maxWaitTimeInMs"],
    [{ maxWaitTimeInMs: 0 }, RangeError, "maxWaitTimeInMs"],
    [{ maxWaitTimeInMs: -1 }, RangeError, "maxWaitTimeInMs"],
    [{ maxWaitTimeInMs: NaN }, RangeError, "maxWaitTimeInMs"],
    [{ timeoutInMs: 0 }, RangeError, "timeoutInMs"],
    [{ timeoutInMs: "1" }, TypeError, "timeoutInMs"],
    [{ abortSignal: {} }, TypeError, "abortSignal"],
    [null, TypeError, "options"],
    [7, TypeError, "options"],
  ];
  for (const [options, kind, name] of WRONG) {
    test(JSON.stringify(options), async () => {
      await using registry = connect(() => assert.fail("The endpoint was asked for"));
      for (const method of ["receiveFeedback", "receiveFileNotifications"] as const) {
        await assert.rejects(registry[method](options as object).next(), (error) => {
          assert.equal((error as Error).constructor, kind, `${error}`);
          assert.ok((error as Error).message.startsWith(`Cannot use ${name}`), `${error}`);
          return true;
        });
      }
    });
  }

  test("and a wait without an end is none of them", async () => {
    await using scene = await start();
    scene.queue.put(batch("1"));
    for await (const _record of scene.registry.receiveFeedback({ maxWaitTimeInMs: Infinity })) break;
  });
});
