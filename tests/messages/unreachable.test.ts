import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AmqpConnection } from "../../lib/amqp/amqp_connection.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { AmqpClient, HOST_NAME } from "../support/amqp_client.ts";
import { rejectionOf, retries } from "../support/hub_scripts.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";
import { drop, startScriptedHub } from "../support/scripted_hub.ts";
import { SilentNetwork } from "../support/silent_network.ts";

// The code of the connection is loaded before time stands still.
assert.ok(AmqpConnection);

const ADVICE = /nothing answered at amqps:\/\/myhub\.azure-devices\.net:5671.*port 5671.*"AmqpOverWebSocket".*port 443/;

describe("A firewall that drops what is sent to the hub's port", () => {
  test("costs a send ten seconds and one attempt, and the error names host, port and the other transport", async () => {
    using time = new MockedTime();
    using network = new SilentNetwork();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING);
    const attempted = network.attempted();
    const sent = rejectionOf(registry.sendC2dMessage("d1", "hello"));
    await attempted;
    time.pass(9_999);
    assert.equal(await Promise.race([sent, Promise.resolve("waiting")]), "waiting");
    time.pass(1);
    const error = await time.settle(sent);
    assert.deepEqual([error.code, error.retryable], ["Timeout", true]);
    assert.match(
      error.message,
      /^Cannot complete sendC2dMessage of device "d1": nothing answered at .* within 10000 ms;/,
    );
    assert.match(error.message, ADVICE);
    assert.deepEqual(network.attempts, [{ host: HOST_NAME, port: 5671 }]);
  });

  test("is named, too, if the call has less time, or an attempt", async () => {
    for (const [timeoutInMs, attemptTimeoutInMs] of [[3_000, 30_000], [60_000, 3_000]] as const) {
      using time = new MockedTime();
      using network = new SilentNetwork();
      await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { attemptTimeoutInMs });
      const attempted = network.attempted();
      const sent = rejectionOf(registry.sendC2dMessageToModule("d1", "m1", "hello", {}, { timeoutInMs }));
      await attempted;
      time.pass(3_000);
      const error = await time.settle(sent);
      assert.deepEqual([error.code, error.retryable], ["Timeout", true]);
      assert.match(error.message, /^Cannot complete sendC2dMessageToModule of device "d1", module "m1": .*3000 ms/);
      assert.match(error.message, ADVICE);
    }
  });

  test("ends a loop that receives after its time, and is named there", async () => {
    using time = new MockedTime();
    using network = new SilentNetwork();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING);
    for (const timeoutInMs of [5_000, 60_000]) {
      const attempted = network.attempted();
      const next = rejectionOf(registry.receiveFeedback({ timeoutInMs }).next());
      await attempted;
      const error = await time.settle(next, 1_000);
      assert.deepEqual([error.code, error.operation, error.retryable], ["Timeout", "receiveFeedback", true]);
      assert.match(error.message, new RegExp(`no link to the hub within ${timeoutInMs} ms, since .*`));
      assert.match(error.message, ADVICE);
    }
    assert.ok(network.attempts.length > 2, "a loop tries again");
  });

  test("that comes up later is tried again, since the hub was there before", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint, { ...retries(2), attemptTimeoutInMs: 30_000 });
    await client.send("1");
    drop(hub.connections[0]!);
    using network = new SilentNetwork();
    const error = await time.settle(rejectionOf(client.send("2", {}, { timeoutInMs: 100_000 })), 500);
    assert.match(error.message, /nothing answered at amqp:\/\/127\.0\.0\.1:\d+ within 10000 ms/);
    assert.ok(network.attempts.length >= 2, `${network.attempts.length} attempts`);
  });
});

describe("A port that nobody listens at", () => {
  for (const scheme of ["amqp", "ws"]) {
    test(`is named with what to check, over ${scheme}`, async () => {
      const hub = await startScriptedHub();
      const { port } = hub;
      await hub[Symbol.asyncDispose]();
      await using client = new AmqpClient(`${scheme}://127.0.0.1:${port}`);
      const error = await rejectionOf(client.send(""));
      assert.deepEqual([error.code, error.retryable], ["NetworkError", true]);
      assert.ok(error.message.includes(`${scheme}://127.0.0.1:${port}`), error.message);
      assert.doesNotMatch(error.message, /no reason was given/);
      assert.match(error.message, scheme === "amqp" ? /"AmqpOverWebSocket"/ : /check the address.*tls\.ca.*proxy/);
    });
  }

  test("is no matter of advice once the connection was there", async () => {
    await using hub = await startScriptedHub({ onMessage: ({ connection }) => drop(connection) });
    await using client = new AmqpClient(hub.endpoint);
    const error = await rejectionOf(client.send(""));
    assert.doesNotMatch(error.message, /firewall/);
  });
});
