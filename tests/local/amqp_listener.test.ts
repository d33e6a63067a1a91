import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { HubFault, LocalHub } from "../../lib/local/mod.ts";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { AmqpClient, HOST_NAME, SAS } from "../support/amqp_client.ts";
import { binary, type Bytes, NULL } from "../support/amqp_bytes.ts";
import { BareClient, once, outcomeOf, SEND_RIGHTS, startHub, type TestHub, TO } from "../support/local_amqp.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { SASL_AUTH, SASL_OK, saslOutcome } from "../support/sasl_outcome.ts";

/** The SASL mechanisms that the hub offers, and its answer to the choice of one. */
function outcomeAt({ listener }: TestHub, mechanism: string, response: Bytes): Promise<[string, number]> {
  return saslOutcome(connect(listener.port, "127.0.0.1"), mechanism, response);
}

/** How the hub refuses a link with an address: one on which the client sends, and one on which it receives. */
async function refusals(hub: TestHub, address: string): Promise<string[]> {
  await using client = new BareClient(hub.listener.port);
  await client.putToken();
  const { sender } = await once(client.connection.open_sender({ target: { address } }), "sender_error");
  const { receiver } = await once(client.connection.open_receiver({ source: { address } }), "receiver_error");
  return [sender!.error, receiver!.error].map((error) => (error as { condition: string }).condition);
}

describe("The local hub's AMQP side", () => {
  test("passes a message of the module's own client on, whole", async () => {
    await using hub = await startHub();
    await using client = new AmqpClient(hub.endpoint);
    const expiryTimeUtc = Date.now() + 60_000;
    await client.send("Grüße", {
      messageId: "m-1",
      correlationId: "c-1",
      contentType: "text/plain",
      contentEncoding: "utf-8",
      userId: "me",
      expiryTimeUtc,
      ack: "full",
      text: "t",
      number: -7,
      yes: true,
    });
    assert.deepEqual(hub.tokens, [SAS]);
    assert.deepEqual(hub.queue, [{
      target: { deviceId: "d1" },
      message: {
        messageId: "m-1",
        correlationId: "c-1",
        userId: "me",
        to: TO,
        contentType: "text/plain",
        contentEncoding: "utf-8",
        expiryTime: expiryTimeUtc,
        ack: "full",
        properties: { text: "t", number: -7, yes: true },
        data: new TextEncoder().encode("Grüße"),
      },
    }]);
  });

  test("passes 1500 messages on in order, with more credit as it goes", async () => {
    await using hub = await startHub();
    await using client = new AmqpClient(hub.endpoint);
    await Promise.all(Array.from({ length: 1500 }, (_, i) => client.send(`${i}`)));
    const bodies = hub.queue.map(({ message }) => Number(new TextDecoder().decode(message.data)));
    assert.deepEqual(bodies, Array.from({ length: 1500 }, (_, i) => i));
  });

  test("speaks TLS with a certificate made on the spot", async () => {
    const certificate = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
    await using hub = await startHub({}, certificate);
    await using client = new AmqpClient(hub.endpoint, { tls: { ca: certificate.cert } });
    await client.send("");
    assert.equal(hub.queue.length, 1);
  });

  test("refuses a port that is taken", async () => {
    await using hub = new LocalHub();
    const { amqp } = await hub.listen({ amqp: 0 });
    await assert.rejects(hub.listen({ amqp: Number(amqp!.split(":").at(-1)) }), { code: "EADDRINUSE" });
  });
});

describe("put-token at the local hub", () => {
  for (const type of ["servicebus.windows.net:sastoken", "azure-devices.net:sastoken", "Bearer", "bearer"]) {
    test(`takes tokens of the type ${type}`, async () => {
      await using hub = await startHub();
      await using client = new BareClient(hub.listener.port);
      const properties = { operation: "put-token", type, name: HOST_NAME };
      assert.deepEqual(await client.putToken({ application_properties: properties }), [200, "OK"]);
      assert.deepEqual(hub.tokens, [SAS]);
    });
  }

  test("works with SASL ANONYMOUS as well as with none", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port, { username: "anonymous" });
    assert.deepEqual(await client.putToken(), [200, "OK"]);
  });

  test("works with SASL MSSBCBS", async () => {
    await using hub = await startHub();
    const mechanism = { start: (send: (error: undefined, response: undefined) => void) => send(undefined, undefined) };
    await using client = new BareClient(hub.listener.port, { sasl_mechanisms: { MSSBCBS: mechanism } });
    assert.deepEqual(await client.putToken(), [200, "OK"]);
  });

  test("is reached by these two mechanisms, with a response or without, and by no other without a token", async () => {
    await using hub = await startHub();
    const offered = "ANONYMOUS MSSBCBS PLAIN";
    for (const mechanism of ["ANONYMOUS", "MSSBCBS"]) {
      for (const response of [NULL, binary([]), binary([1, 2, 3])]) {
        assert.deepEqual(await outcomeAt(hub, mechanism, response), [offered, SASL_OK]);
      }
    }
    for (const mechanism of ["PLAIN", "EXTERNAL", "anonymous", "", "constructor", "__proto__", "enable_plain"]) {
      assert.deepEqual(await outcomeAt(hub, mechanism, binary([0])), [offered, SASL_AUTH], mechanism);
    }
  });

  test("gives the reason when the token does not hold", async () => {
    await using hub = await startHub({
      verifyToken: () => Promise.reject(new HubFault("IotHubUnauthorized", 401, "The signature is invalid")),
    });
    await using client = new BareClient(hub.listener.port);
    assert.deepEqual(await client.putToken(), [401, "The signature is invalid"]);
  });

  test("tells nothing of a failure inside the hub", async () => {
    await using hub = await startHub({ verifyToken: () => Promise.reject(new Error("line 7")) });
    await using client = new BareClient(hub.listener.port);
    const [status, description] = await client.putToken();
    assert.equal(status, 500);
    assert.doesNotMatch(description, /line 7/);
  });

  for (
    const request of [
      { application_properties: undefined },
      { application_properties: { operation: "delete-token", type: "Bearer" } },
      { application_properties: { operation: "put-token", type: "amqp:jwt" } },
      { body: 7 },
      { body: null },
    ]
  ) {
    test(`is answered with 400 when it is ${JSON.stringify(request)}`, async () => {
      await using hub = await startHub();
      await using client = new BareClient(hub.listener.port);
      assert.equal((await client.putToken(request))[0], 400);
      assert.deepEqual(hub.tokens, []);
    });
  }
});

