import { failure } from "../errors/failures.ts";
import type { IoTHubError } from "../errors/errors.ts";
import type { Sight } from "../sight/sight.ts";
import type { ClientView } from "../transport/client_view.ts";
import type { OperationFacts } from "../transport/operations.ts";
import type { MessageChannel } from "./message_channel.ts";
import { parseJson } from "../values/json.ts";
import { checkTimeout } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { type ReceivedDelivery, SettledBatch, type Settlement } from "./settlement.ts";

/** When a loop that receives messages ends. */
export interface ReceiveOptions extends OperationOptions {
  /** Ends the loop at once. It then throws the signal's reason. */
  abortSignal?: AbortSignal | undefined;
  /**
   * How long the hub may be unreachable while the loop waits, in milliseconds. After that the loop throws. A link that the
   * hub closes within ten seconds, before any message, does not restart this time. While the hub is reachable, the loop may
   * wait for a message without limit.
   * @default {100000} or the `timeoutInMs` of the client
   */
  timeoutInMs?: number | undefined;
  /**
   * Ends the loop without an error when no message has come for this long, in milliseconds.
   * @default {Infinity}
   */
  maxWaitTimeInMs?: number | undefined;
}

/** One of the hub's queues for back ends. */
export interface ServiceBoundQueue<T extends object> {
  /** The method that receives from it. */
  readonly operation: OperationFacts;
  readonly address: string;
  /** Returns the records in the JSON of a message, or `undefined` if it is something else. */
  read(json: unknown): T[] | undefined;
}

/**
 * Receives records until the consumer ends the loop. A record is completed when the consumer asks for the next one. Whatever
 * is not completed when the loop ends, for any reason, returns to the hub's queue.
 */
export async function* receive<T extends object>(
  queue: ServiceBoundQueue<T>,
  channel: MessageChannel,
  client: ClientView,
  options: ReceiveOptions,
): AsyncGenerator<T & Settlement, void, undefined> {
  checkReceiveOptions(queue.operation, options);
  const receiver = await channel.openReceiver(
    client,
    queue.operation,
    options,
    (connection, call) => connection.openReceiver({ ...call, address: queue.address }),
  );
  let batch: SettledBatch | undefined;
  try {
    for (;;) {
      const began = performance.now();
      const next = await receiver.next(options.maxWaitTimeInMs);
      if (next === undefined) return;
      const delivery = channel.sight === undefined
        ? next
        : watch(channel.sight, queue, next, performance.now() - began);
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

/** Tells that a message was received, and how it is settled. */
function watch(
  sight: Sight,
  { operation: { name: operation }, address }: ServiceBoundQueue<object>,
  delivery: ReceivedDelivery,
  waitedInMs: number,
): ReceivedDelivery {
  sight.tell({ kind: "messageReceived", operation, address, waitedInMs });
  return {
    body: delivery.body,
    complete() {
      delivery.complete();
      sight.tell({ kind: "messageCompleted", operation, address });
    },
    abandon() {
      delivery.abandon();
      sight.tell({ kind: "messageReturned", operation, address });
    },
  };
}

function unreadable(operation: string): IoTHubError {
  const reason = "the hub sent a message that is not the expected JSON; it was returned to the hub";
  return failure({ operation }, "InvalidResponse", reason);
}

/** Throws unless each option has the right type and a legal value. */
function checkReceiveOptions(operation: OperationFacts, options: ReceiveOptions): void {
  checkOptions(options, operation.options);
  const { maxWaitTimeInMs } = options;
  if (maxWaitTimeInMs !== undefined && maxWaitTimeInMs !== Infinity) checkTimeout(maxWaitTimeInMs, "maxWaitTimeInMs");
}
