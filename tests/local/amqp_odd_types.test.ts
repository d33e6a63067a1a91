import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import type { EventContext, Message, Sender } from "rhea";
import { BareReceiver, ListeningHub } from "../support/listening_hub.ts";
import type { BareClient } from "../support/local_amqp.ts";
import { once } from "../support/local_amqp.ts";
import { holds } from "../support/properties.ts";
import { signSas } from "../support/sas.ts";

// deno-lint-ignore no-explicit-any
const types = rhea.types as any;
const PROPERTIES = [
  "message-id",
  "user-id",
  "to",
  "subject",
  "reply-to",
  "correlation-id",
  "content-type",
  "content-encoding",
  "absolute-expiry-time",
  "creation-time",
  "group-id",
  "group-sequence",
  "reply-to-group-id",
] as const;
type Property = typeof PROPERTIES[number];
/** An encoded value of AMQP, with a name for the report. */
type Value = readonly [kind: string, encode: () => unknown];

const VALUES: readonly Value[] = [
  ["null", () => new types.Null()],
  ["string", () => types.wrap_string("text")],
  ["symbol", () => types.wrap_symbol("text")],
  ["binary", () => types.wrap_binary(Buffer.from("bytes"))],
  ["uuid", () => types.wrap_uuid(Buffer.alloc(16, 7))],
  ["true", () => new types.True()],
  ["uint", () => types.wrap_uint(7)],
  ["int", () => types.wrap_int(-7)],
  ["ulong", () => types.wrap_ulong(7)],
  ["largest ulong", () => new types.Ulong(Buffer.alloc(8, 0xff))],
  ["double", () => types.wrap_double(1.5)],
  ["NaN", () => types.wrap_double(NaN)],
  ["timestamp", () => types.wrap_timestamp(Date.now() + 60_000)],
  ["list", () => types.wrap_list(["a", 1])],
  ["empty list", () => types.wrap_list([])],
  ["map", () => types.wrap_map({ a: { b: 1 } })],
  ["map that inherits", () => types.wrap_map({ toString: 1, length: 3, ["__proto__x"]: {} })],
  ["array", () => types.wrap_array([1, 2], 0x70)],
  ["described", () => types.wrap_described(types.wrap_string("x"), types.wrap_symbol("a:b"))],
];
const VALUE = fc.constantFrom(...VALUES);

/** The kinds that each property may have by the specification of AMQP. */
function isLegal(property: Property, kind: string): boolean {
  if (kind === "null") return true;
  if (property.endsWith("time")) return kind === "timestamp";
  if (property === "message-id" || property === "correlation-id") {
    return ["string", "ulong", "uuid", "binary"].includes(kind);
  }
  if (property === "user-id") return kind === "binary";
  if (property === "group-sequence") return kind === "uint";
  return property.startsWith("content") ? kind === "symbol" : kind === "string";
}

function encode(...sections: readonly (readonly [code: number, value: unknown])[]): Buffer {
  const writer = new types.Writer();
  for (const [code, value] of sections) writer.write(types.described(types.wrap_ulong(code), value));
  return writer.toBuffer();
}

/** A message with all its properties encoded by hand. */
function messageWith(
  properties: Partial<Record<Property, unknown>>,
  application: unknown,
  body: readonly [code: number, value: unknown],
): Buffer {
  const list = PROPERTIES.map((name) => properties[name] ?? new types.Null());
  return encode([0x73, new types.List32(list)], [0x74, application], body);
}

const BODY = [0x75, types.wrap_binary(Buffer.from("hello"))] as const;

const ENDS = ["accepted", "rejected", "released"];

/** The sending link of a client. The hub ends the connection of one that breaks the types of AMQP: then there is a new one. */
class BareSender {
  readonly #hub: ListeningHub;
  #client: BareClient | undefined;
  #sender: Sender | undefined;

  constructor(hub: ListeningHub) {
    this.#hub = hub;
  }