describe("A link at the local hub", () => {
  test("to the messages needs a token", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    const { sender } = await once(client.connection.open_sender("/messages/devicebound"), "sender_error");
    assert.equal((sender!.error as { condition: string }).condition, "amqp:unauthorized-access");
  });

  test("to the messages needs a token with the right to send", async () => {
    await using hub = await startHub({
      verifyToken: () => Promise.resolve({ expiresOn: Infinity, rights: new Set(["RegistryRead"]) }),
    });
    await using client = new AmqpClient(hub.endpoint);
    await assert.rejects(client.send(""), {
      code: "IotHubUnauthorizedAccess",
      statusCode: 401,
      message: /ServiceConnect/,
    });
    assert.deepEqual(hub.queue, []);
  });

  for (
    const address of [
      "/messages/deviceBound",
      "/MESSAGES/DEVICEBOUND",
      `amqps://${HOST_NAME}:5671/messages/devicebound`,
    ]
  ) {
    test(`may have the address ${address}`, async () => {
      await using hub = await startHub();
      await using client = new BareClient(hub.listener.port);
      await client.putToken();
      const sender = await client.openSender(address);
      assert.equal(sender.target.address, address);
      await outcomeOf(sender, { to: TO });
      assert.equal(hub.queue.length, 1);
    });
  }

  test("has both ends named in the answer, as its client has named them", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const links = ["$cbs", "/messages/devicebound"].flatMap((address) =>
      [{}, { source: { address: "own-name" } }].map((ends) => ({ ...ends, target: { address } }))
    );
    for (const options of links) {
      const { sender } = await once(client.connection.open_sender(options), "sender_open");
      const { source, target } = sender!;
      // An end that has no address is there nevertheless.
      assert.deepEqual([source.address, target.address], [
        (options as { source?: { address: string } }).source?.address,
        options.target.address,
      ]);
    }
    const ends = { source: { address: "$cbs" }, target: { address: "own-name" } };
    const { receiver } = await once(client.connection.open_receiver(ends), "receiver_open");
    assert.deepEqual([receiver!.source.address, receiver!.target.address], ["$cbs", "own-name"]);
  });

  for (const address of ["", "/messages", "/messages/eventsource", "/devices/d1/twins", "/devices/d1/modules/m1"]) {
    test(`may not have the address ${JSON.stringify(address)}, to send or to receive`, async () => {
      await using hub = await startHub();
      assert.deepEqual(await refusals(hub, address), ["amqp:not-found", "amqp:not-found"]);
    });
  }

  test("ends with its token, and another connection's does not", async () => {
    using time = new MockedTime();
    let life = 20_000;
    await using hub = await startHub({
      verifyToken: () => Promise.resolve({ expiresOn: Date.now() + life, rights: SEND_RIGHTS }),
    });
    await using short = new BareClient(hub.listener.port);
    await short.putToken();
    const cut = once(await short.openSender("/messages/devicebound"), "sender_error");
    life = 3_600_000;
    await using long = new BareClient(hub.listener.port);
    await long.putToken();
    const kept = await long.openSender("/messages/devicebound");

    const { sender } = await time.settle(cut, 1_000);
    assert.equal((sender!.error as { condition: string }).condition, "amqp:unauthorized-access");
    await outcomeOf(kept, { to: TO });
  });

  test("stays when its token is renewed in time", async () => {
    using time = new MockedTime();
    let puts = 0;
    await using hub = await startHub({
      verifyToken: () =>
        Promise.resolve({ expiresOn: Date.now() + (++puts === 1 ? 10_000 : 3_600_000), rights: SEND_RIGHTS }),
    });
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const sender = await client.openSender("/messages/devicebound");
    await client.putToken();
    await time.passInSteps(15_000, 1_000); // past the first token's end
    await outcomeOf(sender, { to: TO });
  });
});

describe("Closing the local hub's AMQP side", () => {
  test("cuts clients in every state, and fails what they had on the way", async () => {
    const hub = await startHub();
    const client = new AmqpClient(hub.endpoint);
    await client.send("");
    const idle = connect(hub.listener.port, "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    const idleGone = new Promise((resolve) => idle.on("error", () => {}).resume().once("close", resolve));

    await hub.listener.close();
    await idleGone;
    await assert.rejects(client.send(""), { code: "NetworkError" });
    await client.close();
  });

  test("may follow a client that broke the protocol", async () => {
    await using hub = await startHub();
    const socket: Socket = connect(hub.listener.port, "127.0.0.1");
    const gone = new Promise((resolve) => socket.on("error", () => {}).resume().once("close", resolve));
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await gone;
    await using client = new AmqpClient(hub.endpoint);
    await client.send("");
  });
});
