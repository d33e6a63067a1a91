import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IoTHubRegistryManager } from "../../mod.ts";
import { AnswerServer, CONNECTION_STRING, WAYS } from "../support/answer_server.ts";
import { FaultServer } from "../support/fault_server.ts";
import { holds } from "../support/properties.ts";

const MIB = 2 ** 20;

/** A body of just so many bytes: a device with a long id, in which a character may take three bytes. */
function bodyOf(length: number, character: string): string {
  const [start, end] = ['{"deviceId":"', '"}'];
  const room = length - start.length - end.length;
  const width = new TextEncoder().encode(character).length;
  return start + character.repeat(Math.floor(room / width)) + "a".repeat(room % width) + end;
}

for (const [way, connect] of WAYS) {
  describe(`an answer over ${way}`, () => {
    test("is read up to the limit, however it comes, and no further", async () => {
      await using server = await AnswerServer.listen();
      const answers = fc.record({
        length: fc.integer({ min: 20, max: 200_000 }),
        character: fc.constantFrom("a", "é", "あ"),
        status: fc.constantFrom(200, 201, 404, 429, 500),
        over: fc.integer({ min: -2, max: 2 }),
        cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
        framing: fc.constantFrom("length", "chunks", "close"),
      });
      await holds(
        fc.asyncProperty(answers, async ({ length, character, status, over, cuts, framing }) => {
          const body = bodyOf(length, character);
          const bytes = Buffer.from(body);
          assert.equal(bytes.length, length);
          server.answer = (response) => {
            response.writeHead(status, framing === "length" ? { "Content-Length": length } : { Connection: framing });
            const places = [0, ...cuts.map((cut) => Math.floor(cut * length)).sort((one, two) => one - two), length];
            for (let part = 1; part < places.length; part++) {
              response.write(bytes.subarray(places[part - 1], places[part]));
            }
            response.end();
          };
          const options = { maxResponseBytes: length - over, retryOptions: { maxRetries: 0 } };
          await using registry = connect({ endpoint: server.endpoint, ...options });
          const call = registry.getDevice("d");
          if (over > 0) {
            const message = new RegExp(`answered ${status} with more than ${length - over} bytes`);
            await assert.rejects(call, { code: "InvalidResponse", statusCode: status, retryable: false, message });
          } else if (status < 300) {
            assert.deepEqual(await call, JSON.parse(body));
          } else {
            await assert.rejects(call, { statusCode: status });
          }
        }),
        40,
      );
    });

    test("that never ends costs 64 MiB as a success and 1 MiB as an error, and its connection", async () => {
      const chunk = Buffer.alloc(64 * 1024, " ");
      for (const [status, limit] of [[200, 64 * MIB], [404, MIB], [503, MIB]] as const) {
        await using server = await AnswerServer.listen();
        let sent = 0;
        let close = (): void => {};
        const closed = new Promise<void>((resolve) => close = resolve);
        server.answer = (response: ServerResponse) => {
          response.writeHead(status).on("close", close);
          const fill = (): void => {
            while (!response.destroyed && response.write(chunk)) sent += chunk.length;
          };
          response.on("drain", fill);
          fill();
        };
        await using registry = connect({ endpoint: server.endpoint });
        await assert.rejects(registry.getDevice("d"), { code: "InvalidResponse", statusCode: status });
        await closed;
        // What the sockets and the runtime's fetch hold is on top of it.
        assert.ok(sent < limit + 16 * MIB, `${sent} bytes were taken for a ${status}`);
        assert.equal(server.requests, 1);
      }
    });

    test("leaves the client usable, and the process alive", async () => {
      await using server = await AnswerServer.listen();
      await using registry = connect({ endpoint: server.endpoint, maxResponseBytes: 1000 });
      for (let round = 0; round < 5; round++) {
        server.answer = (response) => void response.end(bodyOf(5000, "a"));
        await assert.rejects(registry.getDevice("d"), { code: "InvalidResponse" });
        server.answer = (response) => void response.end('{"deviceId":"d"}');
        assert.deepEqual(await registry.getDevice("d"), { deviceId: "d" });
      }
    });
  });
}

test("an error of a mebibyte is read within a second, whatever it is made of", async () => {
  const parts = [
    "Tracking ID:",
    "-G1",
    " ",
    "ErrorCode:",
    "wait 1",
    '\\"',
    "a=",
    "sig=",
    "SharedAccessKey=",
    "%25",
    "\n",
    "<",
    "<title",
    "<title>",
  ];
  await holds(
    fc.asyncProperty(fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 4 }), async (units) => {
      const unit = units.join("");
      const text = unit.repeat(Math.floor((MIB - 100) / unit.length));
      for (const body of [text, JSON.stringify({ Message: text }).slice(0, MIB)]) {
        await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
          fetch: () => Promise.resolve(new Response(body, { status: 404 })),
        });
        const started = performance.now();
        await assert.rejects(registry.getDevice("d"), { statusCode: 404 });
        const took = performance.now() - started;
        assert.ok(took < 1000, `${JSON.stringify(unit)} took ${Math.round(took)} ms`);
      }
    }),
    30,
  );
});

test("maxResponseBytes is a whole number from 1 to 256 MiB", () => {
  for (const value of [0, -1, 1.5, NaN, Infinity, 256 * MIB + 1]) {
    assert.throws(
      () => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { maxResponseBytes: value }),
      RangeError,
    );
  }
  const text = "1" as unknown as number;
  assert.throws(
    () => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { maxResponseBytes: text }),
    TypeError,
  );
});

for (const [way, connect] of WAYS) {
  test(`over ${way} a length that the chunks belie is not believed`, async () => {
    await using server = await FaultServer.listen(({ socket }) => {
      const body = bodyOf(3000, "a");
      const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n";
      socket.end(`${head}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    });
    await using registry = connect({
      endpoint: server.endpoint,
      maxResponseBytes: 1000,
      retryOptions: { maxRetries: 0 },
    });
    const error = await registry.getDevice("d").then(() => assert.fail("it was read"), (error) => error);
    assert.match(error.code, /^(?:InvalidResponse|NetworkError)$/);
  });
}
