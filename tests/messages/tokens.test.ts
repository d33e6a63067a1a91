import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AmqpClient, FixedCredential, HOST_NAME } from "../support/amqp_client.ts";
import { EventLog } from "../support/event_log.ts";
import { rejectionOf, retries, UNAUTHORIZED } from "../support/hub_scripts.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";
import { startScriptedHub } from "../support/scripted_hub.ts";

const RETRIES = retries(4);

const FEEDBACK = "/messages/serviceBound/feedback";

/** Gives tokens that tell when they end, and fails where it is told to. */
class TestCredential {
  readonly audience: string = HOST_NAME;
  readonly forced: boolean[] = [];
  readonly lives: string[] = [];
  readonly #lifeInMs: number;
  readonly #fails: (call: number) => boolean;

  constructor(lifeInMs: number = 3_600_000, fails: (call: number) => boolean = () => false) {
    this.#lifeInMs = lifeInMs;
    this.#fails = fails;
  }

  getToken({ forceRefresh = false }: { forceRefresh?: boolean }): Promise<{
    authorization: string;
    expiresOn: number;
  }> {
    if (this.#fails(this.forced.push(forceRefresh))) return Promise.reject(new Error("the source is down"));
    const expiresOn = Date.now() + this.#lifeInMs;
    const authorization = `token ${this.forced.length}`;
    this.lives.push(`${authorization} until ${expiresOn}`);
    return Promise.resolve({ authorization, expiresOn });
  }
}

describe("A token that the hub refuses", () => {
  test("once is replaced by a new one on a new connection, and the sends succeed", async () => {
    await using hub = await startScriptedHub({ onToken: (_, number) => ({ status: number === 1 ? 401 : 200 }) });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    await Promise.all([client.send("1"), client.send("2")]);
    assert.deepEqual(credential.forced, [false, true]);
    assert.deepEqual(hub.tokens.map(({ body }) => body), ["token 1", "token 2"]);
    assert.equal(hub.connections.length, 2);
    assert.equal(hub.messages.length, 2);
  });

  test("twice is refused for good, to all that wait", async () => {
    await using hub = await startScriptedHub({ onToken: () => ({ status: 401, description: "No." }) });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    const errors = await Promise.all([rejectionOf(client.send("1")), rejectionOf(client.send("2"))]);
    for (const { code, statusCode, retryable } of errors) {
      assert.deepEqual([code, statusCode, retryable], ["Unauthorized", 401, false]);
    }
    assert.deepEqual(credential.forced, [false, true]);
    assert.equal(hub.connections.length, 2);
  });

  test("with another status than 401 is not replaced", async () => {
    await using hub = await startScriptedHub({ onToken: () => ({ status: 404 }) });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    assert.equal((await rejectionOf(client.send(""))).code, "IotHubNotFound");
    assert.deepEqual(credential.forced, [false]);
  });
});

test("A token that was renewed is not shown when the hub repeats it to a receiver", async () => {
  let made = 0;
  const renewed = Promise.withResolvers<void>();
  await using hub = await startScriptedHub({
    onToken(_, number) {
      if (number === 2) renewed.resolve();
      return { status: 200 };
    },
  });
  await using client = new AmqpClient(hub.endpoint, {
    credential: {
      audience: HOST_NAME,
      getToken: () => {
        const authorization = `Bearer opaque-token-${++made}`;
        return Promise.resolve({ authorization, expiresOn: Date.now() + (made === 1 ? 400 : 3_600_000) });
      },
    },
  });
  const receiver = client.connection.openReceiver({
    operation: "receiveFeedback",
    address: FEEDBACK,
    timeoutInMs: 20_000,
  });
  const received = receiver.next();
  await renewed.promise;
  hub.sources[0]!.close({ condition: "amqp:not-found", description: "No room for opaque-token-2" });
  await assert.rejects(received, ({ message }: Error) => {
    assert.match(message, /No room for/);
    assert.doesNotMatch(message, /opaque-token-2/);
    return true;
  });
});

describe("A link closed with amqp:unauthorized-access", () => {
  test("after it has worked gets a new token and a new link, and nothing is lost", async () => {
    const accepted = new Set<unknown>();
    let count = 0;
    await using hub = await startScriptedHub({
      onMessage({ message, delivery, link }) {
        if (!link.is_open()) return;
        if (++count === 4) return link.close(UNAUTHORIZED);
        accepted.add(message.message_id);
        delivery.accept();
      },
    });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    const ids = Array.from({ length: 10 }, (_, i) => `m-${i}`);
    await Promise.all(ids.map((messageId) => client.send("", { messageId })));
    assert.deepEqual([...accepted].sort(), ids);
    assert.equal(hub.links.length, 2);
    assert.deepEqual(credential.forced, [false, true]);
    assert.deepEqual(hub.tokens.map(({ body }) => body), ["token 1", "token 2"]);
  });

  test("time and again, each time after it has worked, gets a new token each time", async () => {
    let count = 0;
    await using hub = await startScriptedHub({
      onMessage({ delivery, link }) {
        if (!link.is_open()) return;
        if (++count % 3 === 0) link.close(UNAUTHORIZED);
        else delivery.accept();
      },
    });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    for (let i = 0; i < 8; i++) await client.send(`${i}`);
    assert.deepEqual(credential.forced, [false, true, true, true]);
    assert.equal(hub.links.length, 4);
  });

  test("even with a new token is refused for good, and others on the connection are not disturbed", async () => {
    let links = 0;
    await using hub = await startScriptedHub({
      onAttach(link) {
        links++;
        link.close(UNAUTHORIZED);
      },
    });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    const receiver = client.connection.openReceiver({
      operation: "receiveFeedback",
      address: FEEDBACK,
      timeoutInMs: 20_000,
    });
    const received = receiver.next();
    for (const text of ["1", "2"]) {
      const { code, statusCode, retryable } = await rejectionOf(client.send(text));
      assert.deepEqual([code, statusCode, retryable], ["Unauthorized", 401, false]);
    }
    hub.sources[0]!.send({ body: "news" });
    await received;
    receiver.close();
    // The second send did not ask for yet another token.
    assert.equal(links, 3);
    assert.deepEqual(credential.forced, [false, true]);
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.sources.length, 1);
  });

  test("for a sender and a receiver at once lets both go on, on the same connection", async () => {
    await using hub = await startScriptedHub({
      onMessage({ delivery, link }) {
        delivery.accept();
        if (hub.links.length > 1) return;
        link.close(UNAUTHORIZED);
        hub.sources[0]!.close(UNAUTHORIZED);
      },
    });
    const credential = new TestCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    const receiver = client.connection.openReceiver({
      operation: "receiveFeedback",
      address: FEEDBACK,
      timeoutInMs: 20_000,
    });
    const received = receiver.next();
    await client.send("1");
    await client.send("2");
    while (hub.sources.length < 2) await turns(1);
    hub.sources[1]!.send({ body: "news" });
    await received;
    receiver.close();
    // One more where the second is closed after the first one's token has come.
    assert.ok(credential.forced.length <= 3, `${credential.forced.length} tokens`);
    assert.equal(hub.connections.length, 1);
  });

  test("while the token is being renewed anyway loses nothing", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    const renewal = Promise.withResolvers<void>();
    let calls = 0;
    await using hub = await startScriptedHub({ onToken: () => (log.add("token"), { status: 200 }) });
    const credential = {
      audience: HOST_NAME,
      async getToken() {
        if (++calls === 2) {
          log.add("renewal");
          await renewal.promise;
        }
        return { authorization: `token ${calls}`, expiresOn: Date.now() + 100_000 };
      },
    };
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential });
    await client.send("1");
    time.pass(91_000);
    await log.until("renewal");
    const closed = new Promise((resolve) => hub.links[0]!.once("receiver_close", resolve));
    hub.links[0]!.close(UNAUTHORIZED);
    await closed;
    const sent = client.send("2");
    await time.passInSteps(10, 1);
    renewal.resolve();
    await sent;
    assert.equal(hub.connections.length, 1);
  });
});

