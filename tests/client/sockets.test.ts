import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import type { CallLimits } from "../../lib/timing/call_limiter.ts";
import { runtimeName } from "../../lib/values/runtime.ts";
import { IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { type FaultRequest, FaultServer, httpAnswer } from "../support/fault_server.ts";
import { turns } from "../support/mocked_time.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const ENTRIES = { ".": IoTHubRegistryManager, "/http": HttpRegistryManager };
/** Deno, like browsers, manages its connections itself. */
const MANAGES_ITSELF = runtimeName() === "Deno" ? "this runtime manages its connections itself" : false;

/** A server whose answers wait until they are let go. */
class HoldingServer implements AsyncDisposable {
  readonly server: FaultServer;
  readonly #held: FaultRequest[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  #inFlight = 0;
  /** How many requests were under way at the same time at most. */
  most = 0;
  /** Whether a request is held. */
  holds: (request: FaultRequest) => boolean = () => true;

  private constructor(server: (handle: (request: FaultRequest) => void) => FaultServer) {
    this.server = server((request) => this.#receive(request));
  }

  static async listen(): Promise<HoldingServer> {
    const holding = new HoldingServer((handle) => new FaultServer(handle));
    await holding.server.listen();
    return holding;
  }

  #receive(request: FaultRequest): void {
    this.most = Math.max(this.most, ++this.#inFlight);
    if (this.holds(request)) this.#held.push(request);
    else this.#answer(request);
    for (const { count, resolve } of this.#waiting) if (this.#held.length >= count) resolve();
  }

  #answer({ socket }: FaultRequest): void {
    this.#inFlight--;
    socket.write(httpAnswer(200, "{}"));
  }

  /** Resolves when so many requests are held, and those that should not come had time to. */
  async holdsRequests(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ count, resolve });
      if (this.#held.length >= count) resolve();
    });
    await turns(20);
  }

  get held(): number {
    return this.#held.length;
  }

  /** Answers what is held, and whatever comes. */
  release(): void {
    this.holds = () => false;
    for (const request of this.#held.splice(0)) this.#answer(request);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

function connect(entry: keyof typeof ENTRIES, { server }: HoldingServer, limits?: CallLimits): HttpRegistryManager {
  return ENTRIES[entry].fromConnectionString(CONNECTION_STRING, {
    endpoint: server.endpoint,
    // A busy machine takes its time for hundreds of connections.
    timeoutInMs: 600_000,
    attemptTimeoutInMs: 600_000,
    ...(limits && { limits }),
  });
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `d${index}`);
}

const METHOD = { methodName: "reboot" };

for (const entry of [".", "/http"] as const) {
  describe(`with the entry ${entry}, connections`, () => {
    for (const [limits, most, calls] of [[undefined, 128, 500], [{ maxSockets: 3 }, 3, 50]] as const) {
      test(
        `are ${most} at most for ${calls} calls at once, with ${JSON.stringify(limits)}`,
        { skip: MANAGES_ITSELF },
        async () => {
          await using server = await HoldingServer.listen();
          await using registry = connect(entry, server, limits);
          const results = Promise.all(ids(calls).map((id) => registry.getTwin(id)));
          await server.holdsRequests(most);
          assert.equal(server.held, most);
          server.release();
          await results;
          assert.equal(server.most, most);
          // Every fetch likes to replace a connection.
          if (entry === "." && runtimeName() === "Node") assert.equal(server.server.connections, most);
        },
      );

      test(`that wait for devices are as many more, and hold up no read, with ${JSON.stringify(limits)}`, async () => {
        await using server = await HoldingServer.listen();
        await using registry = connect(entry, server, limits);
        server.holds = ({ path }) => path.includes("/methods");
        const methods = Promise.all(ids(300).map((id) => registry.invokeDeviceMethod(id, METHOD)));
        const expected = MANAGES_ITSELF ? 300 : most;
        await server.holdsRequests(expected);
        assert.equal(server.held, expected);
        await Promise.all(ids(50).map((id) => registry.getTwin(id)));
        assert.equal(server.held, expected);
        server.release();
        await methods;
      });
    }

    test("do not grow beyond what may run, if there is a limit for that, too", async () => {
      await using server = await HoldingServer.listen();
      await using registry = connect(entry, server, { maxConcurrentRequests: 2, maxSockets: 8 });
      const calls = Promise.all(ids(20).map((id) => registry.getTwin(id)));
      await server.holdsRequests(2);
      server.release();
      await calls;
      assert.equal(server.most, 2);
    });

    test("that are all taken cost a call its time, but nothing was sent", { skip: MANAGES_ITSELF }, async () => {
      await using server = await HoldingServer.listen();
      await using registry = connect(entry, server, { maxSockets: 1 });
      const first = Promise.all([registry.getTwin("d1"), registry.invokeDeviceMethod("d1", METHOD)]);
      await server.holdsRequests(2);
      for (
        const call of [
          registry.getTwin("d2", { timeoutInMs: 50 }),
          registry.invokeDeviceMethod("d2", METHOD, { timeoutInMs: 50 }),
        ]
      ) {
        const error = await call.then(() => assert.fail("it was answered"), (error: unknown) => error);
        assert.ok(error instanceof IoTHubError);
        assert.deepEqual([error.code, error.retryable], ["Timeout", true]);
        assert.match(error.message, /nothing was sent within \d+ ms.*for a connection/);
      }
      server.release();
      await first;
      await registry.getTwin("d3");
      assert.deepEqual(server.server.requests.map(({ path }) => path.split("/")[2]!.slice(0, 2)).sort(), [
        "d1",
        "d1",
        "d3",
      ]);
    });
  });
}
