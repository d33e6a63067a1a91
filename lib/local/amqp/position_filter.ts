import { quote } from "../../values/checks.ts";
import type { EventPosition } from "../events/event_log.ts";
import { HubFault } from "../hub_fault.ts";

const FILTER_NAME = "apache.org:selector-filter:string";
const EXPRESSION = /^amqp\.annotation\.(x-opt-[a-z-]+)\s*(>=?)\s*(?:'([^']*)'|(\S*))$/;
const MAX_EXPRESSION_LENGTH = 256;

/** What an expression can be about. The fourth name is that of the CLI of Azure. */
const KINDS: ReadonlyMap<string, "offset" | "sequenceNumber" | "enqueuedTime"> = new Map([
  ["x-opt-offset", "offset"],
  ["x-opt-sequence-number", "sequenceNumber"],
  ["x-opt-enqueued-time", "enqueuedTime"],
  ["x-opt-enqueuedtimeutc", "enqueuedTime"],
]);

/**
 * Reads from the filter of a link where its client wants to begin: with the oldest event where there is no filter.
 *
 * @throws {HubFault} `InvalidEventFilter` (403) or `InvalidEventPosition` (400) when it cannot be used.
 */
export function readPosition(filter: unknown): EventPosition {
  if (filter === undefined || filter === null) return { kind: "earliest" };
  const { [FILTER_NAME]: given } = filter as Record<string, unknown>;
  if (given === undefined) throw wrongFilter("no filter", FILTER_NAME);
  const expression = typeof given === "object" && given !== null ? (given as { value?: unknown }).value : given;
  if (typeof expression !== "string" || expression.length > MAX_EXPRESSION_LENGTH) {
    throw wrongFilter("a filter that is no expression", "amqp.annotation.x-opt-offset > '…'");
  }
  const [, name = "", operator, quoted, bare] = EXPRESSION.exec(expression.trim()) ?? [];
  const kind = KINDS.get(name);
  if (kind === undefined) throw wrongFilter(quote(expression), [...KINDS.keys()].join(", "));
  return toPosition(kind, quoted ?? bare ?? "", operator === ">=");
}

function toPosition(
  kind: "offset" | "sequenceNumber" | "enqueuedTime",
  text: string,
  isInclusive: boolean,
): EventPosition {
  if (kind !== "enqueuedTime" && text === "@latest") return { kind: "latest" };
  const value = /^-?\d{1,19}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) {
    throw new HubFault("InvalidEventPosition", 400, `The supplied ${kind} ${quote(text)} is invalid`);
  }
  return { kind, value, isInclusive };
}

function wrongFilter(got: string, expected: string): HubFault {
  return new HubFault("InvalidEventFilter", 403, `The link contains invalid filter type: ${got}; expected ${expected}`);
}