describe("The renewal of a token", () => {
  test("that fails is tried again before the old token ends", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onToken(request) {
        log.add(String(request.body));
        return { status: 200 };
      },
    });
    // Renewed after 90 s of 100, it fails twice.
    const credential = new TestCredential(100_000, (call) => call === 2 || call === 3);
    await using client = new AmqpClient(hub.endpoint, { credential });
    await client.send("1");
    await time.passInSteps(89_000, 1_000);
    assert.equal(credential.forced.length, 1);
    await time.passInSteps(10_000, 500);
    await log.until("token 4");
    await time.passInSteps(10_000, 1_000);
    await client.send("2");
    assert.deepEqual(log.events, ["token 1", "token 4"]);
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.links.length, 1);
  });

  test("that the hub refuses is tried again before the old token ends", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onToken(request, number) {
        log.add(String(request.body));
        return { status: number === 2 ? 500 : 200 };
      },
    });
    await using client = new AmqpClient(hub.endpoint, { credential: new TestCredential(100_000) });
    await client.send("1");
    await time.passInSteps(95_000, 500);
    await log.until("token 3");
    await client.send("2");
    assert.equal(hub.connections.length, 1);
  });

  for (const who of ["hub", "credential"]) {
    test(`that the ${who} does not answer ends the connection in time, and the next send opens another`, async () => {
      using time = new MockedTime();
      const log = new EventLog();
      await using hub = await startScriptedHub({
        onToken(_, number) {
          log.add("token");
          return who === "hub" && number === 2 ? undefined : { status: 200 };
        },
      });
      let calls = 0;
      const credential = {
        audience: HOST_NAME,
        getToken: () =>
          who === "credential" && ++calls === 2
            ? new Promise<never>(() => {})
            : Promise.resolve({ authorization: "token", expiresOn: Date.now() + 100_000 }),
      };
      await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential, attemptTimeoutInMs: 30_000 });
      await client.send("1");
      const closed = new Promise((resolve) => hub.connections[0]!.once("connection_close", resolve));
      await time.passInSteps(125_000, 500);
      await closed;
      await client.send("2");
      assert.equal(hub.connections.length, 2);
    });
  }

  test("goes on over several lives of 5 seconds with sends all the time, on one connection", async () => {
    using time = new MockedTime();
    const started = Date.now();
    let until = 0;
    const late: number[] = [];
    const credential = new TestCredential(5_000);
    await using hub = await startScriptedHub({
      onToken(request) {
        until = Number(credential.lives.find((life) => life.startsWith(`${request.body} `))!.split(" ").at(-1));
        return { status: 200 };
      },
      onMessage({ delivery }) {
        if (Date.now() > until) late.push(Date.now() - started);
        delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, { credential });
    for (let passed = 0; passed < 30_000; passed += 100) {
      await client.send(`${passed}`);
      time.pass(100);
    }
    assert.deepEqual(late, []);
    assert.equal(hub.messages.length, 300);
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.links.length, 1);
    // One every 4.5 s.
    assert.equal(hub.tokens.length, 7);
  });

  test("is made up for when the machine has slept past it, before anything is sent", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onToken: () => (log.add("token"), { status: 200 }),
      onMessage: ({ delivery }) => (log.add("message"), delivery.accept()),
    });
    await using client = new AmqpClient(hub.endpoint, { credential: new TestCredential(60_000) });
    await client.send("1");
    // The timers fire late, after the next send.
    const { now } = Date;
    const asleep = now() + 3_600_000;
    Date.now = () => asleep;
    try {
      await client.send("2");
    } finally {
      Date.now = now;
    }
    time.pass(1);
    assert.deepEqual(log.events, ["token", "message", "token", "message"]);
    assert.equal(hub.connections.length, 1);
  });
});

