import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import rhea from "rhea";
import type { Connection, EventContext, Message, Receiver, Sender } from "rhea";
import { IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "./hub_clients.ts";

/** Sends the same messages, whoever it is. */
export interface C2dClient {
  /** Sends the next message; resolves when the hub has accepted it. */
  send(): Promise<unknown>;
  close(): Promise<unknown>;
}

const DEVICES = 20;
const BODY = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const PROPERTIES = { command: "set-interval", site: "berlin", priority: "high" };

let sent = 0;

/** To which device the next message goes, and the id that it has. */
function next(): { deviceId: string; messageId: string } {
  sent++;
  return { deviceId: `device-${sent % DEVICES}`, messageId: `message-${sent}` };
}

/** The client that a contender's name stands for; not each is connected already. */
export async function openC2dClient(contender: string, port: number): Promise<C2dClient> {
  switch (contender) {
    case "module":
      return moduleClient(port);
    case "azure-iothub":
      return sdkClient(port);
    case "bare rhea":
      return await bareClient(port);
    default:
      throw new RangeError(`There is no contender ${contender}`);
  }
}

/** The certificate that the benchmarks' processes trust. */
function certificate(): string {
  return readFileSync(process.env["NODE_EXTRA_CA_CERTS"]!, "utf8");
}

/** This module. */
function moduleClient(port: number): C2dClient {
  const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    amqpEndpoint: `amqps://localhost:${port}`,
    tls: { ca: certificate() },
  });
  return {
    send() {
      const { deviceId, messageId } = next();
      return registry.sendC2dMessage(deviceId, BODY, { messageId, ...PROPERTIES });
    },
    close: () => registry.close(),
  };
}

/** The part of `azure-iothub` that is used here. */
interface SdkMessage {
  messageId: string;
  readonly properties: { add(name: string, value: string): void };
}
interface SdkClient {
  send(deviceId: string, message: SdkMessage): Promise<unknown>;
  close(): Promise<unknown>;
}
interface SdkModules {
  Client: {
    fromConnectionString(connectionString: string): SdkClient & { _transport: { _getConnectionUri(): string } };
  };
}
interface SdkMessageModule {
  Message: new (body: Uint8Array) => SdkMessage;
}

/** The vendor's SDK, as it is, but for the port: it knows no other than 5671 by its own means. */
function sdkClient(port: number): C2dClient {
  const require = createRequire(import.meta.url);
  const { Client } = require("azure-iothub") as SdkModules;
  const { Message } = require("azure-iothub/dist/common-core/message.js") as SdkMessageModule;
  const client = Client.fromConnectionString(CONNECTION_STRING);
  client._transport._getConnectionUri = () => `amqps://localhost:${port}`;
  return {
    send() {
      const { deviceId, messageId } = next();
      const message = new Message(BODY);
      message.messageId = messageId;
      for (const [name, value] of Object.entries(PROPERTIES)) message.properties.add(name, value);
      return client.send(deviceId, message);
    },
    close: () => client.close(),
  };
}

/** The least that the AMQP library needs: one thing after the other, and no look at what goes wrong. */
async function bareClient(port: number): Promise<C2dClient> {
  const connection = rhea.create_container().connect(
    {
      host: "localhost",
      port,
      transport: "tls",
      servername: "localhost",
      ca: certificate(),
      tcp_no_delay: true,
      reconnect: false,
    } as unknown as Parameters<typeof rhea.connect>[0],
  );
  const cbs = { sender: connection.open_sender("$cbs"), receiver: connection.open_receiver("$cbs") };
  await once(cbs.sender, "sendable");
  cbs.sender.send(
    {
      message_id: "token",
      to: "$cbs",
      reply_to: "cbs",
      application_properties: { operation: "put-token", type: "servicebus.windows.net:sastoken", name: "localhost" },
      body: `SharedAccessSignature ${"x".repeat(120)}`,
    } as unknown as Message,
  );
  await once(cbs.receiver, "message");
  const sender = connection.open_sender("/messages/devicebound");
  await once(sender, "sendable");

  const waiting: (() => void)[] = [];
  const inFlight = new Map<number, () => void>();
  sender.on("accepted", ({ delivery }: EventContext) => {
    inFlight.get(delivery!.id)!();
    inFlight.delete(delivery!.id);
  });
  sender.on("sendable", () => {
    while (waiting.length > 0 && sender.sendable()) waiting.shift()!();
  });

  function sendNow(resolve: () => void): void {
    const { deviceId, messageId } = next();
    const message = {
      message_id: messageId,
      to: `/devices/${deviceId}/messages/devicebound`,
      application_properties: PROPERTIES,
      body: rhea.message.data_section(BODY),
    };
    inFlight.set(sender.send(message as unknown as Message).id, resolve);
  }
  return {
    send: () =>
      new Promise<void>((resolve) => {
        if (sender.sendable()) sendNow(resolve);
        else waiting.push(() => sendNow(resolve));
      }),
    async close() {
      connection.close();
      await once(connection, "connection_close");
    },
  };
}

function once(emitter: Connection | Sender | Receiver, event: string): Promise<void> {
  return new Promise((resolve) => void emitter.once(event, () => resolve()));
}
