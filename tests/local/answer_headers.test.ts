import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { methodsOf, SAMPLE_PATHS } from "../support/description.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

/** An answer as it came over the socket. */
interface RawAnswer {
  readonly status: number;
  /** By their names in lower case. A header that comes twice has both values. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends a request as it stands, and reads to the end of the connection. */
function send(port: number, text: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    // The hub has to end the connection: it is told to, or it refuses what it cannot read.
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const chunks: Uint8Array[] = [];
    socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.end();
      resolve(parse(Buffer.concat(chunks).toString()));
    });
    socket.write(text);
  });
}

function parse(text: string): RawAnswer {
  const [head = "", body = ""] = text.split(/\r\n\r\n(.*)/s);
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [name = "", value = ""] = line.toLowerCase().split(/: ?(.*)/);
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status: Number(statusLine.split(" ")[1]), headers, body };
}

/** A request with a good token, after which the connection is to be closed. */
function request(hub: LocalHub, line: string, body: string = "", headers: string = ""): string {
  const [method, path] = line.split(" ");
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path}?api-version=2021-04-12 HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n${headers}${length}` +
    `Authorization: ${signSas({ connectionString: hub.connectionString })}\r\n\r\n${body}`;
}

async function start(): Promise<{ hub: LocalHub; port: number }> {
  const hub = new LocalHub();
  const { http } = await hub.listen({ http: 0 });
  await new RestCaller(hub).createDevices("d");
  return { hub, port: Number(new URL(http!).port) };
}

const ANSWERS: readonly (readonly [status: number, line: string, body?: string, headers?: string])[] = [
  [200, "GET /devices/d"],
  [200, "PATCH /twins/d", '{"tags":{"größe":"ä"}}'],
  [200, "PUT /devices/e", "{}"],
  [200, "POST /devices", '[{"id":"f","importMode":"create"}]'],
  [204, "GET /messages/servicebound/feedback"],
  [204, "DELETE /devices/d", "", "If-Match: *\r\n"],
  [400, "POST /devices/query", '{"query":"nonsense"}'],
  [401, "GET /devices/d/modules"],
  [404, "GET /devices/none"],
  [404, "GET /nowhere"],
  [405, "OPTIONS /devices/e"],
  [405, "TRACE /devices/e"],
  [405, "HEAD /devices/e"],
  [412, "PUT /devices/e", "{}", "If-Match: stale\r\n"],
  [413, "PUT /devices/e", " ".repeat(200_000)],
  [204, "POST /devices/e/messages/events"],
];

describe("every answer of the hub", () => {
  test("tells its length and its server, and names the request as its error does", async () => {
    const { hub, port } = await start();
    for (const [status, line, body, headers] of ANSWERS) {
      const answer = await send(port, request(hub, line, body, headers));
      assert.equal(answer.status, status, line);
      assert.equal(answer.headers.get("server"), "microsoft-httpapi/2.0", line);
      assert.equal(answer.headers.has("transfer-encoding"), false, line);
      const length = Number(answer.headers.get("content-length"));
      if (line.startsWith("HEAD")) assert.ok(length > 0 && answer.body === "", line);
      else assert.equal(length, Buffer.byteLength(answer.body), line);
      if (status === 204) assert.equal(answer.headers.get("content-length"), "0", line);
      const requestId = answer.headers.get("x-ms-request-id")!;
      assert.match(requestId, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, line);
      if (status < 400 || answer.body === "") continue;
      assert.ok(answer.body.includes(`Tracking ID:${requestId.replaceAll("-", "")}-`), `${line}: ${answer.body}`);
    }
    await hub.close();
  });

  test("says the same in process", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    const put = await rest.call("PUT", "/devices/d", {});
    assert.equal(put.headers.get("content-length"), String(JSON.stringify(put.body).length));
    const removed = await rest.call("DELETE", "/devices/d", undefined, { headers: { "if-match": "*" } });
    assert.deepEqual([removed.status, removed.headers.get("content-length")], [204, "0"]);
    assert.equal(removed.headers.get("server"), "Microsoft-HTTPAPI/2.0");
  });

  test("with 405 names each method once that openapi.json has for the path", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    for (const path of SAMPLE_PATHS) {
      const answer = await rest.call("OPTIONS", path);
      assert.equal(answer.status, 405, path);
      assert.deepEqual(answer.headers.get("allow")!.split(", ").sort(), methodsOf(path).sort(), path);
    }
  });

  test("with 405 names the methods that there are", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    for (
      const [method, path, allow] of [
        ["POST", "/devices/d", "GET, PUT, DELETE"],
        ["DELETE", "/twins/d", "GET, PUT, PATCH"],
        ["PATCH", "/devices/query", "POST, GET, PUT, DELETE"],
        ["GET", "/twins/d/methods", "POST"],
      ] as const
    ) {
      const answer = await rest.call(method, path);
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, allow], `${method} ${path}`);
    }
  });

  test("comes to what is no HTTP, or not for a hub, and then the hub closes the connection", async () => {
    const { hub, port } = await start();
    const cases: [status: number, text: string][] = [
      [400, "nonsense\r\n\r\n"],
      [400, "NONSENSE /devices HTTP/1.1\r\nHost: hub\r\n\r\n"],
      [400, "GET /devices/\x01 HTTP/1.1\r\nHost: hub\r\n\r\n"],
      [400, "GET /devices HTTP/1.1\r\nHost: hub\r\nX: a\0b\r\n\r\n"],
      [431, `GET /devices HTTP/1.1\r\nHost: hub\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
      [405, "CONNECT hub:443 HTTP/1.1\r\nHost: hub\r\n\r\n"],
    ];
    for (const [status, text] of cases) {
      const { headers, ...answer } = await send(port, text);
      assert.deepEqual(answer, { status, body: "" }, text.slice(0, 40));
      assert.equal(headers.get("content-length"), "0");
      assert.equal(headers.get("server"), "microsoft-httpapi/2.0");
    }
    await hub.close();
  });
});
