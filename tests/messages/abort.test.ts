import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import type { Receiver } from "rhea";
import { AmqpClient } from "../support/amqp_client.ts";
import { MockedTime } from "../support/mocked_time.ts";
import { type HubScript, type ScriptedHub, startScriptedHub } from "../support/scripted_hub.ts";

/** A port that takes connections and never says a word. */
async function startSilentServer(): Promise<
  AsyncDisposable & { endpoint: string; connected: Promise<Socket>; gone: Promise<void> }
> {
  const connected = Promise.withResolvers<Socket>();
  const gone = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("error", () => {}).on("close", () => gone.resolve()).resume();
    connected.resolve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connected: connected.promise,
    gone: gone.promise,
    async [Symbol.asyncDispose](): Promise<void> {
      (await connected.promise).destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A hub that falls silent at a stage, and a promise that this stage is reached. */
async function startHubSilentAt(stage: string): Promise<{ hub: ScriptedHub; reached: Promise<void> }> {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const scripts: Record<string, HubScript> = {
    "the hub has the token": { onToken: () => resolve() as undefined },
    "the link has no credit": {
      onAttach(link) {
        link.set_target({ address: link.target.address });
        resolve();
      },
    },
    "the message is on its way": { onMessage: () => resolve() },
  };
  return { hub: await startScriptedHub(scripts[stage]), reached };
}

const STAGES = ["the hub has the token", "the link has no credit", "the message is on its way"];

describe("Aborting a send", () => {
  test("before it began rejects with the signal's reason, and opens nothing", async () => {
    await using client = new AmqpClient(() => assert.fail("The endpoint was asked for"));
    const reason = new Error("enough");
    await assert.rejects(client.send("", {}, { abortSignal: AbortSignal.abort(reason) }), (error) => error === reason);
  });

  test("while the endpoint is not known rejects at once, and nothing is opened later", async () => {
    await using hub = await startScriptedHub();
    await using later = new AmqpClient(hub.endpoint);
    const endpoint = Promise.withResolvers<string>();
    await using client = new AmqpClient(() => endpoint.promise);
    const controller = new AbortController();
    const sent = client.send("", {}, { abortSignal: controller.signal });
    controller.abort("enough");
    await assert.rejects(sent, (error) => error === "enough");
    endpoint.resolve(hub.endpoint);
    await later.send("");
    assert.equal(hub.connections.length, 1);
  });

  test("while the hub does not speak rejects at once, and gives the connection up", async () => {
    await using server = await startSilentServer();
    await using client = new AmqpClient(server.endpoint);
    const controller = new AbortController();
    const sent = client.send("", {}, { abortSignal: controller.signal });
    await server.connected;
    controller.abort();
    await assert.rejects(sent, { name: "AbortError" });
    await server.gone;
  });

  for (const stage of STAGES) {
    test(`while ${stage} rejects at once`, async () => {
      const { hub, reached } = await startHubSilentAt(stage);
      await using _ = hub;
      await using client = new AmqpClient(hub.endpoint);
      const controller = new AbortController();
      const sent = client.send("", {}, { abortSignal: controller.signal });
      await reached;
      controller.abort(new Error("enough"));
      await assert.rejects(sent, { message: "enough" });
    });
  }

  for (const credit of [0, 1]) {
    test(`takes back what has not left for want of credit beyond ${credit}, and leaves the others alone`, async () => {
      let link: Receiver;
      const { promise: waiting, resolve } = Promise.withResolvers<void>();
      await using hub = await startScriptedHub({
        onAttach(receiver) {
          link = receiver;
          link.set_target({ address: link.target.address });
          if (credit > 0) link.add_credit(credit);
          else resolve();
        },
        onMessage({ delivery }) {
          delivery.accept();
          resolve();
        },
      });
      await using client = new AmqpClient(hub.endpoint);
      const controller = new AbortController();
      const sends = [client.send("1"), client.send("2", {}, { abortSignal: controller.signal }), client.send("3")];
      await waiting;
      controller.abort(new Error("enough"));
      link!.add_credit(10);
      const results = await Promise.allSettled(sends);
      assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
      assert.deepEqual(hub.messages.map(({ body }) => body.content.toString()), ["1", "3"]);
    });
  }

  test("leaves no listener on the signal, however the send ended", async () => {
    await using hub = await startScriptedHub({
      onMessage: ({ message, delivery }) =>
        message.body.content.toString() === "good" ? delivery.accept() : delivery.release(),
    });
    await using client = new AmqpClient(hub.endpoint);
    let listeners = 0;
    const { signal: abortSignal } = new AbortController();
    const add = abortSignal.addEventListener.bind(abortSignal);
    const remove = abortSignal.removeEventListener.bind(abortSignal);
    abortSignal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
    abortSignal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
    await client.send("good", {}, { abortSignal });
    await assert.rejects(client.send("bad", {}, { abortSignal }));
    assert.equal(listeners, 0);
  });
});

describe("A time-out", () => {
  test("while the hub does not speak rejects, and gives the connection up", async () => {
    using time = new MockedTime();
    await using server = await startSilentServer();
    await using client = new AmqpClient(server.endpoint);
    const ended = assert.rejects(client.send("", {}, { timeoutInMs: 5_000 }), { code: "Timeout", retryable: true });
    await server.connected;
    time.pass(5_000);
    await ended;
    await server.gone;
  });

  for (const stage of STAGES) {
    test(`while ${stage} rejects`, async () => {
      using time = new MockedTime();
      const { hub, reached } = await startHubSilentAt(stage);
      await using _ = hub;
      await using client = new AmqpClient(hub.endpoint);
      const ended = assert.rejects(client.send("", {}, { timeoutInMs: 5_000 }), {
        code: "Timeout",
        // Another send would be another message.
        retryable: stage !== "the message is on its way",
      });
      await reached;
      time.pass(5_000);
      await ended;
    });
  }

  test("of one send ends before the longer one of another", async () => {
    using time = new MockedTime();
    const { hub, reached } = await startHubSilentAt("the message is on its way");
    await using _ = hub;
    await using client = new AmqpClient(hub.endpoint);
    const order: string[] = [];
    const long = client.send("", {}, { timeoutInMs: 15_000 }).catch(() => order.push("long"));
    const short = client.send("", {}, { timeoutInMs: 5_000 }).catch(() => order.push("short"));
    await reached;
    await time.passInSteps(14_000, 1_000);
    await short;
    assert.deepEqual(order, ["short"]);
    time.pass(1_000);
    await long;
    assert.deepEqual(order, ["short", "long"]);
  });
});

describe("Closing", () => {
  test("before anything was sent does nothing", async () => {
    const client = new AmqpClient(() => assert.fail("The endpoint was asked for"));
    await client.close();
    await client.close();
  });

  test("says goodbye to the hub", async () => {
    await using hub = await startScriptedHub();
    const client = new AmqpClient(hub.endpoint);
    await client.send("");
    const closed = new Promise((resolve) => hub.connections[0]!.once("connection_close", resolve));
    await client.close();
    await closed;
    assert.equal(hub.connections[0]!.error, undefined);
  });

  test("is the same close for all who ask", async () => {
    await using hub = await startScriptedHub();
    const client = new AmqpClient(hub.endpoint);
    await client.send("");
    await Promise.all([client.close(), client.close()]);
    await client.close();
    await assert.rejects(client.send(""), { name: "IoTHubError", code: "Closed", retryable: false });
  });

  test("in the middle settles every send, accepted or failed", async () => {
    const { promise: halfWay, resolve } = Promise.withResolvers<void>();
    let count = 0;
    await using hub = await startScriptedHub({
      onAttach(link) {
        link.set_target({ address: link.target.address });
        link.add_credit(60);
      },
      onMessage({ delivery }) {
        if (++count <= 50) delivery.accept();
        if (count === 60) resolve();
      },
    });
    const client = new AmqpClient(hub.endpoint);
    const sends = Array.from({ length: 100 }, (_, i) => client.send(`${i}`));
    await halfWay;
    await Promise.all(sends.slice(0, 50));
    const results = Promise.allSettled(sends);
    await client.close();
    for (const [i, result] of (await results).entries()) {
      if (i < 50) assert.equal(result.status, "fulfilled");
      else assert.equal(result.status === "rejected" && result.reason.code, "Closed");
    }
  });

  for (const stage of STAGES) {
    test(`while ${stage} fails the send and ends`, async () => {
      const { hub, reached } = await startHubSilentAt(stage);
      await using _ = hub;
      const client = new AmqpClient(hub.endpoint);
      const failed = assert.rejects(client.send(""), { code: "Closed", operation: "sendC2dMessage" });
      await reached;
      await client.close();
      await failed;
    });
  }

  test("while the hub does not speak fails the send and ends", async () => {
    await using server = await startSilentServer();
    const client = new AmqpClient(server.endpoint);
    const failed = assert.rejects(client.send(""), { code: "Closed" });
    await server.connected;
    await client.close();
    await failed;
    await server.gone;
  });

  test("while the endpoint is not known fails the send and ends", async () => {
    const endpoint = Promise.withResolvers<string>();
    const client = new AmqpClient(() => endpoint.promise);
    const failed = assert.rejects(client.send(""), { code: "Closed" });
    await client.close();
    await failed;
  });

  test("is answered when the hub is the first to close", async () => {
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    await using hub = await startScriptedHub({
      onMessage({ connection }) {
        connection.once("connection_close", () => resolve());
        connection.close({ condition: "amqp:connection:forced", description: "Moving house." });
      },
    });
    await using client = new AmqpClient(hub.endpoint);
    await assert.rejects(client.send(""), { code: "ServiceUnavailable" });
    await answered;
  });
});
