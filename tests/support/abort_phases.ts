import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { turns } from "./mocked_time.ts";
import { CONNECTION_STRING, HOST_NAME } from "./recorder.ts";

/** How a call was aborted: what it rejected with, and after how long by the process's {@linkcode ownTime}. */
export interface Aborted {
  error: unknown;
  reason: Error;
  milliseconds: number;
}

/** A part of a call's life, in which it is aborted. */
export interface Phase {
  readonly name: string;
  run(options: ClientOptions): Promise<Aborted>;
}

const NEVER: Promise<never> = new Promise(() => {});

export const PHASES: readonly Phase[] = [
  // The first of all, since the code is loaded only once.
  phase("loading the code for messages", async (options, abort) => {
    await using server = await listen(createTcpServer((socket) => void socket.resume()));
    const amqpEndpoint = `amqp://127.0.0.1:${server.port}`;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { ...options, amqpEndpoint });
    return await abort((abortSignal) => registry.sendC2dMessage("d", "hello", {}, { abortSignal }), Promise.resolve());
  }),
  phase("waiting for the credential's token", async (options, abort) => {
    const asked = signal();
    const credential = {
      getToken() {
        asked.fire();
        return NEVER;
      },
    };
    await using registry = IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credential, options);
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), asked.fired);
  }),
  phase("waiting for the token that takes the place of a refused one", async (options, abort) => {
    const asked = signal();
    let times = 0;
    const credential = {
      getToken() {
        if (++times === 1) return Promise.resolve({ token: "first", expiresOnTimestamp: Date.now() + 3_600_000 });
        asked.fire();
        return NEVER;
      },
    };
    await using server = await serve((_request, response) => void response.writeHead(401).end());
    const { endpoint } = server;
    await using registry = IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credential, { ...options, endpoint });
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), asked.fired);
  }),
  phase("connecting, while the other side says nothing of TLS", async (options, abort) => {
    const connected = signal();
    await using server = await listen(createTcpServer((socket) => {
      // Read, or a socket that was left would not be noticed.
      socket.resume();
      connected.fire();
    }));
    await using registry = connect(options, `https://127.0.0.1:${server.port}`);
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), connected.fired);
  }),
  phase("waiting for the head of the answer", async (options, abort) => {
    const arrived = signal();
    await using server = await serve(() => arrived.fire());
    await using registry = connect(options, server.endpoint);
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), arrived.fired);
  }),
  phase("in the middle of the body", async (options, abort) => {
    const begun = signal();
    await using server = await serve((_request, response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" });
      response.write('{"deviceId":', begun.fire);
    });
    await using registry = connect(options, server.endpoint);
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), begun.fired.then(settled));
  }),
  phase("waiting for the next attempt", async (options, abort) => {
    const answered = signal();
    await using server = await serve((_request, response) => {
      response.writeHead(503, { "Retry-After": "60" }).end(answered.fire);
    });
    await using registry = connect(options, server.endpoint);
    return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), answered.fired.then(settled));
  }),
  phase("waiting for a turn", async (options, abort) => {
    const arrived = signal();
    await using server = await serve(() => arrived.fire());
    await using registry = connect({ ...options, limits: { maxConcurrentRequests: 1 } }, server.endpoint);
    const first = registry.getTwin("d").catch(() => {});
    const aborted = await abort((abortSignal) => registry.getTwin("d", { abortSignal }), arrived.fired);
    await registry.close();
    await first;
    return aborted;
  }),
  phase("waiting for the second page of a query", async (options, abort) => {
    const arrived = signal();
    await using server = await serve((request, response) => {
      if (request.headers["x-ms-continuation"] !== undefined) return arrived.fire();
      response.writeHead(200, { "x-ms-continuation": "next" }).end("[1]");
    });
    await using registry = connect(options, server.endpoint);
    return await abort(async (abortSignal) => {
      for await (const _row of registry.query("SELECT * FROM devices", { abortSignal }));
    }, arrived.fired);
  }),
  phase("holding the first page of a query", async (options, abort) => {
    const arrived = signal();
    await using server = await serve((request, response) => {
      // The second page comes, too: what counts is that it is not given out any more.
      const isFirst = request.headers["x-ms-continuation"] === undefined;
      response.writeHead(200, isFirst ? { "x-ms-continuation": "next" } : {}).end(
        "[1]",
        isFirst ? () => {} : arrived.fire,
      );
    });
    await using registry = connect(options, server.endpoint);
    const released = signal();
    return await abort(async (abortSignal) => {
      abortSignal.addEventListener("abort", released.fire);
      for await (const _page of registry.query("SELECT * FROM devices", { abortSignal }).byPage()) await released.fired;
    }, arrived.fired.then(settled));
  }),
  phase("in the change of modifyTwin", async (options, abort) => {
    const changing = signal();
    await using server = await serve((_request, response) => void response.end('{"etag":"AAAAAAAAAAE="}'));
    await using registry = connect(options, server.endpoint);
    return await abort((abortSignal) =>
      registry.modifyTwin("d", () => {
        changing.fire();
        return NEVER;
      }, { abortSignal }), changing.fired);
  }),
  phase("between the attempts of modifyTwin", async (options, abort) => {
    const late = signal();
    let writes = 0;
    await using server = await serve((request, response) => {
      request.resume();
      if (request.method === "GET") return void response.end('{"etag":"AAAAAAAAAAE="}');
      // By then a pause is long.
      response.writeHead(412).end(++writes === 8 ? late.fire : () => {});
    });
    await using registry = connect(options, server.endpoint);
    return await abort(
      (abortSignal) => registry.modifyTwin("d", () => ({ tags: { n: 1 } }), { abortSignal, maxAttempts: 1_000 }),
      late.fired.then(settled),
    );
  }),
  phase("opening the connection for messages", async (options, abort) => {
    const connected = signal();
    await using server = await listen(createTcpServer((socket) => {
      socket.resume();
      connected.fire();
    }));
    const amqpEndpoint = `amqp://127.0.0.1:${server.port}`;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { ...options, amqpEndpoint });
    return await abort((abortSignal) => registry.sendC2dMessage("d", "hello", {}, { abortSignal }), connected.fired);
  }),
];

