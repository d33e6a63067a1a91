import { checkType, checkWhole, quote, wrongType, wrongValue } from "../values/checks.ts";
import { checkMembers } from "../values/members.ts";

/** A place in a partition. Reading begins with the first event after it. */
export type EventPosition =
  | {
    /** The `offset` of an event. */
    offset: string;
    sequenceNumber?: undefined;
    enqueuedTimeUtc?: undefined;
  }
  | {
    /** The `sequenceNumber` of an event. */
    sequenceNumber: number;
    offset?: undefined;
    enqueuedTimeUtc?: undefined;
  }
  | {
    /** A time. */
    enqueuedTimeUtc: Date;
    offset?: undefined;
    sequenceNumber?: undefined;
  };

/** Where to begin to read. */
export type EventStart = "latest" | "earliest" | Date | Record<string, EventPosition>;

/** An offset is opaque, and stands between apostrophes. */
const OFFSET = /^[\x20-\x26\x28-\x7e]{1,128}$/;

/**
 * Throws unless `from` says where to begin.
 *
 * @throws {TypeError} When it has the wrong type.
 * @throws {RangeError} When it has a value that is not legal.
 */
export function checkStart(from: unknown): asserts from is EventStart {
  if (from === "latest" || from === "earliest") return;
  if (from instanceof Date) return checkDate("from", from);
  if (typeof from !== "object" || from === null) {
    throw wrongType("from", '"latest", "earliest", a Date or an object with positions by partition ids', from);
  }
  for (const [partitionId, position] of Object.entries(from)) checkPosition(`from[${quote(partitionId)}]`, position);
}

function checkPosition(
  name: string,
  position: Partial<Record<"offset" | "sequenceNumber" | "enqueuedTimeUtc", unknown>>,
): void {
  checkMembers(name, position, ["offset", "sequenceNumber", "enqueuedTimeUtc"]);
  const { offset, sequenceNumber, enqueuedTimeUtc } = position;
  if ([offset, sequenceNumber, enqueuedTimeUtc].filter((part) => part !== undefined).length !== 1) {
    throw new TypeError(`Cannot use ${name}: it must have one of offset, sequenceNumber and enqueuedTimeUtc`);
  }
  if (offset !== undefined) {
    checkType(`${name}.offset`, offset, "string");
    if (!OFFSET.test(offset)) throw wrongValue(`${name}.offset`, "the offset of an event");
  } else if (sequenceNumber !== undefined) {
    // Before the first event there is a place as well.
    if (sequenceNumber !== -1) checkWhole(`${name}.sequenceNumber`, sequenceNumber as number, 0);
  } else checkDate(`${name}.enqueuedTimeUtc`, enqueuedTimeUtc);
}

function checkDate(name: string, date: unknown): void {
  if (!(date instanceof Date)) throw wrongType(name, "a Date", date);
  if (!(date.getTime() >= 0)) throw wrongValue(name, "a valid Date in 1970 or later");
}
