import { follow, unfollow } from "../../timing/abort_listeners.ts";
import { abortReason, checkAbortSignal, checkTimeout, throwIfAborted } from "../../timing/deadline.ts";
import { wrongType, wrongValue } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { type ReceivedEvent, receivedEvent } from "../../values/received_event.ts";
import { EventCursor } from "./event_cursor.ts";
import type { EventLog, EventPosition } from "./event_log.ts";
import { propertiesOf, stampsOf, type StoredEvent } from "./stored_event.ts";

/** Which events of a local hub are read, and when the reading ends. */
export interface LocalEventsOptions {
  /**
   * Where to begin: with the first event that is kept, with the next one, or with the first since a time.
   * @default {"earliest"}
   */
  from?: "earliest" | "latest" | Date | undefined;
  /**
   * Ends the loop when no event has come for this long, in milliseconds.
   * @default {Infinity}
   */
  maxWaitTimeInMs?: number | undefined;
  /** Ends the loop at once. It then throws the signal's reason. */
  abortSignal?: AbortSignal | undefined;
}

/**
 * Throws unless each option is what it should be.
 *
 * @throws {TypeError} For a wrong type, or an option that there is not.
 * @throws {RangeError} For a value that is not legal.
 */
export function checkEventsOptions(options: LocalEventsOptions): void {
  checkMembers("options", options, ["from", "maxWaitTimeInMs", "abortSignal"]);
  const { from, maxWaitTimeInMs, abortSignal } = options;
  if (from instanceof Date) {
    if (Number.isNaN(from.getTime())) throw wrongValue("from", "a valid date");
  } else if (from !== undefined && from !== "earliest" && from !== "latest") {
    throw wrongType("from", '"earliest", "latest" or a Date', from);
  }
  if (maxWaitTimeInMs !== undefined && maxWaitTimeInMs !== Infinity) checkTimeout(maxWaitTimeInMs, "maxWaitTimeInMs");
  if (abortSignal !== undefined) checkAbortSignal(abortSignal);
}

/** Reads all partitions, in the order in which the events have come. */
export async function* readEvents(
  log: EventLog,
  { from = "earliest", maxWaitTimeInMs = Infinity, abortSignal }: LocalEventsOptions,
  closed: AbortSignal,
): AsyncGenerator<ReceivedEvent, void, undefined> {
  throwIfAborted(abortSignal);
  const position: EventPosition = from instanceof Date
    ? { kind: "enqueuedTime", value: from.getTime(), isInclusive: true }
    : { kind: from };
  const cursors = new Map(
    Array.from(log.partitions, ([id, partition]) => [id, new EventCursor(log, partition, position)]),
  );
  for (;;) {
    let earliest: StoredEvent | undefined;
    for (const cursor of cursors.values()) {
      const event = cursor.peek();
      if (event !== undefined && !(earliest !== undefined && earliest.order < event.order)) {
        earliest = event;
      }
    }
    if (earliest !== undefined) {
      cursors.get(earliest.partitionId)!.next();
      yield toReceivedEvent(earliest);
      throwIfAborted(abortSignal);
    } else if (closed.aborted || !await nextAppend(log, maxWaitTimeInMs, abortSignal, closed)) return;
  }
}

/** Waits for another event. Returns `false` when none has come in time, or the hub is closed. */
function nextAppend(
  log: EventLog,
  maxWaitInMs: number,
  abortSignal: AbortSignal | undefined,
  closed: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = [];
    const end = (settle: () => void): void => {
      for (const action of undo) action();
      settle();
    };
    const followUntilEnd = (signal: AbortSignal, settle: () => void): void => {
      const action = (): void => end(settle);
      follow(signal, action);
      undo.push(() => unfollow(signal, action));
    };
    undo.push(log.onAppend(() => end(() => resolve(true))));
    followUntilEnd(closed, () => resolve(false));
    if (abortSignal !== undefined) followUntilEnd(abortSignal, () => reject(abortReason(abortSignal)));
    if (maxWaitInMs === Infinity) return;
    const timer = setTimeout(() => end(() => resolve(false)), maxWaitInMs);
    undo.push(() => clearTimeout(timer));
  });
}

function toReceivedEvent(event: StoredEvent): ReceivedEvent {
  const { deviceId, moduleId, source, message, enqueuedTime, sequenceNumber, offset, partitionId } = event;
  const { messageId, correlationId, userId, contentType, contentEncoding, to, expiryTime, creationTime } = message;
  const given = {
    messageId,
    correlationId,
    userId,
    contentType,
    contentEncoding,
    to: to === "" ? undefined : to,
    absoluteExpiryTime: expiryTime === undefined ? undefined : new Date(expiryTime),
    creationTime: creationTime === undefined ? undefined : new Date(creationTime),
  };
  return receivedEvent({
    deviceId,
    moduleId,
    source,
    body: new Uint8Array(message.data),
    properties: propertiesOf(event),
    systemProperties: {
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      ...stampsOf(event),
    },
    enqueuedTimeUtc: new Date(enqueuedTime),
    sequenceNumber,
    offset: String(offset),
    partitionId,
  });
}
