/**
 * Reads one address again and again, with many requests under way; `hub_rest.ts` starts it, on Node whatever serves.
 *
 *     node tests/bench/rest_load.mjs URL AUTHORIZATION IN_FLIGHT
 *
 * For each line of its standard input, a number of milliseconds, it prints how often and how fast it was answered.
 */
import { Agent, get } from "node:http";
import process from "node:process";
import { createInterface } from "node:readline";
import { takeTurn } from "./turn.ts";

const [url, authorization, inFlight] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

function read() {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization, accept: "application/json" } }, (incoming) => {
      if (incoming.statusCode !== 200) reject(new Error(`The answer is ${incoming.statusCode}`));
      incoming.on("end", resolve);
      incoming.resume();
    }).on("error", reject);
  });
}

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(JSON.stringify(await takeTurn(read, Number(inFlight), Number(line))) + "\n");
}
process.exit(0);
