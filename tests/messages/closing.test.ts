import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AmqpClient } from "../support/amqp_client.ts";
import { type Arrival, first, rejectionOf, retries, textOf } from "../support/hub_scripts.ts";
import { holds } from "../support/properties.ts";
import { startScriptedHub } from "../support/scripted_hub.ts";

/** Conditions that would be a verdict on a message in an outcome, and any other that a hub may make up. */
const CONDITIONS = fc.oneof(
  fc.constantFrom(
    "amqp:not-found",
    "amqp:resource-limit-exceeded",
    "amqp:link:message-size-exceeded",
    "amqp:not-allowed",
    "amqp:not-implemented",
    "amqp:precondition-failed",
    "amqp:decode-error",
    "amqp:connection:framing-error",
    "com.microsoft:argument-error",
    "com.microsoft:argument-out-of-range",
    "com.microsoft:device-already-exists",
    "com.microsoft:message-lock-lost",
  ),
  fc.stringMatching(/^[a-z]{1,9}:[a-z-]{1,20}$/),
);
/** What hubs say, a number that is one of a device among it. */
const DESCRIPTIONS = fc.constantFrom(
  undefined,
  "Enough.",
  '{"errorCode":404001,"message":"None.","trackingId":"abc123"}',
  '{"errorCode":403004,"message":"Full."}',
);
const CLOSES: Record<string, (arrival: Arrival, error: { condition: string }) => void> = {
  link: ({ link }, error) => link.close(error),
  session: ({ link }, error) => link.session.close(error),
  connection: ({ connection }, error) => connection.close(error),
};

describe("The condition with which a hub closes something is no verdict on a message:", () => {
  for (const [what, close] of Object.entries(CLOSES)) {
    test(`what was on its way is sent again when the ${what} is closed with any`, async () => {
      await holds(
        fc.asyncProperty(CONDITIONS, DESCRIPTIONS, async (condition, description) => {
          await using hub = await startScriptedHub(first((arrival) => close(arrival, errorOf(condition, description))));
          await using client = new AmqpClient(hub.endpoint, retries(1));
          await client.send("text");
          assert.deepEqual(hub.messages.map((message) => textOf({ message })), ["text", "text"]);
        }),
        20,
      );
    });

    test(`the error says that the ${what} was closed, where nothing is sent again`, async () => {
      await holds(
        fc.asyncProperty(CONDITIONS, DESCRIPTIONS, async (condition, description) => {
          await using hub = await startScriptedHub(first((arrival) => close(arrival, errorOf(condition, description))));
          await using client = new AmqpClient(hub.endpoint, retries(0));
          const error = await rejectionOf(client.send("text"));
          assert.deepEqual([error.code, error.retryable], ["ServiceUnavailable", false]);
          assert.deepEqual([error.statusCode, error.errorNumber], [undefined, undefined]);
          assert.ok(error.message.includes(`the hub closed the ${what} (`) && error.message.includes(condition));
          assert.match(error.message, /the hub may or may not have the message$/);
          await client.send("next");
        }),
        20,
      );
    });
  }

  test("a link that is refused because its address is not found is not asked for again, but is no device", async () => {
    await using hub = await startScriptedHub({ onAttach: (link) => link.close({ condition: "amqp:not-found" }) });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    const error = await rejectionOf(client.send("text"));
    assert.deepEqual([error.code, error.retryable, error.errorNumber], ["amqp:not-found", false, undefined]);
    assert.equal(hub.links.length, 1);
  });

  test("a link that is refused since there are too many is asked for again", async () => {
    const condition = "amqp:resource-limit-exceeded";
    let refused = 0;
    await using hub = await startScriptedHub({
      onAttach(link) {
        if (refused++ < 2) return link.close({ condition });
        link.set_target({ address: link.target.address });
        link.add_credit(10);
      },
    });
    await using client = new AmqpClient(hub.endpoint, retries(3));
    await client.send("text");
    assert.equal(hub.links.length, 3);
  });
});

function errorOf(condition: string, description: string | undefined): { condition: string; description?: string } {
  return description === undefined ? { condition } : { condition, description };
}
