import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { WebSocket } from "ws";
import { LocalHub } from "../../lib/local/mod.ts";
import { MqttClient } from "../support/mqtt_client.ts";
import { MqttHub } from "../support/mqtt_hub.ts";

/** A WebSocket in the shape of a socket; `piece` cuts what is written into messages of so many bytes. */
class WebSocketStream extends EventEmitter {
  readonly #socket: InstanceType<typeof WebSocket>;
  readonly #piece: number;
  readonly opened: Promise<string>;

  constructor(url: string, protocols: string[], ca?: string, piece = Infinity) {
    super();
    this.#piece = piece;
    this.#socket = new WebSocket(url, protocols, { ca });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.on("open", () => resolve(this.#socket.protocol));
      this.#socket.on("error", reject);
    });
    this.#socket.on("message", (data: Uint8Array) => this.emit("data", data));
    this.#socket.on("close", () => this.emit("close"));
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += this.#piece) {
      this.#socket.send(bytes.subarray(at, Math.min(bytes.length, at + this.#piece)));
    }
  }

  destroy(): void {
    this.#socket.terminate();
  }
}

describe("MQTT over WebSocket at the local hub", () => {
  test("answers with the sub-protocol as it was offered, and serves MQTT, however it is cut", async () => {
    await using hub = await MqttHub.start();
    await hub.rest.createDevices("d1");
    const { ws } = await hub.hub.listen({ http: 0 });
    for (const [offered, piece] of [["mqtt", Infinity], ["MQTT", 1], ["Mqtt", 7]] as const) {
      const stream = new WebSocketStream(`${ws}?iothub-no-client-cert=true`, ["other", offered], undefined, piece);
      assert.equal(await stream.opened, offered);
      using client = new MqttClient(stream);
      assert.deepEqual(await client.connect(await hub.credentials("d1")), [0, false]);
      await client.subscribe("$iothub/twin/res/#");
      assert.equal((await client.ask("$iothub/twin/GET/?$rid=1"))[0], "$iothub/twin/res/200/?$rid=1");
      client.send("disconnect");
      await client.closed;
    }
  });

  test("goes over TLS at the port for HTTPS, beside AMQP", async () => {
    await using hub = new LocalHub();
    const { wss, certificate } = await hub.listen({ https: 0 });
    for (const protocol of ["AMQPWSB10", "mqtt"]) {
      const stream = new WebSocketStream(wss!.replace("127.0.0.1", "localhost"), [protocol], certificate);
      assert.equal(await stream.opened, protocol);
      stream.destroy();
    }
  });

  test("ends with the hub, and with a client that sends something else", async () => {
    await using hub = await MqttHub.start();
    const { ws } = await hub.hub.listen({ http: 0 });
    const [odd, silent] = [new WebSocketStream(ws!, ["mqtt"]), new WebSocketStream(ws!, ["mqtt"])];
    const [oddGone, silentGone] = [odd, silent].map((stream) => new Promise((resolve) => stream.on("close", resolve)));
    await Promise.all([odd.opened, silent.opened]);
    odd.write(new TextEncoder().encode("GET / HTTP/1.1"));
    await oddGone;
    await hub.hub.close();
    await silentGone;
  });
});
