/** A local hub that is attacked; `run.ts` starts it on each runtime. */
import { LocalHub } from "../../lib/local/mod.ts";
import { ListeningHub } from "../support/listening_hub.ts";
import { signSas } from "../support/sas.ts";
import {
  AMQP_DEVICES,
  EVENT_HUB,
  type HubFacts,
  type InProcessRequest,
  REST_DEVICES,
  type TokenKind,
} from "./hub_facts.ts";
import { Victim } from "./victim.ts";

const victim = new Victim();
// So few events that the hub's size still tells what it keeps besides.
const events = { partitions: 1, retention: { maxEvents: 500 } };
const hub = new LocalHub({ feedbackIntervalInMs: 0, events });
hub.onFault(({ error }) => victim.blame("exception inside the hub", error));

async function start(): Promise<HubFacts> {
  const { amqp, http, mqtt, amqps, https, mqtts } = await hub.listen({
    amqp: 0,
    http: 0,
    mqtt: 0,
    amqps: 0,
    https: 0,
    mqtts: 0,
  });
  const [amqpPort, httpPort, mqttPort] = [portOf(amqp!), portOf(http!), portOf(mqtt!)];
  const { connectionString } = hub;
  const listening = new ListeningHub(hub, amqpPort);
  const { rest } = listening;
  await rest.createDevices(...AMQP_DEVICES, ...REST_DEVICES);
  for (const deviceId of REST_DEVICES) {
    hub.device(deviceId).onMethod((payload) => ({ status: 200, payload }));
    await rest.do("PUT", `/devices/${deviceId}/modules/m`, { deviceId, moduleId: "m" });
  }
  await hub.device(AMQP_DEVICES[0]!).sendTelemetry("the first event");
  const [, keyText = ""] = /SharedAccessKey=(.*)$/.exec(connectionString) ?? [];
  const tokens: Record<TokenKind, string> = {
    service: signSas({ connectionString }),
    // There the text of the key signs, and not the bytes that it stands for.
    "event hub": signSas({
      connectionString,
      sr: encodeURIComponent(`sb://${hub.hostName}/${EVENT_HUB}`),
      key: btoa(keyText),
    }),
    expired: signSas({ connectionString, se: 1 }),
    garbage: "SharedAccessSignature sr=%&sig=&se=never",
  };
  for (const deviceId of AMQP_DEVICES) {
    tokens[`device ${deviceId}`] = await listening.deviceToken(`/devices/${deviceId}`);
  }
  return { amqpPort, httpPort, mqttPort, tlsPorts: [portOf(amqps!), portOf(https!), portOf(mqtts!)], tokens };
}

function portOf(address: string): number {
  return Number(address.split(":").at(-1));
}

await victim.serve({
  start,
  /** Answers a request; returns the status, or why the runtime makes no request of it. */
  async fetch(description: InProcessRequest): Promise<number | string> {
    let request: Request;
    try {
      request = toRequest(description);
    } catch (error) {
      return `no request: ${(error as Error).name}`;
    }
    const response = await hub.fetch(request);
    await response.text();
    return response.status;
  },
});

function toRequest({ method, path, headers, body, streaming }: InProcessRequest): Request {
  const stream = body !== undefined && streaming !== undefined ? streamOf(body, streaming === "broken") : undefined;
  return new Request(`https://${hub.hostName}${path}`, {
    method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(body !== undefined && { body: stream ?? body }),
    ...(stream !== undefined && { duplex: "half" }),
  });
}

function streamOf(text: string, isBroken: boolean): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const size = Math.ceil(bytes.length / 10) || 1;
  let at = 0;
  return new ReadableStream({
    pull(controller): void {
      if (isBroken && at > bytes.length / 2) return controller.error(new Error("The sender has gone"));
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += size));
    },
  });
}
