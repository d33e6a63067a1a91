/**
 * A program that uses messages and then has nothing to do; run by a test, which sees whether it ends by itself. It says on a
 * line of its own when it has nothing to do any more.
 */
import process from "node:process";
import { IoTHubError, IoTHubRegistryManager, Twins } from "../../mod.ts";
import { CONNECTION_STRING } from "./recorder.ts";

const [kind, amqpEndpoint] = process.argv.slice(2) as [string, string];
const registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { amqpEndpoint });

const KINDS: Record<string, () => Promise<unknown>> = {
  async send() {
    await registry.sendC2dMessage("d1", "hello");
    return "sent";
  },
  async "send, and half a minute later"() {
    await registry.sendC2dMessage("d1", "hello");
    const { now } = Date;
    Date.now = () => now() + 31_000;
    return "sent";
  },
  async "send and fail"() {
    return await registry.sendC2dMessage("d1", "hello").catch(({ code }) => code);
  },
  /** A fetch that answers the first request only: then nothing but the client's own timer keeps the process alive. */
  async "call twice over HTTP"() {
    let calls = 0;
    await using twins = Twins.fromConnectionString(CONNECTION_STRING, {
      fetch: () => ++calls === 1 ? Promise.resolve(new Response("{}")) : new Promise(() => {}),
    });
    await twins.getTwin("d1");
    const outcome = await twins.getTwin("d1", { timeoutInMs: 300 }).catch(({ code }) => code);
    await Twins.fromConnectionString(CONNECTION_STRING, { fetch: () => Promise.resolve(new Response("{}")) })
      .getTwin("d1");
    return outcome;
  },
  async close() {
    let accepted = 0;
    const reached = Promise.withResolvers<void>();
    const sends = Array.from({ length: 500 }, async (_, i) => {
      await registry.sendC2dMessage("d1", `${i}`);
      if (++accepted === 200) reached.resolve();
    });
    const results = Promise.allSettled(sends);
    await reached.promise;
    await registry.close();
    const outcomes: Record<string, number> = {};
    for (const result of await results) {
      const { status } = result;
      const outcome = status === "fulfilled"
        ? status
        : result.reason instanceof IoTHubError
        ? result.reason.code
        : String(result.reason);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    return outcomes;
  },
  async receive() {
    const controller = new AbortController();
    try {
      for await (const record of registry.receiveFeedback({ abortSignal: controller.signal })) {
        controller.abort(new Error(`Enough after ${record.originalMessageId}`));
      }
    } catch (error) {
      return (error as Error).message;
    }
    return "The loop ended";
  },
};

console.log(JSON.stringify(await KINDS[kind]!()));