describe("A hub that never answers", () => {
  test("a token ends each opening after attemptTimeoutInMs, and all of them after maxRetries", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub({ onToken: () => undefined });
    const retryOptions = { ...RETRIES.retryOptions, maxRetries: 2 };
    await using client = new AmqpClient(hub.endpoint, { retryOptions, attemptTimeoutInMs: 5_000 });
    const sent = rejectionOf(client.send(""));
    for (const opening of [1, 2, 3]) {
      await time.passUntil(() => hub.tokens.length === opening);
      time.pass(5_000);
    }
    const { code, retryable, message } = await time.settle(sent);
    assert.deepEqual([code, retryable], ["Timeout", true]);
    assert.match(message, /the AMQP connection to amqp:\/\/127\.0\.0\.1:\d+ was not ready within 5000 ms/);
    assert.equal(hub.tokens.length, 3);
  });

  test("a token ends the send at its time-out", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub({ onToken: () => undefined });
    await using client = new AmqpClient(hub.endpoint, RETRIES);
    const sent = rejectionOf(client.send("", {}, { timeoutInMs: 5_000 }));
    await time.passUntil(() => hub.tokens.length === 1);
    time.pass(5_000);
    const { code, message } = await sent;
    assert.equal(code, "Timeout");
    assert.match(message, /within 5000 ms: the AMQP connection to amqp:\/\/127\.0\.0\.1:\d+ was not ready/);
  });

  test("with credit ends the send at its time-out, and the error says so", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onAttach(link) {
        link.set_target({ address: link.target.address });
        log.add("attached");
      },
    });
    const credential = new FixedCredential();
    await using client = new AmqpClient(hub.endpoint, { ...RETRIES, credential, attemptTimeoutInMs: 5_000 });
    const sent = rejectionOf(client.send("", {}, { timeoutInMs: 6_000 }));
    await log.until("attached");
    const { code, retryable, message } = await time.settle(sent, 1_000);
    assert.deepEqual([code, retryable], ["Timeout", true]);
    assert.match(message, /within 6000 ms: the hub granted no credit to send/);
    assert.equal(hub.connections.length, 1);
  });
});
