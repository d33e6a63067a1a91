import { receiveEvents } from "../transport/operations.ts";
import { checkTimeout } from "../timing/deadline.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { checkText, checkType, wrongType, wrongValue } from "../values/checks.ts";
import { checkStart, type EventStart } from "./event_position.ts";

/** Which events are read, and when the loop ends. */
export interface ReceiveEventsOptions extends OperationOptions {
  /**
   * The consumer group, which the hub must have.
   * @default {"$Default"}
   */
  consumerGroup?: string | undefined;
  /**
   * The partitions to read.
   * @default all of them, or those that `from` names
   */
  partitionIds?: readonly string[] | undefined;
  /**
   * Where to begin: with the next event, with the oldest one that is kept, with the first since a time, or after a place in
   * each partition. Partitions to read that have no place begin with the oldest event.
   * @default {"latest"}
   */
  from?: EventStart | undefined;
  /** Ends the loop at once. It then throws the signal's reason. */
  abortSignal?: AbortSignal | undefined;
  /**
   * How long the events may be out of reach while the loop waits, in milliseconds. After that the loop throws. While they
   * are in reach, the loop may wait for an event without limit.
   * @default {100000} or the `timeoutInMs` of the client
   */
  timeoutInMs?: number | undefined;
  /**
   * Ends the loop without an error when no event has come for this long, in milliseconds.
   * @default {Infinity}
   */
  maxWaitTimeInMs?: number | undefined;
}

const CONSUMER_GROUP = /^[\w$.-]{1,256}$/;
const PARTITION_ID = /^[\w.-]{1,50}$/;

/** Throws unless each option has the right type and a legal value. */
export function checkReceiveEventsOptions(options: ReceiveEventsOptions): void {
  checkOptions(options, receiveEvents.options);
  const { consumerGroup, partitionIds, from, maxWaitTimeInMs } = options;
  if (consumerGroup !== undefined) {
    checkText("consumerGroup", consumerGroup, CONSUMER_GROUP, "1 to 256 characters of A-Za-z0-9_$.-");
  }
  if (partitionIds !== undefined) {
    if (!Array.isArray(partitionIds)) throw wrongType("partitionIds", "an array of strings", partitionIds);
    if (partitionIds.length === 0) throw wrongValue("partitionIds", "one or more ids of partitions");
    for (const [index, id] of partitionIds.entries()) checkPartitionId(`partitionIds[${index}]`, id);
    if (new Set(partitionIds).size < partitionIds.length) {
      throw wrongValue("partitionIds", "different from one another");
    }
  }
  if (from !== undefined) checkStart(from);
  if (typeof from === "object" && !(from instanceof Date)) {
    const ids = Object.keys(from);
    if (ids.length === 0) throw wrongValue("from", "positions by the ids of one or more partitions");
    for (const id of ids) checkPartitionId("a name in from", id);
    const stray = partitionIds === undefined ? undefined : ids.find((id) => !partitionIds.includes(id));
    if (stray !== undefined) throw wrongValue(`from with the partition ${stray}`, "about partitions in partitionIds");
  }
  if (maxWaitTimeInMs !== undefined && maxWaitTimeInMs !== Infinity) checkTimeout(maxWaitTimeInMs, "maxWaitTimeInMs");
}

function checkPartitionId(name: string, id: unknown): void {
  checkType(name, id, "string");
  checkText(name, id, PARTITION_ID, "the id of a partition, such as 0");
}
