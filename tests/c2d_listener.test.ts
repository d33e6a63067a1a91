import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import rhea from "rhea";
import type { Connection, ConnectionOptions, Delivery, EventContext, Message, Sender } from "rhea";
import { IoTHubError } from "../lib/errors.ts";
import {
  type AmqpBackend,
  type AmqpListener,
  type IncomingMessage,
  startAmqpListener,
} from "../lib/local/amqp_listener.ts";
import { HubFault } from "../lib/local/hub_fault.ts";
import { makeSelfSignedCertificate } from "../lib/local/self_signed_certificate.ts";
import { AmqpClient, HOST_NAME, SAS } from "./support/amqp_client.ts";

const SEND_RIGHTS: ReadonlySet<string> = new Set(["ServiceConnect"]);

interface TestHub extends AsyncDisposable {
  readonly listener: AmqpListener;
  readonly endpoint: string;
  readonly tokens: string[];
  readonly queue: { target: { deviceId: string; moduleId?: string }; message: IncomingMessage }[];
}

/** The listener with a hub behind it that takes everything, unless told otherwise. */
async function startHub(backend: Partial<AmqpBackend> = {}, tls?: { cert: string; key: string }): Promise<TestHub> {
  const tokens: string[] = [];
  const queue: TestHub["queue"] = [];
  const listener = await startAmqpListener({
    hostName: HOST_NAME,
    verifyToken(token) {
      tokens.push(token);
      return Promise.resolve({ expiresOn: Date.now() + 3_600_000, rights: SEND_RIGHTS });
    },
    enqueueMessage: (target, message) => void queue.push({ target, message }),
    ...backend,
  }, { hostname: "127.0.0.1", port: 0, ...(tls === undefined ? {} : { tls }) });
  return {
    listener,
    tokens,
    queue,
    endpoint: `${tls === undefined ? "amqp" : "amqps"}://127.0.0.1:${listener.port}`,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

/** A client that knows nothing of this module: the bare library. */
class BareClient implements AsyncDisposable {
  readonly connection: Connection;

  constructor(port: number, options: Record<string, unknown> = {}) {
    this.connection = rhea.create_container().create_connection(
      { host: "127.0.0.1", port, reconnect: false, ...options } as ConnectionOptions,
    );
    for (const event of ["disconnected", "error", "sender_error", "receiver_error"]) {
      this.connection.on(event, () => {});
    }
    this.connection.connect();
  }

  /** The status and the description that come back from put-token. */
  async putToken(request: Record<string, unknown> = {}): Promise<[status: number, description: string]> {
    const receiver = this.connection.open_receiver("$cbs");
    const sender = this.connection.open_sender("$cbs");
    await once(sender, "sendable");
    const answered = once(receiver, "message");
    sender.send({
      message_id: "id-1",
      reply_to: "cbs",
      application_properties: { operation: "put-token", type: "servicebus.windows.net:sastoken", name: HOST_NAME },
      body: SAS,
      ...request,
    } as unknown as Message);
    const { message } = await answered;
    assert.equal(message!.correlation_id, "id-1");
    assert.equal(message!.to, "cbs");
    return [message!.application_properties!["status-code"], message!.application_properties!["status-description"]];
  }

  /** A link that may be sent on. */
  async openSender(address: string): Promise<Sender> {
    const sender = this.connection.open_sender(address);
    await once(sender, "sendable");
    return sender;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.connection.abort_socket(this.connection.socket);
    return Promise.resolve();
  }
}

function once(
  emitter: { once(event: string, listener: (context: EventContext) => void): unknown },
  event: string,
): Promise<EventContext> {
  return new Promise((resolve) => emitter.once(event, resolve));
}

/** What becomes of one message. */
async function outcomeOf(sender: Sender, message: Record<string, unknown>): Promise<Delivery> {
  const outcome = Promise.race(["accepted", "rejected", "released"].map((event) => once(sender, event)));
  sender.send({ body: rhea.message.data_section(new TextEncoder().encode("body")), ...message } as unknown as Message);
  return (await outcome).delivery!;
}

const TO = "/devices/d1/messages/devicebound";

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
    const certificate = await makeSelfSignedCertificate(["localhost"], ["127.0.0.1"]);
    await using hub = await startHub({}, certificate);
    await using client = new AmqpClient(hub.endpoint, { tls: { ca: certificate.cert } });
    await client.send("");
    assert.equal(hub.queue.length, 1);
  });

  test("refuses a port that is taken", async () => {
    await using hub = await startHub();
    const backend = { hostName: HOST_NAME, verifyToken: () => Promise.reject(), enqueueMessage: () => {} };
    await assert.rejects(
      startAmqpListener(backend, { hostname: "127.0.0.1", port: hub.listener.port }),
      { code: "EADDRINUSE" },
    );
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

  for (const address of ["/messages/events", "", "/devices/d1/messages/devicebound"]) {
    test(`may not have the address ${JSON.stringify(address)}, to send or to receive`, async () => {
      await using hub = await startHub();
      await using client = new BareClient(hub.listener.port);
      await client.putToken();
      const sending = await once(client.connection.open_sender({ target: { address } }), "sender_error");
      assert.equal((sending.sender!.error as { condition: string }).condition, "amqp:not-found");
      const receiving = await once(client.connection.open_receiver({ source: { address } }), "receiver_error");
      assert.equal((receiving.receiver!.error as { condition: string }).condition, "amqp:not-found");
    });
  }

  test("ends with its token, and another connection's does not", async () => {
    let life = 200;
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

    const { sender } = await cut;
    assert.equal((sender!.error as { condition: string }).condition, "amqp:unauthorized-access");
    await outcomeOf(kept, { to: TO });
  });

  test("stays when its token is renewed in time", async () => {
    let puts = 0;
    await using hub = await startHub({
      verifyToken: () =>
        Promise.resolve({ expiresOn: Date.now() + (++puts === 1 ? 100 : 3_600_000), rights: SEND_RIGHTS }),
    });
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const sender = await client.openSender("/messages/devicebound");
    await client.putToken();
    await new Promise((resolve) => setTimeout(resolve, 150)); // past the first token's end
    await outcomeOf(sender, { to: TO });
  });
});

describe("A message at the local hub", () => {
  async function receive(message: Record<string, unknown>): Promise<TestHub["queue"][0]> {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const { remote_state } = await outcomeOf(await client.openSender("/messages/devicebound"), { to: TO, ...message });
    assert.equal(remote_state?.error, undefined);
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
      assert.equal(remote_state!.error.condition, "amqp:not-allowed");
      assert.equal(remote_state!.error.info["com.microsoft:error-code"], 400003);
      assert.match(remote_state!.error.info["com.microsoft:tracking-id"], /^[0-9a-f]{32}$/);
      assert.match(JSON.parse(remote_state!.error.description).message, /must contain the device identifier/);
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
    assert.equal(remote_state!.error.condition, "com.microsoft:argument-error");
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

  test("gets its own outcome, whatever those before and after it get in the same turn", async () => {
    await using hub = await startHub({
      enqueueMessage(_, { data }) {
        if (Number(new TextDecoder().decode(data)) % 3 === 0) throw new HubFault("DeviceNotFound", 404, "x");
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    const results = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => client.send(`${i}`)));
    for (const [i, { status }] of results.entries()) {
      assert.equal(status, i % 3 === 0 ? "rejected" : "fulfilled", `${i}`);
    }
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
