/** A client that is attacked by its hub; `run.ts` starts it on each runtime. */
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/answer_server.ts";
import { type CallName, CALLS } from "./client_calls.ts";
import { Victim } from "./victim.ts";

/** How a client reaches its hub. */
export interface ClientRequest {
  readonly endpoint: string;
  readonly amqpEndpoint: string;
  /** The runtime's own way for HTTP, or a `fetch` that is given. */
  readonly way: "own" | "fetch";
}

const victim = new Victim();
let registry: IoTHubRegistryManager | undefined;

await victim.serve({
  start(): void {},

  open({ endpoint, amqpEndpoint, way }: ClientRequest): void {
    const options: ClientOptions = {
      endpoint,
      amqpEndpoint,
      // As much as a careful caller allows, so that what is kept beyond it is told from what is kept within it.
      maxResponseBytes: 16 * 2 ** 20,
      timeoutInMs: 150,
      attemptTimeoutInMs: 100,
      retryOptions: { maxRetries: 2, retryDelayInMs: 10, maxRetryDelayInMs: 20 },
      ...(way === "fetch" && { fetch: (url, init) => fetch(url, init) }),
    };
    registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options);
  },

  /** Calls; returns the code of the error, or "done". */
  async call(name: CallName): Promise<string> {
    try {
      await CALLS[name](registry!);
      return "done";
    } catch (error) {
      if (error instanceof IoTHubError) return error.code;
      // The reason of a receiver's signal.
      if (name.startsWith("receive") && (error as Error).name === "TimeoutError") return "aborted";
      victim.blame(`rejection of ${name}`, error);
      return "no IoTHubError";
    }
  },

  async close(): Promise<void> {
    await registry?.close();
  },
});
