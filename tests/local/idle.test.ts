import assert from "node:assert/strict";
import { once as emitted } from "node:events";
import { createConnection } from "node:net";
import { describe, test } from "node:test";
import { BareReceiver, ListeningHub } from "../support/listening_hub.ts";
import { once } from "../support/local_amqp.ts";
import { MockedTime, turns } from "../support/mocked_time.ts";

const LIMIT_IN_MS = 30_000;
/** An open frame of a client that promises nothing: container id "c" and no more. */
const HEADER = [0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0];
const OPEN = [0, 0, 0, 17, 2, 0, 0, 0, 0x00, 0x53, 0x10, 0xc0, 4, 1, 0xa1, 1, 0x63];
const EMPTY_FRAME = new Uint8Array([0, 0, 0, 8, 2, 0, 0, 0]);

describe("A silent client of the local hub", () => {
  test("is told for how long it may be silent", async () => {
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: 123_456 });
    const client = hub.connect();
    await once(client.connection, "connection_open");
    assert.equal(client.connection.idle_time_out, 123_456);
  });

  test("is told of four minutes where the hub is not told otherwise", async () => {
    await using hub = await ListeningHub.start();
    const client = hub.connect();
    await once(client.connection, "connection_open");
    assert.equal(client.connection.idle_time_out, 240_000);
  });

  test("is not told of a limit that there is not", async () => {
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: Infinity });
    const client = hub.connect();
    await once(client.connection, "connection_open");
    // A field that is null says as much as one that is not there.
    assert.equal(client.connection.idle_time_out ?? undefined, undefined);
  });

  test("is closed when the time is over, with the reason, and then cut", async () => {
    using time = new MockedTime();
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: LIMIT_IN_MS });
    const socket = createConnection(hub.port, "127.0.0.1");
    const chunks: Uint8Array[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    await emitted(socket, "connect");
    socket.write(new Uint8Array([...HEADER, ...OPEN]));
    const said = (): string => Buffer.concat(chunks).toString("latin1");
    while (said().length < HEADER.length + OPEN.length) await turns();
    await time.passInSteps(LIMIT_IN_MS - 1_000, 1_000);
    assert.doesNotMatch(said(), /amqp:connection:forced/);
    await time.settle(emitted(socket, "close"), 1_000);
    assert.match(said(), /amqp:connection:forced/);
    assert.match(said(), /The client was silent for 30000 ms$/);
  });

  test("is cut although it has never said a word", async () => {
    using time = new MockedTime();
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: LIMIT_IN_MS });
    const socket = createConnection(hub.port, "127.0.0.1");
    socket.on("error", () => {}).resume();
    await emitted(socket, "connect");
    await time.settle(emitted(socket, "close"), 1_000);
  });

  test("loses its locks with its connection", async () => {
    using time = new MockedTime();
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: LIMIT_IN_MS });
    await hub.rest.createDevices("d1");
    hub.hub.device("d1").notifyFileUpload({ blobName: "a", blobSizeInBytes: 1 });
    const address = "/messages/servicebound/filenotifications";
    const silent = await hub.connectAs("service");
    await new BareReceiver(silent, address).next();
    // The library keeps the connection alive by itself, which is not wanted here.
    const error = once(silent.connection, "connection_error");
    (silent.connection as unknown as { _write_frame(): void })._write_frame = () => {};
    const { connection } = await time.settle(error, 1_000);
    assert.equal((connection.error as { condition: string }).condition, "amqp:connection:forced");
    await new BareReceiver(await hub.connectAs("service"), address).next();
  });

  test("stays as long as it sends empty frames, and as the library does so by itself", async () => {
    using time = new MockedTime();
    await using hub = await ListeningHub.start({ amqpIdleTimeoutInMs: LIMIT_IN_MS });
    const client = hub.connect();
    await once(client.connection, "connection_open");
    const socket = createConnection(hub.port, "127.0.0.1");
    let isClosed = false;
    socket.once("close", () => isClosed = true).on("error", () => {}).resume();
    socket.write(new Uint8Array([...HEADER, ...OPEN]));
    for (let i = 0; i < 6; i++) {
      await time.passInSteps(LIMIT_IN_MS - 5_000, 1_000); // silence, but not for too long
      socket.write(EMPTY_FRAME);
    }
    assert.equal(isClosed, false);
    assert.equal(client.connection.is_open(), true);
    socket.destroy();
  });
});
