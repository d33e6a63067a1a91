import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Message } from "rhea";
import { BareReceiver } from "../support/listening_hub.ts";
import { BareClient, once } from "../support/local_amqp.ts";
import { type AmqpCarrier, BARE, WebSocketCarrier } from "./amqp_carrier.ts";
import { AMQP_MUTATIONS, type AmqpMutation, AmqpMutator } from "./amqp_mutation.ts";
import { joinBytes } from "../../lib/values/join_bytes.ts";
import { MqttClient } from "../support/mqtt_client.ts";
import type { Target, Wire } from "./campaign.ts";
import { HubClient, type HubWriting } from "./hub_client.ts";
import { stepsOf } from "./client_script.ts";
import { HUB_CONVERSATIONS, type HubConversation } from "./hub_conversation.ts";
import { AMQP_DEVICES, EVENT_HUB, type HubFacts } from "./hub_facts.ts";
import { attackByMqtt, type MqttManner } from "./mqtt_attacker.ts";
import {
  BYTE_MUTATIONS,
  type ByteMutation,
  bytesOf,
  MQTT_CONVERSATIONS,
  type MqttConversation,
  mutate,
} from "./mqtt_conversation.ts";
import { exchange } from "./raw_exchange.ts";
import { sendRequests, toRequest } from "./rest_client.ts";
import { REST_REQUESTS, type RestRequest } from "./rest_requests.ts";
import { TLS_RECORDS } from "./tls_records.ts";
import { type RuntimeCommand, VictimProcess } from "./victim_process.ts";
import { isGoodWebSocket, WEB_SOCKETS, type WebSocketManner } from "./web_socket_upgrade.ts";

interface AmqpCase {
  readonly conversation: HubConversation;
  readonly mutations: readonly AmqpMutation[];
  readonly writing: HubWriting;
  readonly webSocket?: WebSocketManner | undefined;
}

interface RestCase {
  readonly requests: readonly RestRequest[];
  readonly pieces: number;
}

const AMQP: Wire<AmqpCase, HubFacts> = {
  name: "AMQP",
  weight: 6,
  cases: fc.record({
    conversation: HUB_CONVERSATIONS,
    mutations: fc.oneof({ weight: 19, arbitrary: AMQP_MUTATIONS }, { weight: 1, arbitrary: fc.constant([]) }),
    writing: fc.record({
      pieces: fc.constantFrom(0, 0, 0, 0, 1, 7, 100),
      end: fc.constantFrom("end", "end", "end", "reset"),
    }),
    webSocket: WEB_SOCKETS,
  }),
  async attack({ conversation, mutations, writing, webSocket }, _victim, { amqpPort, httpPort, tokens }) {
    const steps = stepsOf(conversation, (kind) => tokens[kind]!);
    const frames = steps.filter((step) => !("code" in step));
    const client = webSocket === undefined
      ? new HubClient(amqpPort, BARE)
      : new HubClient(httpPort, new WebSocketCarrier(true, webSocket));
    const { sasl } = conversation;
    const isLetIn = sasl.mechanism !== "PLAIN" || sasl.isGood;
    const isGood = mutations.length === 0 && isLetIn && (webSocket === undefined || isGoodWebSocket(webSocket));
    const outcome = await client.hold(steps, new AmqpMutator(mutations, frames.length), writing, isGood);
    if (isGood && writing.end === "end") assert.match(outcome, /^closed$|^link: /);
    const reached = client.reached(conversation.tokens.length);
    return { outcome: isGood ? `valid ${outcome}` : outcome, reached };
  },
};

interface MqttCase {
  readonly conversation: MqttConversation;
  readonly mutations: readonly ByteMutation[];
  /** Whether the client connects without a mistake, and makes its mistakes later. */
  readonly isLetIn: boolean;
  readonly manner: MqttManner;
  readonly webSocket?: WebSocketManner | undefined;
}

const MQTT: Wire<MqttCase, HubFacts> = {
  name: "MQTT",
  weight: 4,
  cases: fc.record({
    conversation: MQTT_CONVERSATIONS,
    mutations: fc.oneof({ weight: 9, arbitrary: BYTE_MUTATIONS }, { weight: 1, arbitrary: fc.constant([]) }),
    isLetIn: fc.constantFrom(true, true, false),
    manner: fc.record({
      pieces: fc.constantFrom(0, 0, 0, 1, 7),
      isReading: fc.constantFrom(true, true, true, false),
      end: fc.constantFrom("end", "end", "reset", "stay"),
      times: fc.constantFrom(1, 1, 1, 1, 5),
    }),
    webSocket: WEB_SOCKETS,
  }),
  async attack({ conversation, mutations, isLetIn, manner, webSocket }, _victim, { mqttPort, httpPort, tokens }) {
    const [connect, rest] = bytesOf(conversation, tokens[conversation.token]!);
    const bytes = isLetIn
      ? joinBytes([connect, mutate(rest, mutations)])
      : mutate(joinBytes([connect, rest]), mutations);
    const isGood = mutations.length === 0 && manner.isReading &&
      (webSocket === undefined || isGoodWebSocket(webSocket));
    const carrier = (): AmqpCarrier => webSocket === undefined ? BARE : new WebSocketCarrier(true, webSocket, "mqtt");
    const port = webSocket === undefined ? mqttPort : httpPort;
    const { outcome, ...result } = await attackByMqtt(port, bytes, carrier, manner, isGood);
    if (isGood) assert.match(outcome, conversation.token === "service" ? /^connack 0$/ : /^connack [05]$/);
    return { outcome: isGood ? `valid ${outcome}` : outcome, ...result };
  },
};

