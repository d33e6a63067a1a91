import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { resolveEndpoint } from "../../lib/amqp/amqp_endpoint.ts";
import type { AmqpSettings } from "../../lib/amqp/amqp_settings.ts";
import { runtimeName } from "../../lib/values/runtime.ts";
import { AmqpClient } from "../support/amqp_client.ts";
import { startScriptedHub } from "../support/scripted_hub.ts";
import { startWebSocketHub } from "../support/web_socket_hub.ts";

const certificate = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
const other = await makeSelfSignedCertificate(["other.example", "127.0.0.1"]);

describe("TLS over TCP", () => {
  for (const host of ["localhost", "127.0.0.1"]) {
    test(`trusts the given authority, for a hub at ${host}`, async () => {
      await using hub = await startScriptedHub({ tls: certificate });
      await using client = new AmqpClient(`amqps://${host}:${hub.port}`, { tls: { ca: certificate.cert } });
      await Promise.all([client.send("1"), client.send("2".repeat(60_000))]);
      assert.equal(hub.messages.length, 2);
      // An IP address may not go into the TLS server name.
      assert.equal(hub.connections[0]!["socket"].servername || "", host === "localhost" ? "localhost" : "");
    });
  }

  test("trusts each of several authorities", async () => {
    await using hub = await startScriptedHub({ tls: certificate });
    await using client = new AmqpClient(hub.endpoint, { tls: { ca: [other.cert, certificate.cert] } });
    await client.send("");
  });

  test("does not trust a hub whose authority is not given", async () => {
    await using hub = await startScriptedHub({ tls: certificate });
    for (const tls of [undefined, { ca: other.cert }]) {
      await using client = new AmqpClient(hub.endpoint, { tls });
      await assert.rejects(client.send(""), { name: "IoTHubError", code: "NetworkError" });
    }
    assert.equal(hub.connections.length, 0);
  });

  test("does not trust a certificate that is for another host", async () => {
    const foreign = await makeSelfSignedCertificate(["elsewhere.example"]);
    await using hub = await startScriptedHub({ tls: foreign });
    for (const host of ["localhost", "127.0.0.1"]) {
      await using client = new AmqpClient(`amqps://${host}:${hub.port}`, { tls: { ca: foreign.cert } });
      await assert.rejects(client.send(""), { code: "NetworkError" });
    }
    assert.equal(hub.connections.length, 0);
  });
});

describe("A host name with a port", () => {
  const settings = { hostName: "localhost:8443" } as AmqpSettings;

  test("names the port of WebSockets, and not that of AMQP", async () => {
    const tcp = await resolveEndpoint({ ...settings, transportType: "Amqp" });
    assert.deepEqual(tcp, { kind: "tcp", tls: true, host: "localhost", port: 5671 });
    const webSocket = await resolveEndpoint({ ...settings, transportType: "AmqpOverWebSocket" });
    assert.deepEqual(webSocket, { kind: "webSocket", url: "wss://localhost:8443/$iothub/websocket" });
  });

  test("leads to where the endpoint says, where there is one", async () => {
    await using hub = await startScriptedHub();
    await using client = new AmqpClient(hub.endpoint, settings);
    await client.send("");
    assert.equal(hub.connections[0]!.hostname, "localhost");
  });
});

describe("A WebSocket", () => {
  test("carries AMQP to the hub's path, under its subprotocol", async () => {
    await using server = await startWebSocketHub();
    await using client = new AmqpClient(`ws://127.0.0.1:${server.port}`);
    await Promise.all(Array.from({ length: 64 }, (_, i) => client.send(`${i}`)));
    await client.send("x".repeat(60_000));
    assert.deepEqual(server.requests, [{ url: "/$iothub/websocket", protocol: "AMQPWSB10" }]);
    assert.equal(server.hub.connections.length, 1);
    assert.equal(server.hub.messages.length, 65);
  });

  test("goes to the path of the endpoint, where it has one", async () => {
    await using server = await startWebSocketHub();
    await using client = new AmqpClient(`ws://127.0.0.1:${server.port}/relay?to=hub`);
    await client.send("");
    assert.equal(server.requests[0]!.url, "/relay?to=hub");
  });

  test("that breaks fails the sends, and is replaced", async () => {
    await using server = await startWebSocketHub();
    await using client = new AmqpClient(`ws://127.0.0.1:${server.port}`);
    await client.send("1");
    server.hub.connections[0]!["socket"].end();
    await client.send("2").catch((error) => assert.deepEqual([error.code, error.retryable], ["NetworkError", false]));
    await client.send("3");
    assert.equal(server.hub.connections.length, 2);
  });

  test("that nobody answers is given up with the last who waits for it", async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on("error", () => {}).on("close", () => resolve()).resume();
      onConnected();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using client = new AmqpClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const controller = new AbortController();
    const sent = client.send("", {}, { abortSignal: controller.signal });
    await connected;
    controller.abort();
    await assert.rejects(sent, { name: "AbortError" });
    await gone;
    await new Promise((resolve) => server.close(resolve));
  });

  test(
    "asks for no compression, but on Node",
    { skip: runtimeName() === "Node" ? "it cannot be told so" : false },
    async () => {
      let head = "";
      const server = createServer((socket) => {
        socket.on("error", () => {}).on("data", (bytes) => {
          head += bytes;
          socket.destroy();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      await using client = new AmqpClient(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
      await assert.rejects(client.send(""), { code: "NetworkError" });
      await new Promise((resolve) => server.close(resolve));
      assert.match(head, /sec-websocket-protocol: AMQPWSB10/i);
      assert.doesNotMatch(head, /sec-websocket-extensions/i);
    },
  );

  test("that is refused fails the send as NetworkError", async () => {
    await using plain = await startScriptedHub();
    await using client = new AmqpClient(`ws://127.0.0.1:${plain.port}`);
    await assert.rejects(client.send(""), { name: "IoTHubError", code: "NetworkError", retryable: true });
  });

  for (const host of ["localhost", "127.0.0.1"]) {
    test(`with TLS trusts the given authority, for a hub at ${host}`, async () => {
      await using server = await startWebSocketHub({}, certificate);
      await using client = new AmqpClient(`wss://${host}:${server.port}`, { tls: { ca: certificate.cert } });
      await Promise.all([client.send("1"), client.send("2".repeat(60_000))]);
      assert.equal(server.hub.messages.length, 2);
    });
  }

  test("with TLS does not trust a certificate that is for another host, also if its authority is given", async () => {
    const foreign = await makeSelfSignedCertificate(["elsewhere.example"]);
    await using server = await startWebSocketHub({}, foreign);
    for (const host of ["localhost", "127.0.0.1"]) {
      await using client = new AmqpClient(`wss://${host}:${server.port}`, { tls: { ca: foreign.cert } });
      await assert.rejects(client.send(""), { code: "NetworkError" });
    }
    assert.equal(server.requests.length, 0);
  });

  test("with TLS does not trust a hub whose authority is not given", async () => {
    await using server = await startWebSocketHub({}, certificate);
    await using client = new AmqpClient(`wss://localhost:${server.port}`);
    await assert.rejects(client.send(""), { code: "NetworkError" });
    assert.equal(server.requests.length, 0);
  });

  test("is missing from a runtime that has none, and the error says what to do", async () => {
    const { WebSocket } = globalThis;
    try {
      Reflect.deleteProperty(globalThis, "WebSocket");
      await using client = new AmqpClient("ws://127.0.0.1:1");
      await assert.rejects(client.send(""), { code: "NetworkError", retryable: false, message: /no WebSocket/ });
    } finally {
      globalThis.WebSocket = WebSocket;
    }
  });
});
