import assert from "node:assert/strict";
import { request } from "node:http";
import { createConnection } from "node:net";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { AmqpClient, FixedCredential } from "../support/amqp_client.ts";
import { webSocketOptions } from "../support/bare_web_socket.ts";
import { BareReceiver, ListeningHub, textOf } from "../support/listening_hub.ts";
import { BareClient, once, outcomeOf, TO } from "../support/local_amqp.ts";
import { signSas } from "../support/sas.ts";

interface WebSocketHub extends AsyncDisposable {
  readonly hub: LocalHub;
  readonly http: string;
  readonly ws: string;
  connect(options?: Record<string, unknown>): BareClient;
}

async function startHub(): Promise<WebSocketHub> {
  const hub = new LocalHub();
  const { http, ws } = await hub.listen({ http: 0 });
  const clients: BareClient[] = [];
  return {
    hub,
    http: http!,
    ws: ws!,
    connect(options = webSocketOptions(ws!)) {
      const client = new BareClient(0, options);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await hub.close();
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    },
  };
}

/** What the hub answers to a request for an upgrade. */
interface UpgradeAnswer {
  status: number;
  code?: string | string[] | undefined;
  text: string;
}

/** The status of the answer to a request for an upgrade. */
async function upgrade(http: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  return (await askForUpgrade(http, path, headers)).status;
}

