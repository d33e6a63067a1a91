import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Delivery } from "rhea";
import type { IoTHubError } from "../../lib/errors/errors.ts";
import type { ResolvedRetryOptions } from "../../lib/timing/retry_options.ts";
import { AmqpClient } from "../support/amqp_client.ts";
import { EventLog } from "../support/event_log.ts";
import {
  type Arrival,
  first,
  grant,
  REASON,
  rejectionOf,
  rejectWith,
  retries,
  textOf,
} from "../support/hub_scripts.ts";
import { LargeRandom } from "../support/large_random.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { drop, startScriptedHub } from "../support/scripted_hub.ts";

/** Repetitions that no time-out of a test leaves room for. */
const LATE: { retryOptions: ResolvedRetryOptions } = {
  retryOptions: { maxRetries: 4, retryDelayInMs: 1e12, maxRetryDelayInMs: 1e12 },
};

describe("A message is sent again with the same id and body until it is accepted, when", () => {
  const PASSING: [what: string, outcome: (arrival: Arrival) => void][] = [
    ["it is released", ({ delivery }) => delivery.release()],
    ["it is modified", ({ delivery }) => delivery.modified({ delivery_failed: true })],
    ["it is settled without an outcome", ({ delivery }) => delivery.update(true)],
    ["it is rejected without a reason", ({ delivery }) => delivery.reject()],
    ...[
      "amqp:internal-error",
      "amqp:link:detach-forced",
      "amqp:connection:forced",
      "com.microsoft:timeout",
      "com.microsoft:device-container-throttled",
      "com.microsoft:quota-exceeded",
    ].map((condition): [string, (arrival: Arrival) => void] => [
      `it is rejected with ${condition}`,
      rejectWith(condition),
    ]),
    ["the link is closed", ({ link }) => link.close()],
    ["the link is closed with a reason", ({ link }) => link.close(REASON)],
    ["the session is ended", ({ link }) => link.session.close()],
    ["the session is ended with a reason", ({ link }) => link.session.close(REASON)],
    ["the connection is closed", ({ connection }) => connection.close()],
    ["the connection is closed with a reason", ({ connection }) => connection.close(REASON)],
    ["the socket is gone", ({ connection }) => drop(connection)],
  ];
  for (const [what, outcome] of PASSING) {
    test(what, async () => {
      await using hub = await startScriptedHub(first(outcome, outcome, outcome));
      await using client = new AmqpClient(hub.endpoint, retries(3));
      await client.send("text", { messageId: "m-1", priority: 7 });
      const arrived = { id: "m-1", text: "text", priority: 7 };
      assert.deepEqual(
        hub.messages.map((message) => ({
          id: message.message_id,
          text: textOf({ message }),
          priority: message.application_properties!["priority"],
        })),
        new Array(4).fill(arrived),
      );
    });
  }

  test("no verdict comes within attemptTimeoutInMs", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onMessage({ delivery }) {
        log.add("message");
        if (log.count("message") === 3) delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, { ...retries(2), attemptTimeoutInMs: 5_000 });
    const sent = client.send("text");
    for (const attempt of [1, 2]) {
      await log.until("message", attempt);
      // The time-out first, then the moments after which the loss is told and the next connection begun.
      await time.passInSteps(5_000, 5_000);
      await time.passInSteps(10, 1);
    }
    await sent;
    assert.equal(hub.messages.length, 3);
    assert.equal(new Set(hub.messages.map(({ message_id }) => message_id)).size, 1);
    assert.equal(hub.connections.length, 3);
  });

  test("the connection is dropped while it opens", async () => {
    let openings = 0;
    await using hub = await startScriptedHub({
      onOpen: (connection) => ++openings <= 3 && drop(connection),
    });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    await client.send("text");
    assert.equal(openings, 4);
    assert.equal(hub.messages.length, 1);
  });

  test("nobody listens for a while", async () => {
    await using hub = await startScriptedHub();
    const gone = await startScriptedHub();
    await gone[Symbol.asyncDispose]();
    let asked = 0;
    await using client = new AmqpClient(
      () => Promise.resolve(++asked <= 3 ? gone.endpoint : hub.endpoint),
      retries(3),
    );
    await Promise.all([client.send("1"), client.send("2")]);
    assert.deepEqual(hub.messages.map((message) => textOf({ message })), ["1", "2"]);
  });

  test("the token is answered with 429, 500 and 503 first", async () => {
    await using hub = await startScriptedHub({
      onToken: (_, number) => ({ status: [429, 500, 503][number - 1] ?? 200 }),
    });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    await client.send("text");
    assert.equal(hub.tokens.length, 4);
  });

  test("the link is refused for a reason that may pass", async () => {
    let links = 0;
    await using hub = await startScriptedHub({
      onAttach: (link) => ++links <= 3 ? link.close(REASON) : grant(link, 10),
    });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    await client.send("text");
    assert.equal(links, 4);
    assert.equal(hub.connections.length, 1);
  });
});