const REST_OVER_SOCKETS: Wire<RestCase, HubFacts> = {
  name: "REST over a socket",
  weight: 3,
  cases: fc.record({
    requests: fc.array(REST_REQUESTS, { minLength: 1, maxLength: 3, size: "-1" }),
    pieces: fc.constantFrom(0, 0, 0, 1, 7),
  }),
  async attack({ requests, pieces }, _victim, facts) {
    const outcome = await sendRequests(facts, requests, pieces);
    assert.ok(!outcome.startsWith("500"), "The hub has answered with 500");
    if (requests.every(({ mutation }) => mutation === undefined)) assert.match(outcome, /^[1-5]\d\d$/);
    return { outcome };
  },
};

const REST_IN_PROCESS: Wire<RestRequest, HubFacts> = {
  name: "REST in process",
  weight: 3,
  // How a request is written matters to a socket alone.
  cases: REST_REQUESTS.filter(({ mutation }) => mutation?.of !== "message"),
  async attack(request, victim, facts) {
    return { outcome: String(await victim.ask<number | string>("fetch", toRequest(request, facts))) };
  },
};

interface TlsCase {
  readonly port: number;
  readonly records: string;
  readonly pieces: number;
}

const TLS: Wire<TlsCase, HubFacts> = {
  name: "TLS",
  weight: 1,
  cases: fc.record({ port: fc.nat(2), records: TLS_RECORDS, pieces: fc.constantFrom(0, 0, 0, 1) }),
  async attack({ port, records, pieces }, _victim, { tlsPorts }) {
    const received = await exchange(tlsPorts[port]!, records, pieces, TLS_PATIENCE_IN_MS);
    return { outcome: received === "" ? "no answer" : received.startsWith("\x15") ? "alert" : "other" };
  },
};

const TLS_PATIENCE_IN_MS = 30;

/** A local hub, attacked by its clients. */
export function hubTarget(command: RuntimeCommand): Target<HubFacts> {
  return {
    name: "hub",
    start: () => new VictimProcess(command, "hub_victim.ts"),
    wires: [AMQP, MQTT, REST_OVER_SOCKETS, REST_IN_PROCESS, TLS] as Wire<unknown, HubFacts>[],
    async check(_victim, { amqpPort, httpPort, mqttPort, tokens }) {
      const headers = { authorization: tokens.service };
      for (const deviceId of AMQP_DEVICES) {
        const url = `http://127.0.0.1:${httpPort}/devices/${deviceId}/commands?api-version=2021-04-12`;
        const response = await fetch(url, { method: "DELETE", headers });
        assert.equal(response.status, 200, await response.text());
      }
      await using client = new BareClient(amqpPort);
      assert.deepEqual(await client.putToken({ body: tokens.service }), [200, "OK"]);
      const sender = await client.openSender("/messages/devicebound");
      const accepted = once(sender, "accepted");
      sender.send({ to: `/devices/${AMQP_DEVICES[0]}/messages/devicebound`, body: "good" } as unknown as Message);
      await accepted;
      const lookUp = new BareReceiver(client, "/messages/events/$management");
      assert.equal((await lookUp.ended).condition, "amqp:link:redirect");
      assert.deepEqual(await client.putToken({ body: tokens["event hub"] }), [200, "OK"]);
      // Refused where somebody's link was not forgotten who has come with an owner level and gone.
      const reader = new BareReceiver(client, `${EVENT_HUB}/ConsumerGroups/$Default/Partitions/0`);
      await Promise.race([reader.next(), reader.ended.then(({ description }) => assert.fail(description))]);
      using device = new MqttClient(mqttPort);
      const [clientId] = AMQP_DEVICES as [string];
      const username = `localhost/${clientId}/?api-version=2021-04-12`;
      const [code] = await device.connect({ clientId, username, password: Buffer.from(tokens.service) });
      assert.equal(code, 0);
      await device.settled();
    },
  };
}
