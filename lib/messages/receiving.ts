import { failure } from "../errors/failures.ts";
import type { IoTHubError } from "../errors/errors.ts";
import type { MessageChannel } from "./message_channel.ts";
import { parseJson } from "../values/json.ts";
import { checkReceiveOptions, type ReceiveOptions } from "./receive_options.ts";
import { SettledTogether, type Settlement } from "./settlement.ts";

/** One of the hub's queues towards back ends. */
export interface ServiceBoundQueue<T extends object> {
  /** The method that receives from it. */
  readonly operation: string;
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
  options: ReceiveOptions,
): AsyncGenerator<T & Settlement, void, undefined> {
  checkReceiveOptions(options);
  const receiver = await channel.openReceiver(queue.operation, queue.address, options);
  let batch: SettledTogether | undefined;
  try {
    for (;;) {
      const delivery = await receiver.next(options.maxWaitTimeInMs);
      if (delivery === undefined) return;
      const records = queue.read(parseJson(new TextDecoder().decode(delivery.body)));
      batch = new SettledTogether(delivery, records?.length ?? 1);
      if (records === undefined) throw unreadable(queue.operation);
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