  /** Sends bytes as a message. @returns the condition of its outcome, `accepted`, or that the connection has ended */
  async send(bytes: Buffer): Promise<string> {
    const client = this.#client ??= await this.#hub.connectAs("service");
    const sender = this.#sender ??= await client.openSender("/messages/devicebound");
    let settle = (_context: EventContext): void => {};
    let end = (): void => {};
    const outcome = new Promise<string>((resolve) => {
      settle = ({ delivery }) => {
        const { remote_state } = delivery as unknown as { remote_state: { error?: { condition: string } } };
        resolve(remote_state.error?.condition ?? "accepted");
      };
      end = () => resolve("disconnected");
      for (const event of ENDS) sender.on(event, settle);
      for (const event of ["connection_close", "disconnected"]) client.connection.on(event, end);
    });
    sendBytes(sender, bytes);
    const result = await outcome;
    for (const event of ENDS) sender.removeListener(event, settle);
    for (const event of ["connection_close", "disconnected"]) client.connection.removeListener(event, end);
    if (result === "disconnected") this.#client = this.#sender = undefined;
    return result;
  }
}

function sendBytes(sender: Sender, bytes: Buffer): void {
  (sender as unknown as { send(bytes: Buffer, tag: undefined, format: number): unknown }).send(bytes, undefined, 0);
}

describe("a message with a property of another type at the local hub", () => {
  test("is refused where AMQP does not allow it, and otherwise reaches the device", async () => {
    await using hub = await ListeningHub.start();
    await hub.rest.createDevices("d1");
    const to = types.wrap_string("/devices/d1/messages/devicebound");
    const sender = new BareSender(hub);
    const receiver = new BareReceiver(await hub.connectDevice("/devices/d1"), "/devices/d1/messages/devicebound", {
      credit: 100_000,
    });
    await receiver.opened;
    for (const property of PROPERTIES) {
      for (const [kind, encodeValue] of VALUES) {
        const what = `${property} as ${kind}`;
        const outcome = await sender.send(messageWith({ to, [property]: encodeValue() }, types.wrap_map({}), BODY));
        if (property === "to") assert.notEqual(outcome, "accepted", what);
        else if (isLegal(property, kind)) assert.equal(outcome, "accepted", what);
        else if (outcome !== "accepted") assert.match(outcome, /^(?:com\.microsoft:argument-|disconnected$)/, what);
        // Related types, such as string for symbol, may be taken. What is taken is delivered, as what it is.
        if (outcome === "accepted") {
          const received = await receiver.next();
          receiver.settle(received, "accept");
          assert.ok(["list", "map", "array", "true"].every((odd) => !kind.includes(odd)), what);
        }
      }
    }
    assert.equal(receiver.waiting, 0);
  });

  test("is answered in whatever combination, also with odd application properties and bodies", async () => {
    await using hub = await ListeningHub.start();
    await hub.rest.createDevices("d1");
    const sender = new BareSender(hub);
    const receiver = new BareReceiver(await hub.connectDevice("/devices/d1"), "/devices/d1/messages/devicebound", {
      credit: 100_000,
    });
    await receiver.opened;
    const names = fc.constantFrom("iothub-ack", "a", "__proto__", "constructor", "toString", "é");
    await holds(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...PROPERTIES.filter((name) => name !== "to")), VALUE, { maxKeys: 3 }),
        fc.array(fc.tuple(names, VALUE), { maxLength: 3 }),
        fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.tuple(fc.constantFrom(0x75, 0x76, 0x77), VALUE)),
        async (odd, application, body) => {
          const properties: Partial<Record<Property, unknown>> = {
            to: types.wrap_string("/devices/d1/messages/devicebound"),
          };
          for (const [name, [, encodeValue]] of Object.entries(odd)) properties[name as Property] = encodeValue();
          const map = new types.Map32(application.flatMap(([name, [, value]]) => [types.wrap_string(name), value()]));
          const bytes = messageWith(properties, map, body === undefined ? BODY : [body[0], body[1][1]()]);
          const outcome = await sender.send(bytes);
          assert.notEqual(outcome, "amqp:internal-error");
          if (outcome === "accepted") receiver.settle(await receiver.next(), "accept");
        },
      ),
      150,
    );
  });

  test("counts with its true size, whatever the types of its properties", async () => {
    await using hub = await ListeningHub.start();
    await hub.rest.createDevices("d1");
    const sender = new BareSender(hub);
    const to = types.wrap_string("/devices/d1/messages/devicebound");
    const large = [0x75, types.wrap_binary(Buffer.alloc(200_000))] as const;
    for (const property of PROPERTIES) {
      for (const [kind, encodeValue] of VALUES) {
        const bytes = messageWith({ [property]: encodeValue(), to }, types.wrap_map({}), large);
        assert.notEqual(await sender.send(bytes), "accepted", `${property} as ${kind}`);
      }
    }
    assert.equal((await hub.rest.do("GET", "/devices/d1")).cloudToDeviceMessageCount, 0);
  });
});

