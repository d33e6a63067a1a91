import type { HubAnswer } from "../../lib/local/hub_answer.ts";
import type { HubRequest } from "../../lib/local/hub_request.ts";
import {
  type HttpListener,
  type HttpListenerOptions,
  startHttpListener,
} from "../../lib/local/sockets/http_listener.ts";

/** The methods that the Fetch standard forbids. The hub takes them from a header, too. */
const FORBIDDEN_METHODS: readonly string[] = ["CONNECT", "TRACE", "TRACK"];

/** Opens a port whose requests are answered by a function with the shape of `fetch`. */
export function startFetchListener(
  handle: (request: Request) => Promise<Response>,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  return startHttpListener(async (request) => await answerFrom(await handle(requestFrom(request))), options);
}

function requestFrom({ url, method, headers: given, body, signal }: HubRequest): Request {
  const isForbidden = FORBIDDEN_METHODS.includes(method);
  const headers = new Headers(given);
  if (isForbidden) headers.set("x-http-method-override", method);
  const init: RequestInit & { duplex: "half" } = {
    method: isForbidden ? "POST" : method,
    headers,
    body,
    signal,
    duplex: "half",
  };
  return new Request(url, init);
}

async function answerFrom(response: Response): Promise<HubAnswer> {
  const { status, headers } = response;
  return { status, headers: Object.fromEntries(headers), body: new Uint8Array(await response.arrayBuffer()) };
}
