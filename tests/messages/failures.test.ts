import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AddressInfo, createServer } from "node:net";
import { inspect } from "node:util";
import rhea from "rhea";
import { IoTHubError } from "../../lib/errors/errors.ts";
import { AmqpClient, FixedCredential, SAS } from "../support/amqp_client.ts";
import { EventLog } from "../support/event_log.ts";
import { textOf } from "../support/hub_scripts.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { drop, type HubScript, startScriptedHub } from "../support/scripted_hub.ts";

/** The outcome `accepted`, as the library wants it. */
const ACCEPTED: unknown = (rhea.message as unknown as { accepted(): { described(): unknown } }).accepted().described();

/** The error of one send to a hub that does as the script says. */
async function failureOf(script: HubScript, timeoutInMs = 20_000): Promise<IoTHubError> {
  await using hub = await startScriptedHub(script);
  await using client = new AmqpClient(hub.endpoint);
  return await rejectionOf(client.send("text", {}, { timeoutInMs }));
}

async function rejectionOf(promise: Promise<unknown>): Promise<IoTHubError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof IoTHubError, String(error));
    assert.equal(error.operation, "sendC2dMessage");
    assert.match(error.message, /^Cannot complete sendC2dMessage/);
    assert.doesNotMatch(inspect(error, { depth: 8 }), /c2VjcmV0/, "shows the token's signature");
    return error;
  }
  assert.fail("It was accepted");
}

describe("A rejected message", () => {
  const CONDITIONS: [
    condition: string,
    code: string,
    statusCode: number,
    errorNumber: number | undefined,
    retryable: boolean,
  ][] = [
    ["amqp:not-found", "DeviceNotFound", 404, 404001, false],
    ["amqp:unauthorized-access", "Unauthorized", 401, undefined, false],
    ["amqp:resource-limit-exceeded", "DeviceMaximumQueueDepthExceeded", 403, 403004, false],
    ["amqp:link:message-size-exceeded", "MessageTooLarge", 413, 413001, false],
    ["amqp:not-allowed", "InvalidOperation", 400, 400003, false],
    ["amqp:not-implemented", "InvalidOperation", 400, 400003, false],
    ["amqp:internal-error", "ServerError", 500, 500001, true],
    ["amqp:precondition-failed", "PreconditionFailed", 412, 412001, false],
    ["amqp:link:detach-forced", "ServiceUnavailable", 503, 503001, true],
    ["amqp:connection:forced", "ServiceUnavailable", 503, 503001, true],
    ["com.microsoft:argument-error", "ArgumentInvalid", 400, 400004, false],
    ["com.microsoft:argument-out-of-range", "ArgumentInvalid", 400, 400004, false],
    ["com.microsoft:device-already-exists", "DeviceAlreadyExists", 409, 409001, false],
    ["com.microsoft:device-container-throttled", "ThrottlingException", 429, 429001, true],
    ["com.microsoft:quota-exceeded", "IotHubQuotaExceeded", 403, 403002, true],
    ["com.microsoft:precondition-failed", "PreconditionFailed", 412, 412001, false],
    ["com.microsoft:message-lock-lost", "DeviceMessageLockLost", 412, 412002, false],
    ["com.microsoft:iot-hub-suspended", "IotHubSuspended", 403, 403001, false],
    ["com.microsoft:iot-hub-not-found-error", "IotHubNotFound", 401, 401001, false],
  ];
  for (const [condition, code, statusCode, errorNumber, retryable] of CONDITIONS) {
    test(`with ${condition} becomes ${code}`, async () => {
      const error = await failureOf({
        onMessage: ({ delivery }) => delivery.reject({ condition, description: "Words." }),
      });
      assert.deepEqual(
        [error.code, error.statusCode, error.errorNumber, error.retryable],
        [code, statusCode, errorNumber, retryable],
      );
      assert.match(error.message, /Words\./);
      assert.ok(error.message.includes(condition));
    });
  }

  test("with com.microsoft:timeout becomes Timeout", async () => {
    const error = await failureOf({
      onMessage: ({ delivery }) => delivery.reject({ condition: "com.microsoft:timeout" }),
    });
    assert.deepEqual([error.code, error.retryable, error.errorNumber], ["Timeout", true, undefined]);
  });

  test("with a condition nobody knows keeps it as the code", async () => {
    const error = await failureOf({ onMessage: ({ delivery }) => delivery.reject({ condition: "contoso:odd" }) });
    assert.deepEqual([error.code, error.retryable], ["contoso:odd", false]);
  });

  test("without an error is not taken for success", async () => {
    const error = await failureOf({ onMessage: ({ delivery }) => delivery.reject() });
    assert.match(error.message, /rejected/);
  });

  test("with the hub's number is named by it, and keeps the tracking id", async () => {
    const error = await failureOf({
      onMessage: ({ delivery }) =>
        delivery.reject({
          condition: "com.microsoft:argument-out-of-range",
          description: "Too late.",
          info: { "com.microsoft:tracking-id": "abc123", "com.microsoft:error-code": 403009 },
        }),
    });
    assert.deepEqual([error.code, error.errorNumber, error.statusCode], ["InvalidMessageExpiryTime", 403009, 403]);
    assert.equal(error.trackingId, "abc123");
  });

  test("with JSON for a description is understood as well", async () => {
    const error = await failureOf({
      onMessage: ({ delivery }) =>
        delivery.reject({
          condition: "amqp:not-found",
          description: '{"errorCode":404010,"message":"No such module.","trackingId":"abc123","info":null}',
        }),
    });
    assert.deepEqual([error.code, error.errorNumber, error.trackingId], ["ModuleNotFound", 404010, "abc123"]);
    assert.match(error.message, /No such module\./);
  });

  test("does not disturb its neighbours on the link", async () => {
    await using hub = await startScriptedHub({
      onMessage: ({ message, delivery }) =>
        Number(message.body.content) % 2 === 0 ? delivery.accept() : delivery.reject({ condition: "amqp:not-found" }),
    });
    await using client = new AmqpClient(hub.endpoint);
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => client.send(`${i}`)));
    assert.deepEqual(
      results.map(({ status }) => status),
      results.map((_, i) => i % 2 === 0 ? "fulfilled" : "rejected"),
    );
    assert.equal(hub.connections.length, 1);
  });
});