describe("a put-token request with a property of another type at the local hub", () => {
  const KINDS = ["message-id", "reply-to", "operation", "type", "body"] as const;

  test("gets a reply, and the hub lives on", async () => {
    await using hub = await ListeningHub.start();
    const token = signSas({ connectionString: hub.hub.connectionString });
    async function connect(): Promise<{ client: BareClient; replies: BareReceiver; sender: Sender }> {
      const client = hub.connect();
      const replies = new BareReceiver(client, "$cbs", { credit: 100_000 });
      const sender = await client.openSender("$cbs");
      await replies.opened;
      return { client, replies, sender };
    }
    let { client, replies, sender } = await connect();
    await holds(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...KINDS), VALUE, { maxKeys: 3 }), async (odd) => {
        const of = (name: typeof KINDS[number], byDefault: unknown) => odd[name]?.[1]() ?? byDefault;
        const bytes = messageWith(
          {
            "message-id": of("message-id", types.wrap_string("id")),
            "reply-to": of("reply-to", types.wrap_string("cbs")),
          },
          new types.Map32([
            types.wrap_string("operation"),
            of("operation", types.wrap_string("put-token")),
            types.wrap_string("type"),
            of("type", types.wrap_string("servicebus.windows.net:sastoken")),
          ]),
          [0x77, of("body", types.wrap_string(token))],
        );
        const ended = once(client.connection, "connection_close").then(() => undefined);
        sendBytes(sender, bytes);
        const received = await Promise.race([replies.next(), ended]);
        if (received === undefined) {
          const isLegalInAll = Object.entries(odd).every(([name, [kind]]) =>
            name === "message-id" || name === "reply-to" ? isLegal(name, kind) : true
          );
          // A value in application properties that is not simple ends the connection too.
          assert.ok(!isLegalInAll || "operation" in odd || "type" in odd);
          ({ client, replies, sender } = await connect());
          return;
        }
        received.delivery.accept();
        const status = received.message.application_properties!["status-code"];
        const isGood = Object.entries(odd).every(([name, [kind]]) =>
          name === "message-id" ? isLegal(name, kind) : name === "reply-to" ? isLegal(name, kind) : false
        );
        if (isGood) assert.equal(status, 200);
        else assert.ok([200, 400, 401].includes(status), `${status}`);
      }),
      200,
    );
    assert.deepEqual((await hub.connect().putToken({ body: token }))[0], 200);
  });
});

describe("a link with an address of another type at the local hub", () => {
  for (const [kind, encodeValue] of VALUES) {
    if (kind === "string" || kind === "symbol") continue;
    test(`is refused: ${kind}`, async () => {
      await using hub = await ListeningHub.start();
      const client = await hub.connectAs("service");
      const ended = Promise.race([
        once(client.connection, "receiver_error"),
        once(client.connection, "connection_error"),
      ]);
      const receiver = client.connection.open_receiver({ source: { address: "x" } } as unknown as Message & string);
      const attach = (receiver as unknown as { local: { attach: { source: { value: unknown[] } } } }).local.attach;
      attach.source.value[0] = encodeValue();
      await ended;
      const { condition } = (receiver.error ?? client.connection.error) as { condition: string };
      assert.match(condition, /^amqp:(?:not-found|decode-error|not-implemented)$/);
      assert.equal((await hub.connectAs("service")).connection.is_open(), true);
    });
  }
});
