import assert from "node:assert/strict";
import type { Socket } from "node:net";
import fc from "fast-check";
import { FaultServer } from "../support/fault_server.ts";
import { AMQP_MUTATIONS } from "./amqp_mutation.ts";
import type { Target, Wire } from "./campaign.ts";
import type { CallName } from "./client_calls.ts";
import type { ClientRequest } from "./client_victim.ts";
import { EVENT_HUB_MANNERS } from "./hostile_event_hub.ts";
import { FEEDBACK, GOOD_MANNER, HostileHub, type HubManner } from "./hostile_hub.ts";
import { GOOD_ANSWER, HTTP_ANSWERS, HTTP_CALLS, type HttpAnswer, writeAnswer } from "./http_answers.ts";
import { type RuntimeCommand, VictimProcess } from "./victim_process.ts";
import { WEB_SOCKETS } from "./web_socket_upgrade.ts";

interface AmqpCase {
  readonly call: CallName;
  readonly manner: HubManner;
}

interface HttpCase {
  readonly call: CallName;
  readonly way: ClientRequest["way"];
  /** To the first requests, one after the other; the last one comes again and again. */
  readonly answers: readonly HttpAnswer[];
  /** What becomes of the connection after an answer. */
  readonly end: "keep" | "end" | "reset";
}

const AMQP_CASES: fc.Arbitrary<AmqpCase> = fc.record({
  call: fc.constantFrom(
    "sendC2dMessage",
    "sendManyC2dMessages",
    "receiveFeedback",
    "receiveFileNotifications",
    "receiveEvents",
    "receiveLatestEvents",
    "getEventHubEndpoint",
  ),
  manner: fc.record({
    mutations: fc.oneof({ weight: 1, arbitrary: AMQP_MUTATIONS }, { weight: 1, arbitrary: fc.constant([]) }),
    outcome: fc.constantFrom("accepted", "accepted", "rejected", "released", "modified"),
    tokenStatus: fc.oneof({ weight: 6, arbitrary: fc.constant(200) }, {
      weight: 1,
      arbitrary: fc.constantFrom(401, 404, 500, 0),
    }),
    queue: fc.array(fc.constantFrom(FEEDBACK, "[]", "[5]", "{}", "", '[{"__proto__":{"complete":1}}]'), {
      maxLength: 5,
    }),
    eventHub: EVENT_HUB_MANNERS,
    webSocket: WEB_SOCKETS,
  }),
});

const EVENT_CALLS: readonly CallName[] = ["receiveEvents", "receiveLatestEvents", "getEventHubEndpoint"];

const HTTP_CASES: fc.Arbitrary<HttpCase> = fc.record({
  call: fc.constantFrom(...HTTP_CALLS),
  way: fc.constantFrom("own", "fetch"),
  answers: fc.array(HTTP_ANSWERS, { minLength: 1, maxLength: 3, size: "-1" }),
  end: fc.constantFrom("keep", "keep", "end", "end", "reset"),
});

/** How long a client may need until it serves a good hub, whose calls may take 150 ms: a busy machine is slow. */
const RECOVERY_LIMIT_IN_MS = 30_000;

/** How much a body without an end has at most, which is more than a client takes. */
const MOST_CHUNKS = 200;
const CHUNK = new Uint8Array(2 ** 20).fill(0x20);

/** A client, attacked by whoever is in the place of its hub. */
export async function clientTarget(command: RuntimeCommand): Promise<Target<unknown>> {
  const hub = new HostileHub();
  const address = `127.0.0.1:${await hub.listen()}`;
  let current: HttpCase = { call: "getTwin", way: "own", answers: [GOOD_ANSWER], end: "keep" };
  let requests = 0;
  const server = await FaultServer.listen(({ socket }) => {
    const { call, answers, end } = current;
    const answer = answers[Math.min(requests++, answers.length - 1)]!;
    socket.write(writeAnswer(call, answer), "latin1");
    if (answer.body === "endless") writeEndlessly(socket);
    else if (end === "end") socket.end();
    else if (end === "reset") socket.resetAndDestroy();
  });

  const open = (victim: VictimProcess, way: ClientRequest["way"], isWebSocket: boolean = false): Promise<void> => {
    const amqpEndpoint = isWebSocket ? `ws://${address}/` : `amqp://${address}`;
    return victim.ask("open", { endpoint: server.endpoint, amqpEndpoint, way } satisfies ClientRequest);
  };

  /** A good hub is served by the same client, though the peer of its open connections may be a bad one still. */
  async function recovers(victim: VictimProcess, call: CallName): Promise<void> {
    const outcomes: string[] = [];
    const began = performance.now();
    while (performance.now() - began < RECOVERY_LIMIT_IN_MS) {
      outcomes.push(await victim.ask<string>("call", call));
      if (outcomes.at(-1) === "done") return await victim.ask("close");
    }
    assert.fail(`The client no longer calls ${call} where its hub is good: ${outcomes.join(", ")}`);
  }

  const http: Wire<HttpCase, unknown> = {
    name: "HTTP answers",
    weight: 1,
    cases: HTTP_CASES,
    async attack(attack, victim) {
      [current, requests] = [attack, 0];
      await open(victim, attack.way);
      const outcome = await victim.ask<string>("call", attack.call);
      current = { call: "getTwin", way: "own", answers: [GOOD_ANSWER], end: "keep" };
      server.cut();
      await recovers(victim, "getTwin");
      return { outcome };
    },
  };

  const amqp: Wire<AmqpCase, unknown> = {
    name: "AMQP",
    weight: 1,
    cases: AMQP_CASES,
    async attack({ call, manner }, victim) {
      const readsEvents = EVENT_CALLS.includes(call);
      hub.manner = { ...manner, eventHub: readsEvents ? manner.eventHub : undefined };
      hub.reached.clear();
      const isWebSocket = manner.webSocket !== undefined;
      await open(victim, "own", isWebSocket);
      const outcome = await victim.ask<string>("call", call);
      const reached = [...hub.reached];
      hub.manner = { ...GOOD_MANNER, ...(isWebSocket && { webSocket: { frames: [] } }) };
      hub.cut();
      await recovers(victim, readsEvents ? "receiveLatestEvents" : "sendC2dMessage");
      hub.manner = GOOD_MANNER;
      return { outcome, reached };
    },
  };

  return {
    name: "client",
    start: () => new VictimProcess(command, "client_victim.ts"),
    wires: [http, amqp] as Wire<unknown, unknown>[],
    async check(victim) {
      for (const call of ["getTwin", "sendC2dMessage", "receiveFeedback", "receiveEvents"] as const) {
        await open(victim, "own");
        await recovers(victim, call);
      }
    },
  };
}

function writeEndlessly(socket: Socket): void {
  let left = MOST_CHUNKS;
  const write = (): void => {
    while (left-- > 0 && !socket.destroyed) if (!socket.write(CHUNK)) return void socket.once("drain", write);
  };
  write();
}
