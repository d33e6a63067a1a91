/**
 * One contender in one runtime; `run.ts` starts it, in each runtime for itself.
 *
 *     <runtime> tests/bench/contender.ts '{"part":"get","contender":"module","inFlight":32,"ports":{…}}'
 *
 * For each line of its standard input, a number of milliseconds, it takes a turn of that length and prints what it reached,
 * as one line of JSON. It ends with its standard input.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { type ClientOptions, createSasToken, IoTHubRegistryManager } from "../../mod.ts";
import { openC2dClient } from "./c2d_clients.ts";
import { eventClient } from "./event_clients.ts";
import { CONNECTION_STRING, hubClient } from "./hub_clients.ts";
import { openRestServer } from "./hub_rest.ts";
import { sampleTwin } from "./sample_data.ts";
import type { ServerPorts } from "./server.ts";
import { type Figures, takeTurn } from "./turn.ts";

/** Who is to do what. */
export interface ContenderRequest {
  readonly part: string;
  readonly contender: string;
  readonly inFlight: number;
  readonly ports: ServerPorts;
  /** How many twins or events to read in one turn. */
  readonly count?: number;
  /** How Node is started, for those who need a process beside theirs. */
  readonly node?: readonly string[];
}

async function callOf({ part, contender, ports, count }: ContenderRequest): Promise<() => Promise<unknown>> {
  switch (part) {
    case "in-process":
    case "sight":
      return inProcessCall(contender);
    case "get": {
      const client = hubClient(contender, ports.fast);
      return () => client.getTwin("device-1");
    }
    case "latency": {
      const client = hubClient(contender, ports.slow);
      return () => client.getTwin("device-1");
    }
    case "bulk": {
      const client = hubClient(contender, ports.fast);
      return () => client.registerDevices();
    }
    case "paging": {
      const client = hubClient(contender, ports.fast);
      return () => client.readTwins(count!);
    }
    case "token": {
      const key = btoa("sixteen bytes or more are a key");
      return () => createSasToken({ resourceUri: "localhost", key, keyName: "iothubowner" });
    }
    case "c2d": {
      const client = await openC2dClient(contender, ports.fast);
      // Alone, since many first messages at once would be another matter.
      await client.send();
      return () => client.send();
    }
    case "c2d-first":
      return async () => {
        const client = await openC2dClient(contender, ports.slow);
        await client.send();
        void client.close(); // No part of the time.
      };
    case "events": {
      const client = eventClient(contender, ports.fast);
      return () => client.read(count!);
    }
    case "hub-page":
    case "hub-groups":
      return (await import("./hub_queries.ts")).openHubQuery(part);
    default:
      throw new RangeError(`There is no part ${part}`);
  }
}

/** The same answer each time, as a response that is new. */
async function inProcessCall(contender: string): Promise<() => Promise<unknown>> {
  const text = JSON.stringify(sampleTwin("device-1"));
  const fetch = () => Promise.resolve(new Response(text, { headers: { "Content-Type": "application/json" } }));
  if (contender === "bare fetch") return async () => await (await fetch()).json();
  const options = { fetch, ...await sightOf(contender) };
  const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options);
  return () => registry.getTwin("device-1");
}

/** Who is told of what the module does, which itself does nothing with it. */
async function sightOf(contender: string): Promise<ClientOptions> {
  switch (contender) {
    case "with onEvent":
      return { onEvent: () => {} };
    case "with tracer":
      return { tracer: (await import("@opentelemetry/api")).trace.getTracer("bench") };
    default:
      return {};
  }
}

async function turnsOf(request: ContenderRequest): Promise<(turnInMs: number) => Promise<Figures>> {
  const { part, contender, inFlight, node = [] } = request;
  if (part === "hub-rest") return openRestServer(contender, node, inFlight);
  const call = await callOf(request);
  return (turnInMs) => takeTurn(call, inFlight, turnInMs);
}

const take = await turnsOf(JSON.parse(process.argv[2]!) as ContenderRequest);
for await (const line of createInterface(process.stdin)) {
  process.stdout.write(JSON.stringify(await take(Number(line))) + "\n");
}
process.exit(0);
