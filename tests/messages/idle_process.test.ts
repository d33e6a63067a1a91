import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startScriptedHub } from "../support/scripted_hub.ts";
import { ScriptedQueue } from "../support/scripted_queue.ts";
import { startWebSocketHub } from "../support/web_socket_hub.ts";

interface Run {
  /** What the program said when it had nothing to do any more. */
  readonly said: Promise<unknown>;
  /** How long it went on from then on, in milliseconds. */
  readonly ended: Promise<number>;
  readonly hasEnded: boolean;
}

/** Runs the program on the runtime that runs this test. */
function run(kind: string, endpoint: string): Run {
  const program = fileURLToPath(new URL("../support/idle_user.ts", import.meta.url));
  // Older versions of Node have WebSockets by this flag only.
  const flags = process.execArgv.filter((flag) => flag === "--experimental-websocket");
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [...flags, program];
  const child = spawn(process.execPath, [...args, kind, endpoint], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 30_000,
  });
  const said = Promise.withResolvers<unknown>();
  const ended = Promise.withResolvers<number>();
  let saidAt = 0;
  let hasEnded = false;
  child.stdout.on("data", (text: Uint8Array) => {
    saidAt = performance.now();
    said.resolve(JSON.parse(new TextDecoder().decode(text)));
  });
  child.on("exit", (code, signal) => {
    hasEnded = true;
    said.reject(new Error("The program has said nothing"));
    if (code === 0) ended.resolve(performance.now() - saidAt);
    else ended.reject(new Error(`The program ended with ${code ?? signal}`));
  });
  return {
    said: said.promise,
    ended: ended.promise,
    get hasEnded() {
      return hasEnded;
    },
  };
}

describe("A program that does not close its manager", { timeout: 60_000 }, () => {
  test("ends soon after its one message, over TCP", async () => {
    await using hub = await startScriptedHub();
    const { said, ended } = run("send", hub.endpoint);
    assert.equal(await said, "sent");
    const milliseconds = await ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
    assert.equal(hub.messages.length, 1);
  });

  test("ends soon after its one message, where the hub wants signs of life", async () => {
    await using hub = await startScriptedHub({ idleTimeOutInMs: 600_000 });
    const { said, ended } = run("send", hub.endpoint);
    assert.equal(await said, "sent");
    const milliseconds = await ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
  });

  test("goes on while a call over HTTP waits for its answer, and ends soon after the last call", async () => {
    const { said, ended } = run("call twice over HTTP", "amqp://127.0.0.1:9");
    assert.equal(await said, "Timeout");
    const milliseconds = await ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
  });

  test("ends soon after its one message was refused", async () => {
    await using hub = await startScriptedHub({
      onMessage: ({ delivery }) => delivery.reject({ condition: "amqp:not-found" }),
    });
    const { said, ended } = run("send and fail", hub.endpoint);
    assert.equal(await said, "DeviceNotFound");
    const milliseconds = await ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
  });

  test("ends after its one message over a WebSocket, when nobody has used that for half a minute", async () => {
    await using server = await startWebSocketHub();
    const { said, ended } = run("send, and half a minute later", server.endpoint);
    assert.equal(await said, "sent");
    const milliseconds = await ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
    assert.equal(server.hub.messages.length, 1);
  });

  test("goes on while it waits for a message, until it is aborted", async () => {
    const queue = new ScriptedQueue();
    await using hub = await startScriptedHub({ onSource: queue.attach });
    const program = run("receive", hub.endpoint);
    await queue.log.until("attached");
    // Longer than a connection without use keeps a process.
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(program.hasEnded, false);
    queue.put([{ originalMessageId: "m-1" }]);
    assert.equal(await program.said, "Enough after m-1");
    const milliseconds = await program.ended;
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
  });
});

test("A program that closes its manager in the middle of 500 sends ends at once, with each send settled", async () => {
  let count = 0;
  await using hub = await startScriptedHub({
    onMessage: ({ delivery }) => void (++count <= 200 && delivery.accept()),
  });
  const { said, ended } = run("close", hub.endpoint);
  assert.deepEqual(await said, { fulfilled: 200, Closed: 300 });
  const milliseconds = await ended;
  assert.ok(milliseconds < 1_000, `${milliseconds} ms`);
});
