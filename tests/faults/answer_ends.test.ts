import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IoTHubError } from "../../mod.ts";
import { WAYS } from "../support/answer_server.ts";
import { FaultServer, httpAnswer } from "../support/fault_server.ts";
import { holds } from "../support/properties.ts";

const START = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(100, 101, 102, 103, 200, 204, 205, 304, 400, 401, 503).map(startOf) },
  { weight: 1, arbitrary: fc.constant("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n") },
  { weight: 1, arbitrary: fc.constantFrom(0, 99, 199, 600, 999, 1000).map(startOf) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("HTTP/1.0 200 OK\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1.1 200\r\n", "ICY 200 OK\r\n"),
  },
);

const HEADER = fc.constantFrom(
  "Content-Length: 2\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: whatever\r\n",
  "Connection: close\r\n",
  "Connection: Upgrade\r\nUpgrade: websocket\r\n",
  "Trailer: X\r\n",
  "Location: /elsewhere\r\n",
  "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
  "Header without colon\r\n",
  ": nameless\r\n",
  `X: ${"x".repeat(20_000)}\r\n`,
);

const BODY = fc.constantFrom(
  "",
  "{}",
  "2\r\n{}\r\n0\r\n\r\n",
  "2\r\n{}\r\n",
  "FFFFFFFFFFFFFFFFF\r\n",
  "0\r\nX: y\r\n\r\n",
  "\0",
);

/** One answer in its form, several in a row, or parts in any order. */
const TEXT = fc.oneof(
  fc.array(
    fc.tuple(START, fc.array(HEADER, { maxLength: 2 }), fc.constant("\r\n"), BODY).map((parts) =>
      parts.flat().join("")
    ),
    { minLength: 1, maxLength: 2 },
  ),
  fc.array(fc.oneof(START, HEADER, BODY, fc.constant("\r\n")), { maxLength: 8 }),
).map((parts) => parts.join(""));

const ANSWER = fc.record({ text: TEXT, end: fc.constantFrom("end", "reset", "keep") });

function startOf(status: number): string {
  return `HTTP/1.1 ${status} Whatever\r\n`;
}

/** What may come of a call: the answer, or an error whose code tells what happened. */
const CODES =
  /^(?:NetworkError|InvalidResponse|UnexpectedRedirect|Timeout|HttpError|Generic\w+|Unauthorized|Service\w+)$/;

for (const [way, connect] of WAYS) {
  test(`over ${way} a call ends in time, whatever the server says and however it leaves`, async () => {
    let next = { text: "", end: "end" };
    await using server = await FaultServer.listen(({ socket }) => {
      socket.write(next.text, "latin1");
      if (next.end === "end") socket.end();
      if (next.end === "reset") socket.resetAndDestroy();
    });
    await using registry = connect({ endpoint: server.endpoint, retryOptions: { maxRetries: 0 } });
    await holds(
      fc.asyncProperty(ANSWER, async (answer) => {
        next = answer;
        const isOpen = answer.end === "keep";
        const started = performance.now();
        // Only where the server keeps the connection open may the answer still be to come.
        const outcome = await registry.getDevice("d", { timeoutInMs: isOpen ? 50 : 5000 })
          .then(() => "answer", (error) => error);
        assert.ok(performance.now() - started < 2500, "the call took longer than the server did");
        if (outcome === "answer") return;
        assert.ok(outcome instanceof IoTHubError, String(outcome));
        assert.match(outcome.code, CODES, outcome.message);
        if (!isOpen) assert.notEqual(outcome.code, "Timeout");
      }),
      150,
    );
    // What is left of one answer must not become part of the next.
    next = { text: httpAnswer(200, '{"deviceId":"d"}'), end: "end" };
    // The first call may still meet a connection that the server has just left.
    const device = await registry.getDevice("d").catch(() => registry.getDevice("d"));
    assert.deepEqual(device, { deviceId: "d" });
  });

  for (const end of ["keep", "end", "reset"]) {
    test(`over ${way} 101 is an error at once, when the server then will ${end}`, async () => {
      await using server = await FaultServer.listen(({ socket }) => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
        if (end === "end") socket.end();
        if (end === "reset") socket.resetAndDestroy();
      });
      await using registry = connect({ endpoint: server.endpoint, retryOptions: { maxRetries: 0 } });
      const started = performance.now();
      const error = await registry.getDevice("d", { timeoutInMs: 5000 }).catch((error) => error);
      // Deno's fetch takes 101 for an answer; all others take it for a broken connection.
      assert.equal(error.code, error.statusCode === 101 ? "HttpError" : "NetworkError");
      assert.ok(performance.now() - started < 2500);
    });
  }
}
