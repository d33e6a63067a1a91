/**
 * The hub of the benchmarks, in a process of its own. It answers from prepared bytes and reads no more of HTTP/1.1 than
 * it must: a server that is the slower side would make all clients look alike.
 *
 *     node tests/bench/server.ts CERTIFICATE KEY
 *
 * Prints one line of JSON with its ports, and ends with its standard input.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import process from "node:process";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { cpuInUs } from "./cpu_time.ts";
import { sampleTwin } from "./sample_data.ts";

/** Where a server of the benchmarks listens. */
export interface ServerPorts {
  /** Answers at once. */
  readonly fast: number;
  /** Answers after {@linkcode LATENCY_IN_MS}. */
  readonly slow: number;
  /** Gives, over plain HTTP, the {@linkcode ServerCounts} of the other two. */
  readonly control: number;
}

/** What a server of the benchmarks has accepted so far. */
export interface ServerCounts {
  readonly connections: number;
  /** Links to send messages for devices on. */
  readonly senderLinks: number;
  /** CPU time that the server has taken, user and system. */
  readonly cpuInUs: number;
}

const LATENCY_IN_MS = 10;
const ROWS_PER_PAGE = 100;
const END_OF_HEAD = "\r\n\r\n";

/** The head of an answer, less its last lines, and the body that it belongs to. */
interface Answer {
  readonly head: string;
  readonly body: Uint8Array;
}

const TWIN = answer(sampleTwin("device-1"));
const PAGE = answer(Array.from({ length: ROWS_PER_PAGE }, (_, index) => sampleTwin(`device-${index}`)));
const BULK_RESULT = answer({ isSuccessful: true, errors: [], warnings: [] });

function answer(data: unknown): Answer {
  const body = Buffer.from(JSON.stringify(data));
  const type = "Content-Type: application/json; charset=utf-8";
  return { head: `HTTP/1.1 200 OK\r\n${type}\r\nContent-Length: ${body.byteLength}`, body };
}

/** The answer to a request. A query's text is the number of rows that it shall have, its token that of those already read. */
function answerTo(head: string, body: string): Answer {
  if (head.startsWith("GET ")) return TWIN;
  if (!head.startsWith("POST /devices/query")) return BULK_RESULT;
  const read = Number(/^x-ms-continuation: (.*)$/im.exec(head)?.[1] ?? 0) + ROWS_PER_PAGE;
  const isLast = read >= Number(JSON.parse(body).query);
  return isLast ? PAGE : { head: `${PAGE.head}\r\nx-ms-continuation: ${read}`, body: PAGE.body };
}

/** Answers the requests of a connection, which come one after the other. */
function serve(socket: TLSSocket, latencyInMs: number): void {
  let received = "";
  // All that is sent here is ASCII, so that a length in bytes is one in characters.
  socket.setEncoding("latin1");
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    received += chunk;
    const headLength = received.indexOf(END_OF_HEAD);
    if (headLength < 0) return;
    const head = received.slice(0, headLength);
    const bodyStart = headLength + END_OF_HEAD.length;
    if (received.length < bodyStart + Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)) return;
    const result = answerTo(head, received.slice(bodyStart));
    received = "";
    if (latencyInMs > 0) setTimeout(send, latencyInMs, socket, result);
    else send(socket, result);
  });
}

function send(socket: TLSSocket, { head, body }: Answer): void {
  socket.cork();
  socket.write(head + END_OF_HEAD);
  socket.write(body);
  socket.uncork();
}

const counts = { connections: 0, senderLinks: 0 } satisfies Partial<ServerCounts>;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const [certificate, key] = process.argv.slice(2);
const tls = { cert: readFileSync(certificate!), key: readFileSync(key!), ALPNProtocols: ["http/1.1"], noDelay: true };

function listenTls(latencyInMs: number): Promise<number> {
  const server = createTlsServer(tls, (socket) => serve(socket, latencyInMs));
  return listen(server.on("connection", () => counts.connections++));
}

const ports: ServerPorts = {
  fast: await listenTls(0),
  slow: await listenTls(LATENCY_IN_MS),
  control: await listen(
    createHttpServer((_, response) => void response.end(JSON.stringify({ ...counts, cpuInUs: cpuInUs() }))),
  ),
};
process.stdout.write(JSON.stringify(ports) + "\n");
process.stdin.on("end", () => process.exit(0)).resume();