/** A phase of calls over a fetch that does not heed its signal. */
export const DEAF_FETCH: Phase = phase("in a fetch that ignores its signal", async (options, abort) => {
  const called = signal();
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    ...options,
    fetch() {
      called.fire();
      return NEVER;
    },
  });
  return await abort((abortSignal) => registry.getTwin("d", { abortSignal }), called.fired);
});

/** How soon a call must have rejected. */
export const MOST_IN_MS = 50;

/** A longer pause between two turns of the event loop is none of the process's own: a busy machine held it up. */
const LONGEST_TURN_IN_MS = 5;

/** The milliseconds that a promise takes to settle, without those in which the process was held up. */
async function ownTime(promise: Promise<unknown>): Promise<number> {
  let isSettled = false;
  const settle = (): void => void (isSettled = true);
  promise.then(settle, settle);
  let milliseconds = 0;
  for (let last = performance.now(); !isSettled;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    milliseconds += Math.min(now - last, LONGEST_TURN_IN_MS);
    last = now;
  }
  return milliseconds;
}

type Abort = (call: (abortSignal: AbortSignal) => Promise<unknown>, reached: Promise<unknown>) => Promise<Aborted>;

function phase(name: string, play: (options: ClientOptions, abort: Abort) => Promise<Aborted>): Phase {
  return {
    name,
    run: (options) =>
      play(options, async (call, reached) => {
        const controller = new AbortController();
        const outcome = call(controller.signal).then(
          () => new Error("The call succeeded"),
          (error: unknown) => error,
        );
        await Promise.race([reached, outcome.then((error) => Promise.reject(error))]);
        const reason = new Error("No longer needed");
        controller.abort(reason);
        const milliseconds = await ownTime(outcome);
        return { error: await outcome, reason, milliseconds };
      }),
  };
}

function connect(options: ClientOptions, endpoint: string): IoTHubRegistryManager {
  return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { ...options, endpoint });
}

/** A promise to be settled from outside. */
function signal(): { fired: Promise<void>; fire: () => void } {
  let fire = (): void => {};
  const fired = new Promise<void>((resolve) => fire = resolve);
  return { fired, fire: () => fire() };
}

/** What has been sent is there in a moment, and nothing tells. */
function settled(): Promise<void> {
  return turns(20);
}

async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ endpoint: string } & AsyncDisposable> {
  const server = await listen(createServer(handle));
  return { endpoint: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** Listens on loopback; at the end all sockets are gone. */
async function listen(server: Server): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
