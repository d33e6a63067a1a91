import assert from "node:assert/strict";
import { describe, test } from "node:test";
import rhea from "rhea";
import { IoTHubError } from "../../lib/errors/errors.ts";
import { HubFault } from "../../lib/local/hub_fault.ts";
import { AmqpClient } from "../support/amqp_client.ts";
import { BareClient, outcomeOf, startHub, type TestHub, TO } from "../support/local_amqp.ts";

describe("A message at the local hub", () => {
  async function receive(message: Record<string, unknown>): Promise<TestHub["queue"][0]> {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const { remote_state } = await outcomeOf(await client.openSender("/messages/devicebound"), { to: TO, ...message });
    assert.equal(remote_state?.["error"], undefined);
    return hub.queue[0]!;
  }

  test("may be for a device or a module, with or without percent-encoding", async () => {
    const targets = await Promise.all([
      receive({ to: "/devices/a%23b/messages/deviceBound" }),
      receive({ to: "/devices/a#b/messages/devicebound" }),
      receive({ to: "/devices/100%/messages/devicebound" }),
      receive({ to: "/devices/d1/modules/m%201/messages/deviceBound" }),
    ]);
    assert.deepEqual(targets.map(({ target }) => target), [
      { deviceId: "a#b" },
      { deviceId: "a#b" },
      { deviceId: "100%" },
      { deviceId: "d1", moduleId: "m 1" },
    ]);
  });

  test("may have nothing but an address", async () => {
    const { message } = await receive({});
    assert.deepEqual(message, { to: TO, properties: {}, data: new TextEncoder().encode("body") });
  });

  test("may have an id of any AMQP type", async () => {
    const uuid = "00112233-4455-6677-8899-aabbccddeeff";
    const { message } = await receive({ message_id: rhea.string_to_uuid(uuid), correlation_id: 7 });
    assert.equal(message.messageId, uuid);
    assert.equal(message.correlationId, "7");
  });

  test("may have several data sections, or a value", async () => {
    const text = (part: string) => new TextEncoder().encode(part);
    const bodies = await Promise.all([
      receive({ body: rhea.message.data_sections([text("a"), text("b")]) }),
      receive({ body: "value" }),
      receive({ body: text("bytes") }),
    ]);
    assert.deepEqual(bodies.map(({ message }) => new TextDecoder().decode(message.data)), ["ab", "value", "bytes"]);
  });

  for (const to of [undefined, "", "d1", "/devices//messages/devicebound", "/devices/d1/messages/events"]) {
    test(`is rejected with the address ${JSON.stringify(to)}`, async () => {
      await using hub = await startHub();
      await using client = new BareClient(hub.listener.port);
      await client.putToken();
      const { remote_state } = await outcomeOf(await client.openSender("/messages/devicebound"), { to });
      assert.equal(remote_state!["error"].condition, "amqp:not-allowed");
      assert.equal(remote_state!["error"].info["com.microsoft:error-code"], 400003);
      assert.match(remote_state!["error"].info["com.microsoft:tracking-id"], /^[0-9a-f]{32}$/);
      assert.match(JSON.parse(remote_state!["error"].description).message, /must contain the device identifier/);
      assert.deepEqual(hub.queue, []);
    });
  }

  test("is rejected with a body that is neither bytes nor text", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const { remote_state } = await outcomeOf(await client.openSender("/messages/devicebound"), {
      to: TO,
      body: { a: 1 },
    });
    assert.equal(remote_state!["error"].condition, "com.microsoft:argument-error");
  });

  const FAULTS: [fault: HubFault, condition: string][] = [
    [new HubFault("DeviceNotFound", 404, "x"), "amqp:not-found"],
    [new HubFault("ModuleNotFound", 404, "x"), "amqp:not-found"],
    [new HubFault("DeviceMaximumQueueDepthExceeded", 403, "x"), "amqp:resource-limit-exceeded"],
    [new HubFault("MessageTooLarge", 413, "x"), "amqp:link:message-size-exceeded"],
    [new HubFault("InvalidMessageExpiryTime", 403, "x"), "com.microsoft:argument-out-of-range"],
    [new HubFault("ArgumentInvalid", 400, "x"), "com.microsoft:argument-error"],
    [new HubFault("ThrottlingException", 429, "x"), "com.microsoft:device-container-throttled"],
    [new HubFault("IotHubQuotaExceeded", 403, "x"), "com.microsoft:quota-exceeded"],
    [new HubFault("ServerError", 500, "x"), "amqp:internal-error"],
  ];
  for (const [fault, condition] of FAULTS) {
    test(`that the hub refuses as ${fault.code} is rejected with ${condition}, and the client gets that code`, async () => {
      await using hub = await startHub({
        enqueueMessage() {
          throw fault;
        },
      });
      await using client = new AmqpClient(hub.endpoint);
      const error = await client.send("").then(() => assert.fail("It was accepted"), (error) => error);
      assert.ok(error instanceof IoTHubError);
      assert.deepEqual([error.code, error.errorNumber, error.statusCode], [
        fault.code,
        fault.errorNumber,
        fault.status,
      ]);
      assert.ok(error.message.includes(condition));
      assert.match(error.trackingId!, /^[0-9a-f]{32}$/);
    });
  }

  test("that makes the hub stumble is rejected, and says nothing of the inside", async () => {
    await using hub = await startHub({
      enqueueMessage() {
        throw new Error("line 7");
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    const error = await client.send("").then(() => assert.fail("It was accepted"), (error) => error);
    assert.equal(error.code, "ServerError");
    assert.doesNotMatch(error.message, /line 7/);
  });

  /** One or several of each kind in a row. */
  function isRefused(i: number): boolean {
    return i % 2 === 1 || i % 8 === 0;
  }

  test("gets its own outcome, whatever those before and after it get in the same turn", async () => {
    await using hub = await startHub({
      enqueueMessage(_, { data }) {
        if (isRefused(Number(new TextDecoder().decode(data)))) throw new HubFault("DeviceNotFound", 404, "x");
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => client.send(`${i}`)));
    for (const [i, { status }] of results.entries()) {
      assert.equal(status, isRefused(i) ? "rejected" : "fulfilled", `${i}`);
    }
  });
});
