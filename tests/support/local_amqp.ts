import assert from "node:assert/strict";
import rhea from "rhea";
import type { Connection, ConnectionOptions, Delivery, EventContext, Message, Sender } from "rhea";
import { Activity } from "../../lib/local/activity/activity.ts";
import { FaultListeners } from "../../lib/local/fault_listeners.ts";
import { EventReceivers } from "../../lib/local/amqp/event_receivers.ts";
import { HubStorage } from "../../lib/local/storage/hub_storage.ts";
import { EventLog } from "../../lib/local/events/event_log.ts";
import type { AmqpBackend } from "../../lib/local/amqp/backend.ts";
import { HubAlarm } from "../../lib/local/hub_alarm.ts";
import { AmqpFaultState } from "../../lib/local/amqp/fault_state.ts";
import { startAmqpListener } from "../../lib/local/sockets/amqp_listener.ts";
import type { ByteListener } from "../../lib/local/sockets/byte_listener.ts";
import type { CloudMessage } from "../../lib/local/messages/cloud_message.ts";
import { HOST_NAME, SAS } from "./amqp_client.ts";

export const SEND_RIGHTS: ReadonlySet<string> = new Set(["ServiceConnect"]);

export interface TestHub extends AsyncDisposable {
  readonly listener: ByteListener;
  readonly endpoint: string;
  readonly tokens: string[];
  readonly queue: { target: { deviceId: string; moduleId?: string }; message: CloudMessage }[];
}

function newEventLog(): EventLog {
  const retention = { maxEvents: 10, maxAgeInMs: Infinity };
  return new EventLog({
    now: Date.now,
    partitions: 2,
    retention,
    report: (error) => assert.ifError(error),
    storage: new HubStorage(),
  });
}

/** The listener with a hub behind it that takes everything, unless told otherwise. */
export async function startHub(
  backend: Partial<AmqpBackend> = {},
  tls?: { cert: string; key: string },
): Promise<TestHub> {
  const tokens: string[] = [];
  const queue: TestHub["queue"] = [];
  const { now = Date.now } = backend;
  const listener = await startAmqpListener({
    hostName: HOST_NAME,
    idleTimeoutInMs: 240_000,
    faults: new AmqpFaultState(),
    now,
    alarm: new HubAlarm(now),
    throttle: undefined,
    activity: new Activity(Date.now, new FaultListeners()),
    report: () => "0".repeat(32),
    eventHub: { name: "myhub", createdTime: 0, log: newEventLog(), receivers: new EventReceivers() },
    hasHost: (host) => host === HOST_NAME,
    openSource: () => assert.fail("This hub has nothing to receive"),
    openSession: () => assert.fail("This hub has no devices"),
    verifyUser: () => assert.fail("This hub has no users"),
    knowsCertificate: () => false,
    verifyToken(token) {
      tokens.push(token);
      return Promise.resolve({ expiresOn: Date.now() + 3_600_000, rights: SEND_RIGHTS });
    },
    enqueueMessage: ({ raw: _raw, ...target }, message) => void queue.push({ target, message }),
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
export class BareClient implements AsyncDisposable {
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
    this.connection["abort_socket"](this.connection["socket"]);
    return Promise.resolve();
  }
}

export function once(
  emitter: { once(event: string, listener: (context: EventContext) => void): unknown },
  event: string,
): Promise<EventContext> {
  return new Promise((resolve) => emitter.once(event, resolve));
}

/** What becomes of one message. */
export async function outcomeOf(sender: Sender, message: Record<string, unknown>): Promise<Delivery> {
  const outcome = Promise.race(["accepted", "rejected", "released"].map((event) => once(sender, event)));
  sender.send({ body: rhea.message.data_section(new TextEncoder().encode("body")), ...message } as unknown as Message);
  return (await outcome).delivery!;
}

export const TO = "/devices/d1/messages/devicebound";
