import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import type { EventLog } from "./event_log.ts";
import { CONNECTION_STRING } from "./recorder.ts";
import { type HubScript, type ScriptedHub, startScriptedHub } from "./scripted_hub.ts";
import { ScriptedQueue } from "./scripted_queue.ts";

/** A hub with a queue, and a manager. */
export interface Scene extends AsyncDisposable {
  readonly hub: ScriptedHub;
  readonly queue: ScriptedQueue;
  readonly log: EventLog;
  readonly registry: IoTHubRegistryManager;
}

/** A hub with a queue, and a manager that repeats without a wait. */
export async function start(script: HubScript = {}, options: ClientOptions = {}): Promise<Scene> {
  const queue = new ScriptedQueue();
  const hub = await startScriptedHub({ onSource: queue.attach, ...script });
  const registry = connect(hub.endpoint, options);
  return {
    hub,
    queue,
    log: queue.log,
    registry,
    async [Symbol.asyncDispose]() {
      await registry.close();
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** A manager that repeats without a wait. */
export function connect(
  amqpEndpoint: ClientOptions["amqpEndpoint"],
  options: ClientOptions = {},
): IoTHubRegistryManager {
  return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    retryOptions: { retryDelayInMs: 0 },
    ...options,
    amqpEndpoint,
  });
}

/** Records as the hub sends them in one message. */
export function batch(...ids: string[]): { originalMessageId: string; statusCode: string }[] {
  return ids.map((originalMessageId) => ({ originalMessageId, statusCode: "Success" }));
}

/** The outcomes of messages, and the ends of links, in order. */
export function outcomes({ events }: EventLog): string[] {
  return events.filter((event) => !/^(attached|sent|credit \d)$/.test(event));
}
