import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AmqpClient, FixedCredential, HOST_NAME, SAS } from "../support/amqp_client.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { drop, startScriptedHub } from "../support/scripted_hub.ts";

describe("Sending", () => {
  test("delivers every part of a message", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    const expiryTimeUtc = Date.now() + 60_000;
    await client.send("Grüße", {
      messageId: "m-1",
      correlationId: "c-1",
      contentType: "application/json",
      contentEncoding: "utf-8",
      userId: "me",
      expiryTimeUtc,
      ack: "full",
      text: "t",
      int: 7,
      long: -(2 ** 40),
      half: 0.5,
      yes: true,
    });

    const { body, ...message } = { ...hub.messages[0]! };
    assert.deepEqual({ ...message, user_id: String(message.user_id) }, {
      message_id: "m-1",
      user_id: "me",
      to: "/devices/d1/messages/devicebound",
      correlation_id: "c-1",
      content_type: "application/json",
      content_encoding: "utf-8",
      absolute_expiry_time: new Date(expiryTimeUtc),
      application_properties: { text: "t", int: 7, long: -(2 ** 40), half: 0.5, yes: true, "iothub-ack": "full" },
    });
    assert.equal(body.typecode, 0x75);
    assert.equal(body.content.toString(), "Grüße");
  });

  test("names the hub and the software in what it opens", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
    assert.equal(hub.connections[0]!.hostname, HOST_NAME);
    assert.deepEqual(hub.connections[0]!.properties, { product: "test/1.0" });
    assert.equal(hub.links[0]!.target.address, "/messages/devicebound");
    assert.deepEqual(hub.links[0]!.properties, { "com.microsoft:client-version": "test/1.0" });
    assert.equal(hub.connections[0]!.idle_time_out, 60_000);
  });

  test("of 64 at once opens one connection and one link, and asks for one token", async () => {
    await using hub = await startScriptedHub();
    const credential = new FixedCredential();
    await using client = new AmqpClient(hub.endpoint, { credential });
    await Promise.all(Array.from({ length: 64 }, (_, i) => client.send(`${i}`)));
    await client.send("64");
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.links.length, 1);
    assert.equal(hub.tokens.length, 1);
    assert.deepEqual(credential.calls, [{ operation: "sendC2dMessage", forceRefresh: false }]);
    assert.deepEqual(hub.messages.map(({ body }) => Number(body.content)), Array.from({ length: 65 }, (_, i) => i));
  });

  test("of 5000 at once keeps the order, though the library has room for 2048", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    await Promise.all(Array.from({ length: 5000 }, (_, i) => client.send(`${i}`)));
    assert.deepEqual(hub.messages.map(({ body }) => Number(body.content)), Array.from({ length: 5000 }, (_, i) => i));
  });

  test("never exceeds the credit of the link", async () => {
    let most = 0;
    let open = 0;
    await using hub = await startScriptedHub({
      onAttach(link) {
        link.set_target({ address: link.target.address });
        link.add_credit(3);
      },
      onMessage({ delivery, link }) {
        most = Math.max(most, ++open);
        setTimeout(() => {
          open--;
          delivery.accept();
          link.add_credit(1);
        }, 1);
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await Promise.all(Array.from({ length: 50 }, (_, i) => client.send(`${i}`)));
    assert.equal(hub.messages.length, 50);
    assert.equal(most, 3);
  });

  test("passes messages larger than a frame", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    const text = "0123456789abcdef".repeat(4090);
    await Promise.all([client.send(text), client.send("small"), client.send(text)]);
    assert.deepEqual(hub.messages.map(({ body }) => body.content.toString() === text), [true, false, true]);
  });

  test("asks for the endpoint once for all first sends", async () => {
    await using hub = await startScriptedHub();
    let asked = 0;
    await using client = new AmqpClient(() => Promise.resolve(++asked).then(() => hub.endpoint));
    await Promise.all([client.send("1"), client.send("2")]);
    assert.equal(asked, 1);
  });
});

