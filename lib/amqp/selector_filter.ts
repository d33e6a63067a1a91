import type { EventPosition } from "../messages/event_position.ts";
import { library } from "./library.ts";

const FILTER = "apache.org:selector-filter:string";
/** The code that stands for a filter of this kind. */
const DESCRIPTOR = 0x468c00000004;

/** The filter of a link that reads the events after a place; all that there are without one. */
export function selectAfter(after: EventPosition | undefined): object {
  return { [FILTER]: library.types.wrap_described(expressionOf(after), DESCRIPTOR) };
}

function expressionOf(after: EventPosition | undefined): string {
  const { offset, sequenceNumber, enqueuedTimeUtc } = after ?? { offset: "-1" };
  if (sequenceNumber !== undefined) return `amqp.annotation.x-opt-sequence-number > '${sequenceNumber}'`;
  if (enqueuedTimeUtc !== undefined) return `amqp.annotation.x-opt-enqueued-time > '${enqueuedTimeUtc.getTime()}'`;
  return `amqp.annotation.x-opt-offset > '${offset}'`;
}