describe("A message is not sent again when it is rejected with", () => {
  const FINAL = [
    "amqp:not-found",
    "amqp:unauthorized-access",
    "amqp:resource-limit-exceeded",
    "amqp:link:message-size-exceeded",
    "amqp:not-allowed",
    "amqp:not-implemented",
    "amqp:precondition-failed",
    "com.microsoft:argument-error",
    "com.microsoft:argument-out-of-range",
    "com.microsoft:iot-hub-suspended",
    "com.microsoft:iot-hub-not-found-error",
    "contoso:odd",
  ];
  for (const condition of FINAL) {
    test(condition, async () => {
      await using hub = await startScriptedHub(first(rejectWith(condition)));
      await using client = new AmqpClient(hub.endpoint, retries(4));
      const error = await rejectionOf(client.send("text"));
      assert.equal(error.retryable, false);
      assert.ok(error.message.includes(condition), error.message);
      await client.send("next");
      assert.deepEqual(hub.messages.map((message) => textOf({ message })), ["text", "next"]);
    });
  }
});

describe("maxRetries", () => {
  test("bounds the repetitions, and the error is that of the last failure", async () => {
    await using hub = await startScriptedHub(first(
      ({ delivery }) => delivery.release(),
      ({ connection }) => drop(connection),
      rejectWith("com.microsoft:device-container-throttled"),
    ));
    await using client = new AmqpClient(hub.endpoint, retries(2));
    const error = await rejectionOf(client.send("text"));
    assert.deepEqual([error.code, error.statusCode, error.retryable], ["ThrottlingException", 429, false]);
    assert.equal(hub.messages.length, 3);
  });

  test("of 0 sends once", async () => {
    await using hub = await startScriptedHub(first(({ delivery }) => delivery.release()));
    await using client = new AmqpClient(hub.endpoint, retries(0));
    assert.equal((await rejectionOf(client.send("text"))).code, "MessageNotAccepted");
    assert.equal(hub.messages.length, 1);
  });

  test("counts for each message by itself", async () => {
    await using hub = await startScriptedHub({
      onMessage: (arrival) => textOf(arrival) === "bad" ? arrival.delivery.release() : arrival.delivery.accept(),
    });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    const [bad, ...others] = await Promise.allSettled([
      client.send("bad"),
      client.send("1"),
      client.sendTo("d2", "2"),
    ]);
    assert.equal(bad.status, "rejected");
    assert.deepEqual(others.map(({ status }) => status), ["fulfilled", "fulfilled"]);
    assert.equal(hub.messages.filter((message) => textOf({ message }) === "bad").length, 4);
  });

  test("bounds the openings of a connection, and all that wait are told", async () => {
    await using hub = await startScriptedHub({ onOpen: drop });
    await using client = new AmqpClient(hub.endpoint, retries(2));
    const errors = await Promise.all([rejectionOf(client.send("1")), rejectionOf(client.send("2"))]);
    assert.deepEqual(errors.map(({ code }) => code), ["NetworkError", "NetworkError"]);
    assert.equal(hub.connections.length, 3);
  });

  test("is used up once where a lost link is followed by a lost connection", async () => {
    using time = new MockedTime();
    // Most of the wait, not any part of it: the connection is to be lost before it is over.
    using _random = new LargeRandom(0.9);
    const log = new EventLog();
    await using hub = await startScriptedHub(first(({ link, connection }) => {
      connection.once("disconnected", () => log.add("lost"));
      link.close(REASON);
      link.once("receiver_close", () => drop(connection));
    }));
    const retryOptions = { maxRetries: 1, retryDelayInMs: 5_000, maxRetryDelayInMs: 5_000 };
    await using client = new AmqpClient(hub.endpoint, { retryOptions });
    const sent = Promise.all([client.send("1"), client.send("2")]);
    await time.passUntil(() => log.count("lost") > 0);
    await time.settle(sent, 100);
    assert.equal(hub.connections.length, 2);
  });
});

