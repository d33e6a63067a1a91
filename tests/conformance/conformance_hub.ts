import { LocalHub, type LocalMessage, type ServerCertificate } from "../../lib/local/mod.ts";
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
  const hub = new LocalHub({ feedbackIntervalInMs: 0 });
  attachDevice(hub);
  const { connectionString } = hub;
  const addresses = await hub.listen(tls === undefined ? { http: 0, amqp: 0 } : { https: 0, amqps: 0, tls });
  const { http, https = http, amqp, amqps = amqp, ws, wss = ws } = addresses;
  return {
    hub,
    target: { connectionString, endpoint: https!, amqp: amqps!, webSocket: wss! },
    [Symbol.asyncDispose]: () => hub.close(),
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
  const module = device.module(MODULE);
  const moduleMessages = new Handover<LocalMessage>();
  module.onMessage((message) => moduleMessages.put(message));
  module.onMethod("echo", (payload) => ({ status: 200, payload }));
  module.onMethod("nextMessage", async () => ({ status: 200, payload: (await moduleMessages.take()).text }));
  device.onMethod("echo", (payload) => ({ status: 200, payload }));
  device.onMethod("sendTelemetry", async (text) => {
    await device.sendTelemetry(String(text));
    return { status: 200 };
  });
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
