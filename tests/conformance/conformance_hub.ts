import { LocalHub, type LocalMessage, type ServerCertificate } from "../../lib/local/mod.ts";
import { startWebSocketBridge } from "../support/web_socket_bridge.ts";
import type { ConformanceTarget } from "./check.ts";
import { DEVICE, MODULE } from "./names.ts";

/** A hub that the suite can run against, on real sockets. */
export interface ConformanceHub extends AsyncDisposable {
  readonly hub: LocalHub;
  /** All of its addresses. */
  readonly target: Required<ConformanceTarget>;
}

/** Starts a hub with the device that the suite talks to; with a certificate, all of its sockets have TLS. */
export async function startConformanceHub(tls?: ServerCertificate): Promise<ConformanceHub> {
  const hub = new LocalHub();
  attachDevice(hub);
  const { http, https, amqp, amqps } = await hub.listen({
    amqp: 0,
    ...(tls ? { https: 0, amqps: 0, tls } : { http: 0 }),
  });
  const bridge = await startWebSocketBridge(amqp!, tls);
  const { connectionString } = hub;
  return {
    hub,
    target: { connectionString, endpoint: (https ?? http)!, amqp: (amqps ?? amqp)!, webSocket: bridge.url },
    async [Symbol.asyncDispose]() {
      await bridge[Symbol.asyncDispose]();
      await hub.close();
    },
  };
}

function attachDevice(hub: LocalHub): void {
  const device = hub.device(DEVICE);
  const waiting = new Map<unknown, Handover<undefined>>();
  const waitingFor = (name: unknown): Handover<undefined> => {
    if (!waiting.has(name)) waiting.set(name, new Handover());
    return waiting.get(name)!;
  };
  const messages = new Handover<LocalMessage>();
  device.onMessage((message) => messages.put(message));
  device.module(MODULE).onMethod("echo", (payload) => ({ status: 200, payload }));
  device.onMethod("echo", (payload) => ({ status: 200, payload }));
  device.onMethod("wait", (name) => {
    waitingFor(name).put(undefined);
    return new Promise(() => {});
  });
  device.onMethod("untilWaiting", async (name) => {
    await waitingFor(name).take();
    return { status: 200 };
  });
  device.onMethod("nextMessage", async () => {
    const { text, messageId, ack, properties } = await messages.take();
    return { status: 200, payload: { text, messageId, ack, properties } };
  });
  device.onMethod("nextDigest", async () => {
    const { data } = await messages.take();
    const digest = await crypto.subtle.digest("SHA-256", data.slice());
    return { status: 200, payload: { length: data.length, digest: Array.from(new Uint8Array(digest)) } };
  });
}

/** Things that are put by one side and taken by the other, in order. */
class Handover<T> {
  readonly #things: T[] = [];
  readonly #takers: ((thing: T) => void)[] = [];

  put(thing: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#things.push(thing);
    else taker(thing);
  }

  async take(): Promise<T> {
    if (this.#things.length > 0) return this.#things.shift()!;
    return await new Promise((resolve) => this.#takers.push(resolve));
  }
}
