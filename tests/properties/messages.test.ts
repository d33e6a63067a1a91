import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type C2dMessageProperties, IoTHubRegistryManager } from "../../mod.ts";
import { buildC2dMessage, type C2dMessage } from "../../lib/messages/c2d_message.ts";
import { ANY_CHARACTER, ANY_TEXT, holds, isRefusal, type Outcome, outcomeOf } from "../support/properties.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const SYSTEM_NAMES = ["messageId", "correlationId", "contentType", "contentEncoding", "userId"] as const;
const ACKS = ["none", "positive", "negative", "full"];

const printable = fc.string({ maxLength: 12 });
/** The characters just beyond what is printable, and some further off. */
const hardlyPrintable = fc.tuple(printable, fc.constantFrom(..."\x1f\x7f\x80\t\né\ud800"), printable).map((parts) =>
  parts.join("")
);
const soon = fc.integer({ min: 60_000, max: 47 * 3_600_000 }).map((ahead) => Date.now() + ahead);
const anyExpiry = fc.oneof(
  soon,
  soon.map((time) => new Date(time)),
  soon.map((time) => new Date(time).toISOString()),
  fc.date(),
  fc.double(),
  ANY_TEXT,
);
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: printable },
  { weight: 1, arbitrary: hardlyPrintable },
  { weight: 3, arbitrary: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      ANY_TEXT,
      fc.double(),
      fc.constantFrom(null, undefined, 1n, Symbol.iterator, NaN),
      fc.object({ maxDepth: 1 }),
      fc.date(),
    ),
  },
);
const anyName = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 8 }) },
  { weight: 2, arbitrary: fc.constantFrom("iothub-ack", "__proto__", "toString", "to", "ACK", ...SYSTEM_NAMES) },
  { weight: 1, arbitrary: fc.oneof(ANY_TEXT, hardlyPrintable) },
);

const anyProperties = fc.tuple(
  fc.array(fc.tuple(anyName, anyValue), { maxLength: 5 }),
  fc.record({
    ack: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...ACKS) }, { weight: 1, arbitrary: anyValue }),
    expiryTimeUtc: anyExpiry,
    messageId: fc.oneof(fc.uuid(), anyValue),
  }, { requiredKeys: [] }),
).map(([pairs, known]) => Object.fromEntries([...pairs, ...Object.entries(known)]) as C2dMessageProperties);

const anyBody = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: ANY_CHARACTER }) },
  { weight: 5, arbitrary: fc.uint8Array() },
  { weight: 1, arbitrary: fc.integer({ min: 65_000, max: 66_000 }).map((size) => new Uint8Array(size)) },
);

/** Whether a message can carry a property, said by the hub's rules and not by the code. */
function isLegal(name: string, value: unknown): boolean {
  const isPrintable = (text: string) => [...text].every((char) => char >= " " && char <= "~");
  switch (name) {
    case "messageId":
      return typeof value === "string" && /^[\w\-:.+%#*?!(),=@;$']{1,128}$/.test(value);
    case "ack":
    case "iothub-ack":
      return ACKS.includes(value as string);
    case "expiryTimeUtc": {
      const time = typeof value === "number" ? value : value instanceof Date ? value.getTime() : expiryOf(value);
      return time > Date.now() && time <= Date.now() + 2 * 86_400_000;
    }
  }
  if ((SYSTEM_NAMES as readonly string[]).includes(name)) return typeof value === "string" && isPrintable(value);
  if (name === "" || !isPrintable(name)) return false;
  if (typeof value === "string") return isPrintable(value);
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

/** Only the texts made by `toISOString` come so far: no other one here is a time within two days. */
function expiryOf(value: unknown): number {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) : NaN;
}

/** A body and its properties together, in bytes. */
function sizeOf(body: string | Uint8Array, message: C2dMessage): number {
  const texts = [
    ...SYSTEM_NAMES.map((name) => message[name] ?? ""),
    ...message.applicationProperties.flat().map(String),
  ];
  const expiry = message.absoluteExpiryTime === undefined ? 0 : 8;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body).length : body.length;
  return bytes + expiry + texts.reduce((sum, text) => sum + text.length, 0);
}

function assertCarries(message: C2dMessage, body: string | Uint8Array, properties: C2dMessageProperties): void {
  const { ack, expiryTimeUtc, ...rest } = Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== undefined),
  );
  const application = new Map<string, unknown>();
  for (const [name, value] of Object.entries(rest)) {
    if ((SYSTEM_NAMES as readonly string[]).includes(name)) assert.equal(message[name as "messageId"], value);
    else application.set(name, value);
  }
  if (ack !== undefined) application.set("iothub-ack", ack);
  assert.deepEqual(new Map(message.applicationProperties), application);
  assert.equal(message.applicationProperties.length, application.size);
  const expiry = expiryTimeUtc === undefined ? undefined : Math.trunc(Number(new Date(expiryTimeUtc as string)));
  assert.equal(message.absoluteExpiryTime, expiry);
  assert.deepEqual(message.body, typeof body === "string" ? new TextEncoder().encode(body) : body);
  assert.ok(sizeOf(body, message) <= 65_536);
}

describe("any properties of a cloud-to-device message", () => {
  test("are refused without a connection, or all travel as they are", async () => {
    let connections = 0;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      amqpEndpoint: () => {
        connections++;
        return Promise.reject(new Error("no message may get so far"));
      },
    });
    const property = fc.asyncProperty(anyBody, anyProperties, async (body, properties) => {
      let built: Outcome;
      try {
        built = { value: buildC2dMessage("d1", body, properties) };
      } catch (error) {
        built = { error };
      }
      const entries = Object.entries(properties).filter(([, value]) => value !== undefined);
      const agrees = properties["ack"] === undefined || properties["iothub-ack"] === undefined ||
        properties["ack"] === properties["iothub-ack"];
      const isGood = agrees && entries.every(([name, value]) => isLegal(name, value));
      if ("value" in built) {
        assert.ok(isGood, "it must be refused");
        assertCarries(built.value as C2dMessage, body, properties);
        return;
      }
      assert.ok(isRefusal(built), String(built.error));
      assert.ok(!isGood || (built.error as Error).message.includes("bytes"), String(built.error));
      assert.ok(isRefusal(await outcomeOf(() => registry.sendC2dMessage("d1", body, properties))));
      assert.equal(connections, 0);
    });
    await holds(property, 375);
  });
});
