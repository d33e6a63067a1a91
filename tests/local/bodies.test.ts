import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { BODY_LIMITS } from "../../lib/local/rest/body.ts";
import { CountedBody } from "../support/counted_body.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const MEBIBYTE = 1024 * 1024;
const API = "?api-version=2021-04-12";

/** The operations with a body: a good one, and the limit. */
const OPERATIONS: readonly (readonly [method: string, path: string, body: string, limit: number])[] = [
  ["PUT", "/devices/d", "{}", BODY_LIMITS.identity],
  ["PUT", "/devices/d/modules/m", "{}", BODY_LIMITS.identity],
  ["POST", "/devices", "[]", BODY_LIMITS.bulk],
  ["POST", "/devices/query", '{"query":"SELECT * FROM devices"}', BODY_LIMITS.query],
  ["PATCH", "/twins/d", '{"tags":{"a":1}}', BODY_LIMITS.twin],
  ["PUT", "/twins/d", '{"tags":{"a":1}}', BODY_LIMITS.twin],
  ["POST", "/twins/d/methods", '{"methodName":"m"}', BODY_LIMITS.method],
];

async function startHub(): Promise<{ hub: LocalHub; rest: RestCaller; port: number }> {
  const hub = new LocalHub();
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  hub.device("d").onMethod(() => ({ status: 200 }));
  const { http } = await hub.listen({ http: 0 });
  return { hub, rest, port: Number(http!.split(":").at(-1)) };
}

function requestWith(
  hub: LocalHub,
  [method, path]: readonly [string, string, ...unknown[]],
  body: CountedBody,
  authorization?: string,
): Request {
  const init: RequestInit & { duplex: "half" } = {
    method,
    headers: authorization === undefined ? {} : { authorization },
    body: body.stream,
    duplex: "half",
  };
  return new Request(`https://${hub.hostName}${path}${API}`, init);
}

describe("a body, in process", () => {
  test("is read up to the limit of its operation, however it is cut, and not a byte further", async () => {
    await using hub = new LocalHub();
    await new RestCaller(hub).createDevices("d");
    hub.device("d").onMethod(() => ({ status: 200 }));
    const authorization = signSas({ connectionString: hub.connectionString });
    await holds(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        fc.constantFrom(-1, 0, 1, 2, 100_000),
        fc.integer({ min: 1, max: 20 }),
        async (operation, over, pieces) => {
          const [, , text, limit] = operation;
          const body = new CountedBody(text.padEnd(limit + over), pieces);
          const response = await hub.fetch(requestWith(hub, operation, body, authorization));
          if (over <= 0) {
            assert.notEqual(response.status, 413);
            assert.ok(response.status < 500);
            return await response.body?.cancel();
          }
          const { Message } = await response.json();
          assert.equal(response.status, 413);
          assert.equal(response.headers.get("iothub-errorcode"), "MessageTooLarge");
          assert.match(Message, new RegExp(`at most ${limit} bytes`));
          assert.ok(body.taken <= pieces, "it was not read to its end");
        },
      ),
      80,
    );
  });

  test("is not touched before its sender is known and may do this", async () => {
    await using hub = new LocalHub();
    const noRight = signSas({ connectionString: hub.connectionStringFor("device") });
    for (const operation of OPERATIONS) {
      for (const authorization of [undefined, "Basic x", "SharedAccessSignature sr=x", noRight]) {
        const body = new CountedBody("x".repeat(1000), 10);
        assert.equal((await hub.fetch(requestWith(hub, operation, body, authorization))).status, 401);
        assert.equal(body.taken, 0, `${operation[0]} ${operation[1]} with ${authorization}`);
      }
    }
    const body = new CountedBody("x", 1);
    const authorization = signSas({ connectionString: hub.connectionString });
    const none = ["DELETE", "/devices/none/commands"] as const;
    assert.equal((await hub.fetch(requestWith(hub, none, body, authorization))).status, 404);
    assert.equal(body.taken, 0, "an operation without a body reads none");
  });

  test("that breaks off is the caller's mistake", async () => {
    await using hub = new LocalHub();
    const faults: unknown[] = [];
    hub.onFault((fault) => faults.push(fault));
    const authorization = signSas({ connectionString: hub.connectionString });
    const body = {
      taken: 0,
      stream: new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("cut")) }),
    };
    const response = await hub.fetch(requestWith(hub, OPERATIONS[0]!, body, authorization));
    assert.equal(response.status, 400);
    assert.deepEqual(faults, []);
  });
});

interface Sending {
  status: number;
  /** What the peer has taken of the body before it closed, or answered and kept the connection. */
  taken: number;
  isClosed: boolean;
}

