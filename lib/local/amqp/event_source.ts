import type { Sender } from "rhea";
import { wrongArgument } from "../argument_faults.ts";
import { EventCursor } from "../events/event_cursor.ts";
import type { EventPartition } from "../events/event_partition.ts";
import { HubFault } from "../hub_fault.ts";
import type { EventPartitionAddress } from "./address.ts";
import type { AmqpBackend, AmqpEventHub, AmqpSource, AmqpSourceEvents } from "./backend.ts";
import { amqpErrorOf } from "./conditions.ts";
import { unlockedDelivery } from "./outbox.ts";
import { readPosition } from "./position_filter.ts";

const EPOCH = "com.microsoft:epoch";
const RUNTIME_METRIC = "com.microsoft:enable-receiver-runtime-metric";

/** Members of a link that the library's types do not declare. */
interface AttachedSender {
  readonly remote: { readonly attach: { readonly desired_capabilities?: unknown } };
}

/**
 * Opens a partition for a link that reads events.
 *
 * @throws {HubFault} When there is no such partition, what the client wants cannot be, or another reader owns it.
 */
export function openEventSource(
  backend: AmqpBackend,
  address: EventPartitionAddress,
  link: Sender,
  events: AmqpSourceEvents,
): AmqpSource {
  const { log, receivers } = backend.eventHub;
  const partition = partitionOf(backend.eventHub, address);
  const { filter } = (link.source ?? {}) as { filter?: unknown };
  const epoch = readEpoch(link.properties);
  const cursor = new EventCursor(log, partition, readPosition(filter));
  const place = `${address.consumerGroup.toLowerCase()}/${partition.id}`;
  const leave = receivers.add(place, epoch, (fault) => events.end(amqpErrorOf(fault, backend)));
  const stop = log.onAppend((id) => {
    if (id === partition.id) events.wake();
  });
  const isMeasured = wants(link as unknown as AttachedSender, RUNTIME_METRIC);
  return {
    next() {
      const event = cursor.next();
      if (event === undefined) return undefined;
      const { last } = log.partitions.get(partition.id)!;
      return unlockedDelivery({ kind: "event", event, ...(isMeasured && { last }) });
    },
    close() {
      stop();
      leave();
    },
  };
}

/**
 * Finds a partition.
 *
 * @throws {HubFault} `EventHubNotFound` (404) or `InvalidEventPartition` (400).
 */
export function partitionOf(
  { name, log }: AmqpEventHub,
  { eventHubName, partitionId }: { eventHubName: string; partitionId: string },
): EventPartition {
  if (eventHubName.toLowerCase() !== name) {
    throw new HubFault("EventHubNotFound", 404, `The messaging entity '${eventHubName}' could not be found.`);
  }
  const partition = log.partitions.get(partitionId);
  if (partition !== undefined) return partition;
  const ids = log.partitions.size;
  throw new HubFault(
    "InvalidEventPartition",
    400,
    "The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and " +
      `${ids - 1}.`,
  );
}

function readEpoch(properties: Record<string, unknown> | undefined): number | undefined {
  const epoch = Object.hasOwn(properties ?? {}, EPOCH) ? properties![EPOCH] : undefined;
  if (epoch === undefined || epoch === null) return undefined;
  if (Number.isSafeInteger(epoch) && Number(epoch) >= 0) return Number(epoch);
  throw wrongArgument(EPOCH, epoch, "a whole number from 0 on");
}

function wants({ remote }: AttachedSender, capability: string): boolean {
  return [remote.attach.desired_capabilities].flat().some((wanted) => String(wanted) === capability);
}
