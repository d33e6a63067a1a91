import { failure } from "../errors/failures.ts";
import type { IoTHubError } from "../errors/errors.ts";
import type { ClientView } from "../transport/client_view.ts";
import type { OperationFacts } from "../transport/operations.ts";
import type { MessageChannel } from "./message_channel.ts";
import { parseJson } from "../values/json.ts";
import { checkTimeout } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { SettledBatch, type Settlement } from "./settlement.ts";

/** How long to receive. */
export interface ReceiveOptions extends OperationOptions {
  /** Ends the loop at once: it throws the signal's reason. */
  abortSignal?: AbortSignal;
  /**
   * How long the hub may be out of reach while the loop waits, in milliseconds; then it throws. A link that the hub takes back
   * within ten seconds, before any message, does not make it start anew. The wait itself has no end of its own.
   * @default {100000}
   */
  timeoutInMs?: number;
  /**
   * Ends the loop, without an error, when nothing has come for so long, in milliseconds. Left out, it waits for ever.
   * @default {Infinity}
   */
  maxWaitTimeInMs?: number;
}

/** One of the hub's queues towards back ends. */
export interface ServiceBoundQueue<T extends object> {
  /** The method that receives from it. */
  readonly operation: OperationFacts;
  readonly address: string;
  /** The records in the JSON of a message; `undefined` where there are none. */
  read(json: unknown): T[] | undefined;
}

/**
 * Receives records until the consumer has enough. A record is completed when the consumer asks for the next one; whatever is
 * not completed when the loop ends, for whatever reason, is the hub's again.
 */
export async function* receive<T extends object>(
  queue: ServiceBoundQueue<T>,
  channel: MessageChannel,
  client: ClientView,
  options: ReceiveOptions,
): AsyncGenerator<T & Settlement, void, undefined> {
  checkReceiveOptions(options);
  const receiver = await channel.openReceiver(client, queue.operation, queue.address, options);
  let batch: SettledBatch | undefined;
  try {
    for (;;) {
      const delivery = await receiver.next(options.maxWaitTimeInMs);
      if (delivery === undefined) return;
      const records = queue.read(parseJson(new TextDecoder().decode(delivery.body)));
      batch = new SettledBatch(delivery, records?.length ?? 1);
      if (records === undefined) throw unreadable(queue.operation.name);
      for (const record of records) {
        const received = batch.withSettlement(record);
        yield received;
        received.complete();
        if (batch.isDecided) break;
      }
    }
  } finally {
    batch?.abandon();
    receiver.close();
  }
}

function unreadable(operation: string): IoTHubError {
  const reason = "the hub sent something else than the JSON it promises; it was given back to the hub";
  return failure({ operation }, "InvalidResponse", reason);
}

/** Throws unless each option is what it should be. */
function checkReceiveOptions(options: ReceiveOptions): void {
  checkOptions(options);
  const { maxWaitTimeInMs } = options;
  if (maxWaitTimeInMs !== undefined && maxWaitTimeInMs !== Infinity) checkTimeout(maxWaitTimeInMs, "maxWaitTimeInMs");
}
