import rhea from "rhea";
import type { EventContext, Message, Receiver, Sender } from "rhea";
import { cannotUse, describeType, quote } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import type { AmqpBackend, AmqpEventHub } from "./backend.ts";
import { amqpErrorOf } from "./conditions.ts";
import { partitionOf } from "./event_source.ts";
import { type Guard, listen } from "./guard.ts";
import { checkReplyProperties, ReplyLinks } from "./reply_links.ts";

const EVENT_HUB = "com.microsoft:eventhub";
const PARTITION = "com.microsoft:partition";
const STRING = 0xa1;

/** The node `$management` of one connection: clients ask there for the properties of the event hub and its partitions. */
export class EventManagement {
  readonly #backend: AmqpBackend;
  readonly #guard: Guard;
  readonly #isCovered: (link: Receiver) => boolean;
  readonly #replies: ReplyLinks = new ReplyLinks();

  /** @param isCovered Tells whether the client still has the right to a link. */
  constructor(backend: AmqpBackend, guard: Guard, isCovered: (link: Receiver) => boolean) {
    this.#backend = backend;
    this.#guard = guard;
    this.#isCovered = isCovered;
  }

  /** Takes requests from a link. */
  listenTo(link: Receiver): void {
    listen(link, this.#guard, { message: (context) => this.#take(context) });
  }

  /** Replies on a link from now on. */
  replyTo(link: Sender): void {
    this.#replies.add(link);
  }

  #take({ message, delivery, receiver }: EventContext): void {
    delivery!.accept();
    if (this.#isCovered(receiver!)) this.#replies.send(message!, this.#answer(message!));
  }

  #answer(request: Message): { application_properties: object; body: unknown } {
    try {
      checkReplyProperties(request);
      const body = readProperties(this.#backend.eventHub, request);
      return { application_properties: status(200, "OK"), body };
    } catch (error) {
      const { condition, description } = amqpErrorOf(error, this.#backend);
      const code = error instanceof HubFault ? error.status : 500;
      return { application_properties: { ...status(code, description), "error-condition": condition }, body: null };
    }
  }
}

function status(code: number, description: string): object {
  // A plain number would be written as another type, which not every client takes.
  return { "status-code": rhea.types.wrap_int(code), "status-description": description };
}

/** Reads what the client asks for. Whatever is said besides, such as a token, the rights of the link stand for. */
function readProperties(hub: AmqpEventHub, { application_properties }: Message): object {
  const { operation, type, name, partition } = (application_properties ?? {}) as Record<string, unknown>;
  if (operation !== "READ") throw unknownRequest("operation", operation, '"READ"');
  if (typeof name !== "string") throw unknownRequest("name", name, "the name of the event hub");
  if (type === PARTITION) {
    if (typeof partition !== "string") throw unknownRequest("partition", partition, "the id of a partition");
    return describePartition(hub, name, partition);
  }
  if (type !== EVENT_HUB) throw unknownRequest("type", type, `${EVENT_HUB} or ${PARTITION}`);
  const ids = [...hub.log.partitions.keys()];
  // Any of them says whether the name is right.
  partitionOf(hub, { eventHubName: name, partitionId: ids[0]! });
  return {
    name: hub.name,
    type,
    created_at: rhea.types.wrap_timestamp(hub.createdTime),
    partition_count: rhea.types.wrap_int(ids.length),
    partition_ids: rhea.types.wrap_array(ids, STRING, undefined),
    georeplication_factor: rhea.types.wrap_int(1),
  };
}

function describePartition(hub: AmqpEventHub, eventHubName: string, partitionId: string): object {
  const partition = partitionOf(hub, { eventHubName, partitionId });
  const { last } = partition;
  const first = hub.log.seek(partition, { kind: "earliest" });
  return {
    name: hub.name,
    type: PARTITION,
    partition: partition.id,
    begin_sequence_number: rhea.types.wrap_long(first),
    last_enqueued_sequence_number: rhea.types.wrap_long(partition.next - 1),
    last_enqueued_offset: String(last?.offset ?? -1),
    last_enqueued_time_utc: rhea.types.wrap_timestamp(last?.enqueuedTime ?? 0),
    is_partition_empty: first === partition.next,
  };
}

function unknownRequest(name: string, value: unknown, expected: string): HubFault {
  const got = typeof value === "string" ? quote(value) : describeType(value);
  return new HubFault("InvalidOperation", 400, cannotUse(`${name} ${got}`, expected));
}
