import { connect } from "node:net";
import { type HttpMessage, utf8, writeHttp } from "./http_message.ts";
import type { HubFacts, InProcessRequest } from "./hub_facts.ts";
import { mutatedJson } from "./json_mutation.ts";
import type { RestRequest } from "./rest_requests.ts";
import { within } from "./within.ts";

/** How long to wait for an answer, which a request that has no end never gets. */
const PATIENCE_IN_MS = 50;
const LONG_PATIENCE_IN_MS = 30_000;

/** Writes requests to a hub's socket, one after the other without waiting; returns the status of the first. */
export async function sendRequests(
  facts: HubFacts,
  requests: readonly RestRequest[],
  pieces: number,
): Promise<string> {
  const texts = requests.map((request) => {
    const { method, path, headers, body } = toRequest(request, facts);
    const message: HttpMessage = {
      start: `${method} ${utf8(path)} HTTP/1.1`,
      headers: [["Host", "127.0.0.1"], ...headers],
      body: utf8(body ?? ""),
      framing: body === undefined ? "none" : request.framing,
    };
    return writeHttp(message, request.mutation?.of === "message" ? request.mutation.how : undefined);
  });
  const isGood = requests.every(({ mutation }) => mutation === undefined);
  return await exchange(facts.httpPort, texts.join(""), pieces, isGood ? LONG_PATIENCE_IN_MS : PATIENCE_IN_MS);
}

async function exchange(port: number, text: string, pieces: number, patienceInMs: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  const closed = new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve()));
  const answered = new Promise<void>((resolve) => {
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
      resolve();
    });
  });
  const size = pieces === 0 ? text.length : Math.max(pieces, Math.ceil(text.length / 500));
  for (let at = 0; at < text.length; at += size) socket.write(text.slice(at, at + size), "latin1");
  await within(Promise.race([answered, closed]), patienceInMs, "").catch(() => {});
  socket.destroy();
  await closed;
  return /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? (received === "" ? "no answer" : "no HTTP");
}

/** A request for the hub's own `fetch`. */
export function toRequest(request: RestRequest, { tokens }: Pick<HubFacts, "tokens">): InProcessRequest {
  const { token, headers, mutation } = request;
  const all: (readonly [string, string])[] = [...headers];
  if (token !== "none") all.push(["Authorization", tokens[token]]);
  if (mutation?.of === "header") all.push([mutation.name, mutation.value]);
  let { method, path } = request;
  if (mutation?.of === "method") method = mutation.text;
  if (mutation?.of === "path") {
    const at = Math.floor(path.length * mutation.part / 100);
    path = path.slice(0, at) + mutation.text + path.slice(at);
  }
  const body = request.body === undefined && mutation?.of !== "body"
    ? undefined
    : mutation?.of === "body"
    ? mutatedJson(request.body ?? {}, mutation.how)
    : JSON.stringify(request.body);
  return { method, path, headers: all, ...(body !== undefined && { body }) };
}
