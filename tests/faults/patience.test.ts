import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runtimeName } from "../../lib/values/runtime.ts";
import { type FaultRequest, FaultServer, httpAnswer } from "../support/fault_server.ts";
import { sized } from "../support/test_size.ts";
import { WAYS } from "../support/answer_server.ts";

const ANSWER = httpAnswer(200, '{"status":200,"payload":"done"}');
const ANSWERED = { status: 200, payload: "done" };
/** How much of an answer comes at once where the rest comes late. */
const FIRST_PART = 100;

describe("a runtime that gives up a fetch after some time", () => {
  const skip = runtimeName() === "Deno" ? "Deno's fetch waits without end" : false;
  test("gives up none of this module, be the answer late or its end", { skip }, async () => {
    const held: FaultRequest[] = [];
    let given = 0;
    await using server = await FaultServer.listen((request) => {
      const isRead = request.method === "GET";
      if (isRead && !request.path.endsWith("?before")) request.socket.write(ANSWER.slice(0, FIRST_PART));
      if (!request.path.startsWith("/bare")) return void held.push(request);
      // The runtime has given up the bare request, which began last: all others have waited for longer.
      request.socket.on("close", () => {
        if (++given < 2) return;
        for (const { method, socket } of held) socket.write(method === "GET" ? ANSWER.slice(FIRST_PART) : ANSWER);
      });
    });
    const program = fileURLToPath(new URL("../support/patient_user.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      // The shortest time that Bun takes here; it looks only every few seconds.
      env: { ...process.env, ENDPOINT: server.endpoint, BUN_CONFIG_HTTP_IDLE_TIMEOUT: "1" },
    });
    const { "a bare fetch, before the answer": before, "a bare fetch, within the answer": within, ...ours } = JSON
      .parse(stdout);
    for (const outcome of [before, within]) assert.match(outcome, /Error: /, "the runtime has no limit");
    assert.deepEqual(ours, {
      "a direct method by .": ANSWERED,
      "a read by .": ANSWERED,
      "a direct method by /http": ANSWERED,
      "a read by /http": ANSWERED,
    });
  });
});

describe("a direct method that takes ten minutes", () => {
  const skip = sized(1, 0) === 1 ? "it takes ten minutes" : false;
  for (const [way, connect] of WAYS) {
    // A fetch that was given may have limits of its own.
    if (way === "a given fetch") continue;
    test(`is answered by ${way}`, { skip, timeout: 700_000 }, async () => {
      await using server = await FaultServer.listen(({ socket }) => {
        setTimeout(() => socket.write(ANSWER), 600_000);
      });
      await using registry = connect({ endpoint: server.endpoint });
      const method = { methodName: "reboot", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 300 };
      assert.deepEqual(await registry.invokeDeviceMethod("d1", method), ANSWERED);
    });
  }
});
