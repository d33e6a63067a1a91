import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import type { Message, Receiver, Sender } from "rhea";
import { flow, frame, TRUE, uint } from "../support/amqp_bytes.ts";
import { SAS } from "../support/amqp_client.ts";
import { BareReceiver, ListeningHub, sendTo } from "../support/listening_hub.ts";
import { BareClient, once, outcomeOf, startHub, TO } from "../support/local_amqp.ts";
import { holds } from "../support/properties.ts";

const { types } = rhea;
const ADDRESS = "/devices/d1/messages/devicebound";

async function startWholeHub(): Promise<ListeningHub> {
  const hub = await ListeningHub.start();
  await hub.rest.createDevices("d1");
  return hub;
}

function bytes(size: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: size, maxLength: size }).map((all) => Buffer.from(all));
}

/** A value of each type that an application property may have. */
const SIMPLE_VALUES: fc.Arbitrary<unknown> = fc.oneof(
  fc.double().map((value) => types.wrap_double(value)),
  fc.constantFrom(1e300, -1e300, 2 ** 53, -(2 ** 60), Infinity, -0).map((value) => types.wrap_double(value)),
  fc.float().map((value) => types.wrap_float(value)),
  bytes(8).map((value) => types.wrap_ulong(value)),
  bytes(8).map((value) => types.wrap_long(value)),
  bytes(16).map((value) => types.wrap_uuid(value)),
  fc.integer().map((value) => types.wrap_int(value)),
  fc.integer({ min: -8.64e15, max: 8.64e15 }).map((value) => types.wrap_timestamp(value)),
  fc.uint8Array().map((value) => types.wrap_binary(Buffer.from(value))),
  fc.string().map((value) => types.wrap_string(value)),
  fc.stringMatching(/^[ -~]*$/).map((value) => types.wrap_symbol(value)),
  fc.integer({ min: 0, max: 0x10ffff }).map((value) => types.wrap_char(value)),
  fc.boolean(),
  fc.constant(null),
);

describe("Whatever type a value has, the local hub goes on:", () => {
  test("an application property comes to the device", async () => {
    await using hub = await startWholeHub();
    const receiver = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
    await holds(
      fc.asyncProperty(SIMPLE_VALUES, async (value) => {
        await sendTo(hub, "/devices/d1", { application_properties: { value, after: "all" } });
        const received = await receiver.next();
        assert.equal(received.message.application_properties!["after"], "all");
        receiver.settle(received, "accept");
      }),
      100,
    );
  });

  test("a number stays the number that it is", async () => {
    await using hub = await startWholeHub();
    const receiver = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
    await holds(
      fc.asyncProperty(fc.double({ noNaN: true }), async (value) => {
        await sendTo(hub, "/devices/d1", { application_properties: { value: types.wrap_double(value) } });
        const received = await receiver.next();
        assert.equal(received.message.application_properties!["value"], Object.is(value, -0) ? 0 : value);
        receiver.settle(received, "accept");
      }),
      50,
    );
  });

  test("a body that only looks like bytes is refused", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    await client.putToken();
    const sender = await client.openSender("/messages/devicebound");
    sender.setMaxListeners(0);
    const contents = fc.oneof(
      fc.constantFrom<unknown>(7, null, "text", [], [7], { byteLength: 2 ** 32 }, [{ byteLength: 2 ** 32 }]),
      fc.array(fc.oneof(fc.string(), fc.boolean(), fc.integer({ min: 0 }))),
      fc.dictionary(fc.string(), fc.string()),
    );
    await holds(
      fc.asyncProperty(contents, async (content) => {
        const { remote_state } = await outcomeOf(sender, { to: TO, body: { typecode: 0x75, content } });
        assert.equal(remote_state!["error"].condition, "com.microsoft:argument-error");
      }),
      30,
    );
    assert.deepEqual(hub.queue, []);
  });

  test("the reply to a token carries the id of any type that the request had", async () => {
    await using hub = await startHub();
    const ids = fc.oneof(
      fc.string(),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      bytes(16),
      fc.uint8Array({ maxLength: 300 }).filter(({ length }) => length !== 16).map((id) => Buffer.from(id)),
    );
    await holds(
      fc.asyncProperty(ids, async (id) => {
        await using client = new BareClient(hub.listener.port);
        const receiver = client.connection.open_receiver("$cbs");
        const sender = await client.openSender("$cbs");
        const reply = once(receiver, "message");
        sender.send(tokenRequest(typeof id === "object" && id.length !== 16 ? types.wrap_binary(id) : id));
        assert.deepEqual((await reply).message!.correlation_id, id);
      }),
      40,
    );
  });
});

describe("The local hub goes on", () => {
  test("when a client takes no replies to its tokens", async () => {
    await using hub = await startHub();
    await using client = new BareClient(hub.listener.port);
    client.connection.open_receiver({ source: { address: "$cbs" }, credit_window: 0 });
    const sender = await client.openSender("$cbs");
    const accepted = new Promise<void>((resolve) => {
      let count = 0;
      sender.on("accepted", () => ++count === 2_100 && resolve());
    });
    let sent = 0;
    const sendAll = (): void => {
      while (sent < 2_100 && sender.sendable()) {
        sender.send(tokenRequest(`${sent++}`));
      }
    };
    sender.on("sendable", sendAll);
    sendAll();
    await accepted;
    await using next = new BareClient(hub.listener.port);
    assert.deepEqual(await next.putToken(), [200, "OK"]);
  });

  test("whatever credit a client grants, takes back or drains", async () => {
    await using hub = await startWholeHub();
    const any = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const flows = fc.array(fc.record({ count: any, credit: any, isDraining: fc.boolean() }), {
      minLength: 1,
      maxLength: 5,
    });
    await holds(
      fc.asyncProperty(flows, async (all) => {
        const client = await hub.connectDevice("/devices/d1");
        const receiver = new BareReceiver(client, ADDRESS, { credit: 1 });
        await sendTo(hub, "/devices/d1");
        receiver.settle(await receiver.next(), "accept");
        await sendTo(hub, "/devices/d1");
        // What is granted past the library would otherwise be reported by it.
        (receiver.link as unknown as { credit: number }).credit = 1_000;
        for (const { count, credit, isDraining } of all) {
          const fields = { 4: uint(handleOf(receiver.link)), 5: uint(count), 6: uint(credit) };
          write(client, frame(flow(isDraining ? { ...fields, 8: TRUE } : fields)));
        }
        // The hub has read all of it when it answers, and no message is lost.
        await client.openSender("$cbs");
        await client[Symbol.asyncDispose]();
        const next = new BareReceiver(await hub.connectDevice("/devices/d1"), ADDRESS);
        next.settle(await next.next(), "accept");
        await next.close();
      }),
      20,
    );
  });
});

function tokenRequest(id: unknown): Message {
  return {
    message_id: id,
    application_properties: { operation: "put-token", type: "servicebus.windows.net:sastoken", name: "hub" },
    body: SAS,
  } as unknown as Message;
}

function handleOf(link: Receiver | Sender): number {
  return (link as unknown as { local: { handle: number } }).local.handle;
}

/** Writes bytes to the hub, past the library. */
function write(client: BareClient, all: readonly number[]): void {
  (client.connection["socket"] as unknown as { write(bytes: Uint8Array): void }).write(Uint8Array.from(all));
}
