import { type HttpMessage, utf8, writeHttp } from "./http_message.ts";
import type { HubFacts, InProcessRequest } from "./hub_facts.ts";
import { mutatedJson } from "./json_mutation.ts";
import { exchange } from "./raw_exchange.ts";
import type { RestRequest } from "./rest_requests.ts";

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
  const patienceInMs = isGood ? LONG_PATIENCE_IN_MS : PATIENCE_IN_MS;
  const received = await exchange(facts.httpPort, texts.join(""), pieces, patienceInMs);
  return /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? (received === "" ? "no answer" : "no HTTP");
}

/** A request for the hub's own `fetch`. */
export function toRequest(request: RestRequest, { tokens }: Pick<HubFacts, "tokens">): InProcessRequest {
  const { token, headers, mutation, streaming } = request;
  const all: (readonly [string, string])[] = [...headers];
  if (token !== "none") all.push(["Authorization", tokens[token]]);
  if (mutation?.of === "header") all.push([mutation.name, mutation.value]);
  let { method, path } = request;
  if (mutation?.of === "method") method = mutation.text;
  if (mutation?.of === "path") {
    const at = Math.floor(path.length * mutation.part / 100);
    path = path.slice(0, at) + mutation.text + path.slice(at);
  }
  const body = bodyOf(request);
  return { method, path, headers: all, streaming, ...(body !== undefined && { body }) };
}

function bodyOf({ body, mutation }: RestRequest): string | undefined {
  if (mutation?.of === "body") return mutatedJson(body ?? {}, mutation.how);
  return body === undefined ? undefined : JSON.stringify(body);
}