describe("The token", () => {
  test("is put as an AMQP value, with the audience as its name", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
    const { message_id, ...request } = { ...hub.tokens[0]! };
    assert.match(String(message_id), /^[0-9a-f-]{36}$/);
    assert.deepEqual(request, {
      to: "$cbs",
      reply_to: "cbs",
      application_properties: {
        operation: "put-token",
        type: "servicebus.windows.net:sastoken",
        name: HOST_NAME,
      },
      body: SAS,
    });
  });

  test("of an Entra identity goes as a Bearer token for its scope", async () => {
    await using hub = await startScriptedHub();
    const credential = new FixedCredential("Bearer e30.e30.sig", "https://iothubs.azure.net/.default");
    await using client = new AmqpClient(hub.endpoint, { credential });
    await client.send("");
    assert.equal(hub.tokens[0]!.body, "Bearer e30.e30.sig");
    assert.deepEqual(hub.tokens[0]!.application_properties, {
      operation: "put-token",
      type: "Bearer",
      name: "https://iothubs.azure.net/.default",
    });
  });

  test("is accepted by status 202 as well", async () => {
    await using hub = await startScriptedHub({ onToken: () => ({ status: 202 }) });
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
    assert.equal(hub.messages.length, 1);
  });

  test("is renewed on the same connection before it expires", async () => {
    using time = new MockedTime();
    const renewed = Promise.withResolvers<void>();
    await using hub = await startScriptedHub({
      onToken(_, number) {
        if (number === 3) renewed.resolve();
        return { status: 200 };
      },
    });
    await using client = new AmqpClient(hub.endpoint, { credential: new FixedCredential(SAS, HOST_NAME, 100_000) });
    await client.send("");
    await time.settle(renewed.promise, 5_000);
    await client.send("");
    assert.equal(hub.connections.length, 1);
    assert.equal(hub.links.length, 1);
  });

  test("is forced to be new where the credential still has the old one", async () => {
    using time = new MockedTime();
    const first = Date.now() + 100_000;
    const renewed = Promise.withResolvers<void>();
    const calls: (boolean | undefined)[] = [];
    await using hub = await startScriptedHub({
      onToken(request) {
        if (request.body === "new") renewed.resolve();
        return { status: 200 };
      },
    });
    await using client = new AmqpClient(hub.endpoint, {
      credential: {
        audience: HOST_NAME,
        getToken({ forceRefresh }) {
          calls.push(forceRefresh);
          return Promise.resolve(
            forceRefresh
              ? { authorization: "new", expiresOn: first + 3_600_000 }
              : { authorization: SAS, expiresOn: first },
          );
        },
      },
    });
    await client.send("");
    await time.passInSteps(100_000, 5_000);
    await renewed.promise;
    assert.deepEqual(calls, [false, undefined, true]);
  });

  test("that failed to be renewed in time ends the connection, and the next send opens another", async () => {
    using time = new MockedTime();
    let isDown = false;
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint, {
      credential: {
        audience: HOST_NAME,
        getToken: () =>
          isDown
            ? Promise.reject(new Error("the source is down"))
            : Promise.resolve({ authorization: SAS, expiresOn: Date.now() + 100_000 }),
      },
    });
    await client.send("");
    isDown = true;
    const closed = Promise.withResolvers<void>();
    hub.connections[0]!.once("connection_close", () => closed.resolve());
    await time.settle(closed.promise, 1_000);
    isDown = false;
    await client.send("");
    assert.equal(hub.connections.length, 2);
  });

  test("that expired by this machine's clock, but not by the hub's, is no obstacle", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint, { credential: new FixedCredential(SAS, HOST_NAME, -1000) });
    await client.send("1");
    await client.send("2");
    assert.equal(hub.tokens.length, 1);
  });
});

describe("A lost connection", () => {
  test("is replaced by the next send", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint);
    await client.send("1");
    const gone = new Promise((resolve) => hub.connections[0]!.once("disconnected", resolve));
    drop(hub.connections[0]!);
    await gone;
    // The client may not know yet; then this send fails, and the one after it must not.
    await client.send("2").catch((error) => assert.deepEqual([error.code, error.retryable], ["NetworkError", false]));
    await client.send("3");
    assert.equal(hub.connections.length, 2);
    assert.equal(hub.messages.at(-1)!.body.content.toString(), "3");
  });

  test("is replaced at once by a send that follows a failed one", async () => {
    await using hub = await startScriptedHub({
      onMessage({ message, delivery, connection }) {
        if (message.body.content.toString() === "bad") drop(connection);
        else delivery.accept();
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await assert.rejects(client.send("bad"), { code: "NetworkError" });
    await client.send("good");
    assert.equal(hub.connections.length, 2);
  });
});

describe("Signs of life", () => {
  test("are sent as often as the hub wants them", async () => {
    using time = new MockedTime();
    await using hub = await startScriptedHub({ idleTimeOutInMs: 20_000 });
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
    const connection = hub.connections[0]!;
    const alive = new Promise<Uint8Array>((resolve) => connection["socket"].once("data", resolve));
    await time.passInSteps(10_000, 1_000);
    assert.deepEqual(new Uint8Array(await alive), Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0));
  });
});