describe("timeoutInMs", () => {
  test("bounds the repetitions; the error says what was waited for, its cause why it was sent again", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub(first(({ delivery }) => delivery.release(), () => {}));
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const sent = rejectionOf(client.send("text", {}, { timeoutInMs: 10_000 }));
    await time.passUntil(() => hub.messages.length === 2);
    time.pass(10_000);
    const error = await sent;
    assert.deepEqual([error.code, error.retryable], ["Timeout", false]);
    assert.match(error.message, /within 10000 ms: the hub gave no verdict; the hub may or may not have the message$/);
    assert.equal((error.cause as IoTHubError).code, "MessageNotAccepted");
  });

  test("says why a message that has to be sent again was not", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub({
      ...first(({ delivery }) => delivery.release()),
      onAttach: (link) => grant(link, 1),
    });
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const sent = rejectionOf(client.send("text", {}, { timeoutInMs: 10_000 }));
    await time.passUntil(() => hub.messages.length === 1);
    await time.passInSteps(10, 1);
    time.pass(10_000);
    const error = await sent;
    assert.equal(error.code, "Timeout");
    assert.match(error.message, /it has to be sent again, since the hub did not accept the message \(released\)/);
    assert.equal((error.cause as IoTHubError).code, "MessageNotAccepted");
  });

  test("holds for what is sent again on a connection that gives no credit", async () => {
    using time = new MockedTime();
    let links = 0;
    await using hub = await startScriptedHub({
      onAttach: (link) => grant(link, ++links === 1 ? 10 : 0),
      onMessage: () => {},
    });
    await using client = new AmqpClient(hub.endpoint, { ...retries(4), attemptTimeoutInMs: 4_000 });
    const sent = rejectionOf(client.send("text", {}, { timeoutInMs: 15_000 }));
    await time.passUntil(() => hub.messages.length === 1);
    time.pass(4_000);
    await time.passUntil(() => links === 2);
    const error = await time.settle(sent, 1_000);
    assert.equal(error.code, "Timeout");
    assert.match(error.message, /it has to be sent again, since the hub gave no verdict on a message within 4000 ms/);
    assert.equal((error.cause as IoTHubError).code, "Timeout");
  });

  test("says of a message that waits behind another one that it does", async () => {
    await using hub = await startScriptedHub(first(({ delivery }) => delivery.release()));
    const retryOptions = { maxRetries: 1, retryDelayInMs: 1e6, maxRetryDelayInMs: 1e6 };
    await using client = new AmqpClient(hub.endpoint, { retryOptions });
    const controller = new AbortController();
    const earlier = client.send("1", {}, { timeoutInMs: 1e8, abortSignal: controller.signal });
    await client.sendTo("d2", "2");
    const error = await rejectionOf(client.send("3", {}, { timeoutInMs: 50 }));
    assert.equal(error.code, "Timeout");
    assert.match(error.message, /an earlier message for the same device has to be sent again/);
    controller.abort(new Error("enough"));
    await assert.rejects(earlier, { message: "enough" });
  });

  test("that leaves no room for the wait before a repetition lets the send fail at once, with the real error", async () => {
    await using hub = await startScriptedHub(first(({ delivery }) => delivery.release()));
    await using client = new AmqpClient(hub.endpoint, LATE);
    assert.equal((await rejectionOf(client.send("text", {}, { timeoutInMs: 20_000 }))).code, "MessageNotAccepted");
  });

  test("that leaves no room for another opening lets the send fail at once, with the real error", async () => {
    await using hub = await startScriptedHub({ onOpen: drop });
    await using client = new AmqpClient(hub.endpoint, LATE);
    assert.equal((await rejectionOf(client.send("text", {}, { timeoutInMs: 20_000 }))).code, "NetworkError");
    assert.equal(hub.connections.length, 1);
  });
});

describe("A message whose sender no longer waits", () => {
  test("is not sent again when its connection is lost", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onMessage(arrival) {
        log.add(textOf(arrival));
        if (log.count("kept") > 1 || textOf(arrival) === "last") arrival.delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const controller = new AbortController();
    const aborted = client.send("aborted", {}, { abortSignal: controller.signal });
    const late = client.send("late", {}, { timeoutInMs: 10_000 });
    const kept = client.send("kept");
    await log.until("kept");
    controller.abort(new Error("enough"));
    await assert.rejects(aborted, { message: "enough" });
    const timedOut = rejectionOf(late);
    time.pass(10_000);
    assert.equal((await timedOut).code, "Timeout");
    drop(hub.connections[0]!);
    await time.settle(kept);
    await client.send("last");
    assert.deepEqual(log.events, ["aborted", "late", "kept", "kept", "last"]);
  });

  test("is not sent again when the hub gives it back", async () => {
    const log = new EventLog();
    let held: Delivery;
    await using hub = await startScriptedHub({
      onMessage(arrival) {
        log.add(textOf(arrival));
        if (textOf(arrival) === "aborted") held = arrival.delivery;
        else arrival.delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(4));
    const controller = new AbortController();
    const aborted = client.send("aborted", {}, { abortSignal: controller.signal });
    await log.until("aborted");
    controller.abort(new Error("enough"));
    await assert.rejects(aborted, { message: "enough" });
    held!.release();
    await client.send("1");
    await client.send("2");
    assert.deepEqual(log.events, ["aborted", "1", "2"]);
  });
});