/** Sends `size` bytes of a body as fast as the hub takes them, until all are sent or the connection is closed. */
function send(port: number, head: string, size: number, isChunked: boolean): Promise<Sending> {
  return new Promise((resolve) => {
    const piece = new Uint8Array(64 * 1024).fill(0x20);
    const socket = createConnection(port, "127.0.0.1");
    let sent = 0;
    let text = "";
    let isClosed = false;
    const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${size}`;
    socket.write(`${head}Host: hub\r\n${framing}\r\n\r\n`);
    const finish = (): void => {
      isClosed ||= socket.destroyed;
      resolve({ status: Number(text.split(" ")[1]), taken: sent - socket.writableLength, isClosed });
      socket.destroy();
    };
    const write = (): void => {
      while (!socket.destroyed && sent < size) {
        const bytes = piece.subarray(0, Math.min(piece.length, size - sent));
        sent += bytes.length;
        if (isChunked) socket.write(`${bytes.length.toString(16)}\r\n`);
        const isTaken = socket.write(bytes);
        if (isChunked) socket.write("\r\n");
        if (!isTaken) return void socket.once("drain", write);
      }
      if (sent >= size && isChunked && !socket.destroyed) socket.write("0\r\n\r\n");
      if (sent >= size && text !== "") finish();
    };
    socket.on("data", (bytes) => {
      text += bytes;
      if (sent >= size) finish();
    });
    socket.on("error", () => {});
    socket.on("end", () => {
      isClosed = true;
      socket.destroy();
    });
    socket.on("close", () => {
      isClosed = true;
      finish();
    });
    write();
  });
}

function headOf(method: string, path: string, authorization?: string): string {
  return `${method} ${path}${API} HTTP/1.1\r\n${
    authorization === undefined ? "" : `Authorization: ${authorization}\r\n`
  }`;
}

describe("a body, over a socket", () => {
  test("of 600 MB costs no memory: its sender gets 401, or 413, and the connection is closed", async () => {
    const { hub, rest, port } = await startHub();
    const good = signSas({ connectionString: hub.connectionString });
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss - before), 20);
    const cases: [authorization: string | undefined, status: number][] = [[undefined, 401], ["Basic x", 401], [
      good,
      413,
    ]];
    for (const [authorization, status] of cases) {
      for (const isChunked of [false, true]) {
        const head = headOf("PATCH", "/twins/d", authorization);
        const result = await send(port, head, 600 * MEBIBYTE, isChunked);
        assert.equal(result.status, status, `${authorization} chunked ${isChunked}`);
        assert.equal(result.isClosed, true);
        assert.ok(result.taken < 64 * MEBIBYTE, `${result.taken} bytes were taken`);
      }
    }
    clearInterval(watch);
    assert.ok(peak < 150 * MEBIBYTE, `${Math.round(peak / MEBIBYTE)} MB`);
    await rest.do("GET", "/twins/d");
    await hub.close();
  });

  test("that is over the limit of its operation gets 413, and one at the limit an answer", async () => {
    const { hub, port } = await startHub();
    const good = signSas({ connectionString: hub.connectionString });
    for (const [method, path, , limit] of OPERATIONS) {
      for (const isChunked of [false, true]) {
        const over = await send(port, headOf(method, path, good), limit + 1, isChunked);
        assert.equal(over.status, 413, `${method} ${path}`);
        const fitting = await send(port, headOf(method, path, good), limit, isChunked);
        assert.equal(fitting.status, 400, `${method} ${path}: white space is no JSON`);
      }
    }
    await hub.close();
  });

  test("that is small and not read leaves the connection open", async () => {
    const { hub, port } = await startHub();
    for (const [method, path] of OPERATIONS) {
      const result = await send(port, headOf(method, path), 1000, false);
      assert.deepEqual(result, { status: 401, taken: 1000, isClosed: false }, `${method} ${path}`);
    }
    await hub.close();
  });

  test("that never comes, or stops half way, holds nothing up", async () => {
    const { hub, rest, port } = await startHub();
    const faults: unknown[] = [];
    hub.onFault((fault) => faults.push(fault));
    const good = signSas({ connectionString: hub.connectionString });
    const sockets = Array.from({ length: 20 }, (_, i) => {
      const socket = createConnection(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`${headOf("PATCH", "/twins/d", good)}Host: hub\r\nContent-Length: 1000\r\n\r\n${"{".repeat(i)}`);
      return socket;
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    const answer = await send(port, headOf("PATCH", "/twins/d", good), 10, false);
    assert.equal(answer.status, 400);
    for (const socket of sockets) socket.destroy();
    await rest.do("GET", "/twins/d");
    await hub.close();
    assert.deepEqual(faults, []);
  });
});