describe("A message that is neither accepted nor rejected", () => {
  test("but released is a failure to repeat", async () => {
    const error = await failureOf({ onMessage: ({ delivery }) => delivery.release() });
    assert.deepEqual([error.code, error.retryable], ["MessageNotAccepted", true]);
    assert.match(error.message, /released/);
  });

  test("but modified is a failure to repeat", async () => {
    const error = await failureOf({ onMessage: ({ delivery }) => delivery.modified({ delivery_failed: true }) });
    assert.deepEqual([error.code, error.retryable], ["MessageNotAccepted", true]);
    assert.match(error.message, /modified/);
  });

  test("but settled without a word is a failure to repeat", async () => {
    const error = await failureOf({ onMessage: ({ delivery }) => delivery.update(true) });
    assert.deepEqual([error.code, error.retryable], ["MessageNotAccepted", true]);
  });

  test("but never answered fails at its time-out, and its connection serves the others", async () => {
    using time = new MockedTime();
    const log = new EventLog();
    await using hub = await startScriptedHub({
      onMessage(arrival) {
        log.add(textOf(arrival));
        if (textOf(arrival) !== "lost") arrival.delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    const sent = rejectionOf(client.send("lost", {}, { timeoutInMs: 5_000 }));
    await log.until("lost");
    time.pass(5_000);
    const error = await sent;
    assert.deepEqual([error.code, error.retryable], ["Timeout", false]);
    assert.match(error.message, /within 5000 ms.*no verdict; the hub may or may not have the message$/);
    await client.send("next");
    assert.equal(hub.connections.length, 1);
  });

  test("but never answered goes out again on a new connection, with the same id", async () => {
    using time = new MockedTime();
    const ids: unknown[] = [];
    await using hub = await startScriptedHub({
      onMessage({ message, delivery }) {
        if (ids.push(message.message_id) > 1) delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint, {
      attemptTimeoutInMs: 5_000,
      retryOptions: { maxRetries: 1, retryDelayInMs: 0, maxRetryDelayInMs: 0 },
    });
    const sent = client.send("lost once", { messageId: "m-1" });
    await time.passUntil(() => ids.length === 1);
    time.pass(5_000);
    await time.settle(sent);
    assert.deepEqual(ids, ["m-1", "m-1"]);
    assert.equal(hub.connections.length, 2);
  });

  test("does not take along those that still wait on its connection", async () => {
    using time = new MockedTime();
    const held: (() => void)[] = [];
    await using hub = await startScriptedHub({ onMessage: ({ delivery }) => void held.push(() => delivery.accept()) });
    await using client = new AmqpClient(hub.endpoint);
    const patient = client.send("patient");
    const hasty = rejectionOf(client.send("hasty", {}, { timeoutInMs: 5_000 }));
    await time.passUntil(() => held.length === 2);
    time.pass(5_000);
    await hasty;
    held[0]!();
    await patient;
  });

  test("is settled by this side where the hub leaves the last word to it", async () => {
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    await using hub = await startScriptedHub({
      onMessage({ delivery, link }) {
        link.once("settled", () => resolve());
        (delivery.update as (settled: boolean, state: unknown) => void)(false, ACCEPTED);
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
    await settled;
  });
});

describe("A link, session or connection that the hub closes", () => {
  const error = { condition: "amqp:link:detach-forced", description: "Moving house." };

  test("fails what is on its way with the hub's reason", async () => {
    for (
      const close of [
        ({ link }) => link.close(error),
        ({ link }) => link.session.close(error),
        ({ connection }) => connection.close(error),
      ] satisfies HubScript["onMessage"][]
    ) {
      const { code, retryable, message } = await failureOf({ onMessage: close });
      assert.deepEqual([code, retryable], ["ServiceUnavailable", false]);
      assert.match(message, /Moving house.*the hub may or may not have the message$/);
    }
  });

  test("fails what is on its way without a reason too", async () => {
    for (
      const close of [
        ({ link }) => link.close(),
        ({ link }) => link.session.close(),
        ({ connection }) => connection.close(),
        ({ connection }) => drop(connection),
      ] satisfies HubScript["onMessage"][]
    ) {
      const { code, retryable } = await failureOf({ onMessage: close });
      assert.deepEqual([code, retryable], ["NetworkError", false]);
    }
  });

  test("fails each of many sends with an error of its own", async () => {
    await using hub = await startScriptedHub({ onMessage: ({ connection }) => drop(connection) });
    await using client = new AmqpClient(hub.endpoint);
    const errors = await Promise.all(Array.from({ length: 10 }, (_, i) => rejectionOf(client.send(`${i}`))));
    assert.equal(new Set(errors).size, 10);
  });

  test("before it ever opened fails the send", async () => {
    const { code, statusCode } = await failureOf({
      onAttach: (link) => link.close({ condition: "amqp:unauthorized-access", description: "No." }),
    });
    assert.deepEqual([code, statusCode], ["Unauthorized", 401]);
  });
});

describe("A token that the hub does not accept", () => {
  const REPLIES: [status: number, code: string, retryable: boolean][] = [
    [400, "ArgumentInvalid", false],
    [401, "Unauthorized", false],
    [403, "Unauthorized", false],
    [404, "IotHubNotFound", false],
    [429, "ThrottlingException", true],
    [500, "ServerError", true],
    [503, "ServiceUnavailable", true],
  ];
  for (const [status, code, retryable] of REPLIES) {
    test(`with status ${status} becomes ${code}`, async () => {
      const error = await failureOf({ onToken: () => ({ status, description: "The signature is invalid." }) });
      assert.deepEqual([error.code, error.statusCode, error.retryable], [code, status, retryable]);
      assert.match(error.message, /The signature is invalid\./);
    });
  }

  test("is not shown when the hub repeats it", async () => {
    const error = await failureOf({ onToken: () => ({ status: 401, description: `Bad token ${SAS}` }) });
    assert.match(error.message, /Bad token/); // and rejectionOf looks for the signature
  });

  test("is replaced by a new one at the next send", async () => {
    const credential = new FixedCredential();
    await using hub = await startScriptedHub({ onToken: (_, number) => ({ status: number === 1 ? 401 : 200 }) });
    await using client = new AmqpClient(hub.endpoint, { credential });
    await rejectionOf(client.send("1"));
    await client.send("2");
    assert.deepEqual(credential.calls.map(({ forceRefresh }) => forceRefresh), [false, true]);
  });

  test("because it does not even take the message fails the send", async () => {
    const rejected = await failureOf({
      onTokenDelivery: (delivery) => delivery.reject({ condition: "amqp:not-allowed", description: "No tokens here." }),
    });
    assert.equal(rejected.code, "InvalidOperation");
    assert.match(rejected.message, /No tokens here\./);
    const released = await failureOf({ onTokenDelivery: (delivery) => delivery.release() });
    assert.deepEqual([released.code, released.retryable], ["NetworkError", true]);
  });

  test("ends in a time-out where the hub does not answer at all", async () => {
    const error = await failureOf({ onToken: () => undefined }, 50);
    assert.deepEqual([error.code, error.retryable], ["Timeout", true]);
    assert.match(error.message, /not ready/);
  });

  test("is no matter where the credential has none", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint, {
      credential: {
        audience: "",
        getToken: ({ operation }) =>
          Promise.reject(
            new IoTHubError(`Cannot complete ${operation}: the credential gave no token`, {
              code: "CredentialError",
              operation,
              retryable: false,
            }),
          ),
      },
    });
    const error = await rejectionOf(client.send(""));
    assert.equal(error.message, 'Cannot complete sendC2dMessage of device "d1": the credential gave no token');
    assert.equal(error.code, "CredentialError");
  });
});

describe("A hub that cannot be reached", () => {
  test("fails the send as NetworkError, and all that wait with it", async () => {
    let endpoint: string;
    {
      await using hub = await startScriptedHub();
      endpoint = hub.endpoint;
    }
    await using client = new AmqpClient(endpoint);
    const errors = await Promise.all([1, 2, 3].map((i) => rejectionOf(client.send(`${i}`))));
    assert.deepEqual(errors.map(({ code, retryable }) => [code, retryable]), new Array(3).fill(["NetworkError", true]));
  });

  test("because the endpoint is not known fails the send", async () => {
    await using client = new AmqpClient(() => Promise.reject(new Error("no port")));
    const error = await rejectionOf(client.send(""));
    assert.equal(error.code, "NetworkError");
    assert.match(error.message, /no port/);
  });

  test("because it does not speak AMQP fails the send", async () => {
    const server = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await using client = new AmqpClient(`amqp://127.0.0.1:${port}`);
    assert.equal((await rejectionOf(client.send(""))).code, "NetworkError");
    await new Promise((resolve) => server.close(resolve));
  });

  for (const endpoint of ["", "host:5671", "http://host", "amqps://", "amqps://user:pass@host", "mqtts://host"]) {
    test(`because its endpoint is ${JSON.stringify(endpoint)} is refused at once`, () => {
      assert.throws(() => new AmqpClient(endpoint), { name: "RangeError", message: /amqpEndpoint((?!pass).)*$/ });
    });
  }
});