function askForUpgrade(http: string, path: string, headers: Record<string, string> = {}): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${http}${path}`, {
      agent: false,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-protocol": "AMQPWSB10",
        ...headers,
      },
    });
    outgoing.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => text += chunk);
      response.once("end", () => {
        resolve({ status: response.statusCode!, code: response.headers["iothub-errorcode"], text });
      });
    });
    outgoing.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, text: "" });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("AMQP over WebSocket at the local hub", () => {
  test("takes a token and messages, and gives file notifications", async () => {
    await using hub = await startHub();
    const client = hub.connect();
    const body = signSas({ connectionString: hub.hub.connectionString });
    assert.deepEqual(await client.putToken({ body }), [200, "OK"]);
    const sender = await client.openSender("/messages/devicebound");
    assert.equal((await outcomeOf(sender, { to: TO })).remote_state!["error"].condition, "amqp:not-found");
    const authorization = body;
    const created = await fetch(`${hub.http}/devices/d1?api-version=2021-04-12`, {
      method: "PUT",
      headers: { authorization },
      body: "{}",
    });
    assert.equal(created.status, 200, await created.text());
    assert.equal((await outcomeOf(sender, { to: TO })).remote_state!["error"], undefined);
    const receiver = new BareReceiver(client, "/messages/servicebound/filenotifications");
    hub.hub.device("d1").notifyFileUpload({ blobName: "x".repeat(100_000), blobSizeInBytes: 1 });
    assert.equal(JSON.parse(textOf(await receiver.next())).blobName.length, 100_003);
  });

  test("takes all that this module's client sends at once, however much it is", async () => {
    await using hub = await startHub();
    const authorization = signSas({ connectionString: hub.hub.connectionString });
    const init = { method: "PUT", headers: { authorization }, body: "{}" };
    await (await fetch(`${hub.http}/devices/d1?api-version=2021-04-12`, init)).text();
    await using client = new AmqpClient(hub.ws, { credential: new FixedCredential(authorization) });
    await Promise.all(Array.from({ length: 50 }, () => client.send("x".repeat(60_000))));
  });

  test("closes on a message that is larger than any it needs, and the next one is served", async () => {
    await using hub = await startHub();
    for (const size of [1_048_577, 20_000_000]) {
      const socket = new WebSocket(hub.ws, ["AMQPWSB10"]);
      socket.onopen = () => socket.send(new Uint8Array(size));
      await new Promise((resolve) => socket.onclose = resolve);
    }
    const client = hub.connect();
    assert.deepEqual(await client.putToken({ body: signSas({ connectionString: hub.hub.connectionString }) }), [
      200,
      "OK",
    ]);
  });

  test("goes over TLS at the port for HTTPS", async () => {
    await using hub = new LocalHub();
    const { https, wss, certificate } = await hub.listen({ https: 0 });
    assert.equal(wss, `${https!.replace("https", "wss")}/$iothub/websocket`);
    await using client = new BareClient(0, webSocketOptions(wss!.replace("127.0.0.1", "localhost"), certificate));
    assert.equal((await client.putToken({ body: signSas({ connectionString: hub.connectionString }) }))[0], 200);
  });

  test("is served beside HTTP, and with a query or percent-encoding in its path", async () => {
    await using hub = await startHub();
    assert.equal((await fetch(`${hub.http}/nothing`)).status, 404);
    assert.equal(await upgrade(hub.http, "/$iothub/websocket"), 101);
    assert.equal(await upgrade(hub.http, "/%24iothub/websocket?iothub-no-client-cert=true"), 101);
    assert.equal(await upgrade(hub.http, "/$iothub/websocket", { "sec-websocket-protocol": "MQTT, AMQPWSB10" }), 101);
  });

  test("has the path of the service below as well, with a slash at its end or without", async () => {
    await using hub = await startHub();
    for (const path of ["/$servicebus/websocket", "/$servicebus/websocket/", "/$ServiceBus/WebSocket?a=b"]) {
      assert.equal(await upgrade(hub.http, path), 101, path);
    }
    const client = hub.connect(webSocketOptions(hub.ws.replace("$iothub/websocket", "$servicebus/websocket/")));
    assert.equal((await client.putToken({ body: signSas({ connectionString: hub.hub.connectionString }) }))[0], 200);
  });

  test("is refused in the hub's own form: elsewhere, and for other protocols", async () => {
    await using hub = await startHub();
    const refused: [path: string, protocol: string, status: number, code: string][] = [
      ["/devices", "AMQPWSB10", 404, "GenericNotFound"],
      ["//", "AMQPWSB10", 404, "GenericNotFound"],
      ["/$iothub/websocket/more", "AMQPWSB10", 404, "GenericNotFound"],
      ["/$iothub/websocket", "", 400, "GenericBadRequest"],
      ["/$iothub/websocket", "amqp", 400, "GenericBadRequest"],
    ];
    for (const [path, protocol, ...expected] of refused) {
      const { status, code, text } = await askForUpgrade(hub.http, path, { "sec-websocket-protocol": protocol });
      assert.deepEqual([status, code], expected, `${path} ${protocol}`);
      const { Message, ExceptionMessage } = JSON.parse(text);
      assert.ok(Message.startsWith(`ErrorCode:${code};`), Message);
      assert.match(ExceptionMessage, /^Tracking ID:/);
    }
    assert.equal(await upgrade(hub.http, "/$iothub/websocket"), 101);
  });

  test("ends with the hub, in every state", async () => {
    const hub = await startHub();
    const client = hub.connect();
    await client.putToken({ body: signSas({ connectionString: hub.hub.connectionString }) });
    const gone = once(client.connection, "disconnected");
    const port = Number(new URL(hub.http).port);
    const half = createConnection(port, "127.0.0.1");
    half.write("GET /$iothub/websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
    const halfGone = new Promise((resolve) => half.on("error", () => {}).resume().once("close", resolve));
    await new Promise((resolve) => half.once("connect", resolve));
    const started = performance.now();
    await hub.hub.close();
    await Promise.all([gone, halfGone]);
    assert.ok(performance.now() - started < 1000);
    await hub[Symbol.asyncDispose]();
  });

  test("outlives a client that sends something else than AMQP", async () => {
    await using hub = await startHub();
    const socket = new WebSocket(hub.ws, ["AMQPWSB10"]);
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.addEventListener("open", () => socket.send("GET / HTTP/1.1\r\n\r\n"));
    await closed;
    const client = hub.connect();
    assert.equal((await client.putToken({ body: signSas({ connectionString: hub.hub.connectionString }) }))[0], 200);
  });

  test("is not what an AMQP port speaks", async () => {
    await using hub = await ListeningHub.start();
    await assert.rejects(upgrade(`http://127.0.0.1:${hub.port}`, "/$iothub/websocket"));
  });
});
