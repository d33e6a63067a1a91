/**
 * The hub of the benchmarks that send messages, in a process of its own: the bare AMQP library, which takes every token and
 * every message.
 *
 *     node tests/bench/amqp_server.ts CERTIFICATE KEY
 *
 * Prints one line of JSON with its ports, and ends with its standard input.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import rhea from "rhea";
import type { EventContext, Message, ServerConnectionOptions } from "rhea";
import { cpuInUs } from "./cpu_time.ts";
import type { ServerCounts, ServerPorts } from "./server.ts";

const LATENCY_IN_MS = 10;
/** More than any contender has in flight. */
const CREDIT = 5_000;

const [certificate, key] = process.argv.slice(2);
const counts = { connections: 0, senderLinks: 0 } satisfies Partial<ServerCounts>;

const container = rhea.create_container();
for (const event of ["disconnected", "error", "protocol_error"]) container.on(event, () => {});
container.on("connection_open", () => counts.connections++);
container.on("sender_open", ({ sender }: EventContext) => sender!.set_source({ address: sender!.source.address }));
container.on("receiver_open", ({ receiver }: EventContext) => {
  const { address } = receiver!.target;
  receiver!.set_target({ address });
  if (address !== "$cbs") counts.senderLinks++;
});
container.on("message", ({ message, receiver, connection }: EventContext) => {
  if (receiver!.target.address !== "$cbs") return;
  const answer = {
    correlation_id: message!.message_id,
    application_properties: { "status-code": rhea.types.wrap_int(200), "status-description": "OK" },
    body: null,
  };
  connection.find_sender(() => true)!.send(answer as unknown as Message);
});

const fast = container.listen(
  {
    host: "127.0.0.1",
    port: 0,
    transport: "tls",
    cert: readFileSync(certificate!),
    key: readFileSync(key!),
    receiver_options: { credit_window: CREDIT },
  } as unknown as ServerConnectionOptions,
);
fast.on("connection", (socket: Socket) => void socket.setNoDelay(true));
await new Promise((resolve) => fast.once("listening", resolve));
const { port } = fast.address() as AddressInfo;

/** Leads to the other port, with each direction late. */
const slow = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
  const far = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  passOn(near, far);
  passOn(far, near);
});

function passOn(from: Socket, to: Socket): void {
  // Timers of equal length fire in the order in which they were set.
  from.on("data", (chunk) => void setTimeout(() => to.write(chunk), LATENCY_IN_MS));
  from.on("end", () => void setTimeout(() => to.end(), LATENCY_IN_MS));
  from.on("error", () => to.destroy());
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const ports: ServerPorts = {
  fast: port,
  slow: await listen(slow),
  control: await listen(
    createHttpServer((_, response) => void response.end(JSON.stringify({ ...counts, cpuInUs: cpuInUs() }))),
  ),
};
process.stdout.write(JSON.stringify(ports) + "\n");
process.stdin.on("end", () => process.exit(0)).resume();
