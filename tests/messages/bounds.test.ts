import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AmqpClient } from "../support/amqp_client.ts";
import { grant, rejectionOf } from "../support/hub_scripts.ts";
import { startScriptedHub } from "../support/scripted_hub.ts";

/** Sends a body that may be larger than a message's, and without the checks. */
function sendBody(client: AmqpClient, body: Uint8Array, abortSignal?: AbortSignal): Promise<void> {
  return client.connection.send(
    {
      to: "/devices/d1/messages/devicebound",
      target: { deviceId: "d1" },
      messageId: "m",
      applicationProperties: [],
      body,
    },
    { operation: "sendC2dMessage", timeoutInMs: 600_000, ...(abortSignal === undefined ? {} : { abortSignal }) },
  );
}

describe("What waits to be sent", () => {
  test("is at most 65,536 messages; one more is refused, and the others are unharmed", async () => {
    await using hub = await startScriptedHub({ onAttach: (link) => grant(link, 0) });
    const client = new AmqpClient(hub.endpoint);
    const counts = { Closed: 0 };
    const sends: Promise<void>[] = [];
    for (let count = 0; count < 65_536; count++) {
      sends.push(sendBody(client, new Uint8Array()).catch(({ code }) => void counts[code as "Closed"]++));
    }
    const error = await rejectionOf(client.send(""));
    assert.deepEqual([error.code, error.retryable, error.operation], [
      "TooManyPendingMessages",
      true,
      "sendC2dMessage",
    ]);
    assert.match(error.message, /65536 messages/);
    assert.equal(counts.Closed, 0);
    await client.close();
    await Promise.all(sends);
    assert.deepEqual(counts, { Closed: 65_536 });
  });

  test("is at most 256 MB; what is more is refused, and fits again when others are gone", async () => {
    await using hub = await startScriptedHub({ onAttach: (link) => grant(link, 0) });
    await using client = new AmqpClient(hub.endpoint);
    const body = new Uint8Array(64 * 1024 * 1024);
    const controller = new AbortController();
    const four = [body, body, body, body].map((body) => sendBody(client, body, controller.signal));
    const error = await rejectionOf(sendBody(client, Uint8Array.of(1)));
    assert.equal(error.code, "TooManyPendingMessages");
    assert.match(error.message, /268435456 bytes/);
    controller.abort(new Error("enough"));
    for (const sent of four) await assert.rejects(sent, { message: "enough" });
    const outcome = sendBody(client, Uint8Array.of(1)).then(() => "accepted", ({ code }) => code);
    await client.close();
    assert.equal(await outcome, "Closed");
  });
});
