import fc from "fast-check";
import {
  array,
  binary,
  type Bytes,
  data,
  described,
  error,
  list,
  map,
  NULL,
  symbol,
  text,
  timestamp,
  uint,
  word,
} from "../support/amqp_bytes.ts";
import { VALUES } from "./amqp_values.ts";

/** What a client is told on its way to the events of a hub. */
export interface EventHubManner {
  /** The mechanisms of SASL that are offered. */
  readonly mechanisms: Bytes;
  /** The code of the outcome of SASL. */
  readonly saslCode: number;
  /** The error that says where the event hub is. */
  readonly redirect: Bytes;
  /** The status of answers to what the event hub is asked. */
  readonly status: number;
  /** What it says of itself. */
  readonly eventHub: Bytes;
  /** What it says of a partition. */
  readonly partition: Bytes;
  /** The format that its messages are said to have. */
  readonly format: Bytes;
  /** The events of each partition, as messages. */
  readonly events: readonly Bytes[];
}

const MECHANISMS = array([0xa3], [symbol("PLAIN").slice(1), symbol("ANONYMOUS").slice(1)]);
const PARTITION_IDS = array([0xa1], [text("0").slice(1), text("1").slice(1)]);
const UNKNOWN_HOST = "elsewhere.example";

function long(value: number): Bytes {
  return [0x81, ...word(0), ...word(value)];
}

function redirectTo(hostname: Bytes, address: Bytes): Bytes {
  const info = map([symbol("hostname"), hostname, symbol("address"), address]);
  return described(0x1d, list([symbol("amqp:link:redirect"), text("It is elsewhere."), info]));
}

function partitionWith(last: Bytes): Bytes {
  return map([text("partition"), text("0"), text("last_enqueued_sequence_number"), last]);
}

function eventWith(annotations: readonly Bytes[], rest: Bytes): Bytes {
  return [...described(0x72, map(annotations)), ...rest];
}

function eventAt(sequenceNumber: Bytes, rest: Bytes = data([0x31])): Bytes {
  return eventWith([
    symbol("iothub-connection-device-id"),
    text("d"),
    symbol("x-opt-sequence-number"),
    sequenceNumber,
    symbol("x-opt-offset"),
    text("0"),
    symbol("x-opt-enqueued-time"),
    timestamp(0x190, 0),
  ], rest);
}

/** What a good event hub says. */
export const GOOD_EVENT_HUB: EventHubManner = {
  mechanisms: MECHANISMS,
  saslCode: 0,
  redirect: redirectTo(text(UNKNOWN_HOST), text(`amqps://${UNKNOWN_HOST}:5671/hub/$management`)),
  status: 200,
  eventHub: map([text("name"), text("hub"), text("partition_ids"), PARTITION_IDS]),
  partition: partitionWith(long(7)),
  format: uint(0),
  events: [eventAt(long(8)), eventAt(long(9))],
};

/** Mostly what a good event hub says. */
function mostly(good: Bytes, bad: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: bad });
}

const REDIRECTS = fc.oneof(
  fc.tuple(VALUES, VALUES).map(([hostname, address]) => redirectTo(hostname, address)),
  fc.constantFrom("", "a:99999", "a/b", "user:password@a", "[::1]", "x".repeat(300), "a\r\nb").map((host) =>
    redirectTo(text(host), text(`amqps://${host}:5671/hub/$management`))
  ),
  fc.constantFrom(
    "hub",
    "amqps://a",
    "amqps://a/",
    "https://a/hub",
    "amqps://a/../../$cbs",
    `amqps://a/${"h".repeat(300)}`,
  )
    .map((address) => redirectTo(text(UNKNOWN_HOST), text(address))),
  fc.constantFrom("amqp:unauthorized-access", "amqp:not-found", "amqp:internal-error").map((name) =>
    error(symbol(name))
  ),
  fc.constant(NULL),
);

const EVENT_HUBS = fc.oneof(
  VALUES,
  VALUES.map((ids) => map([text("partition_ids"), ids])),
  fc.constantFrom(
    array([0xa1], []),
    array([0xa1], new Array(200).fill(text("0").slice(1))),
    array([0xa1], Array.from({ length: 200 }, (_, index) => text(String(index)).slice(1))),
    list([text("../$cbs"), text(""), NULL]),
  ).map((ids) => map([text("partition_ids"), ids])),
);

const SEQUENCE_NUMBERS = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 }).map(long) },
  { weight: 1, arbitrary: fc.constantFrom<Bytes>([0x55, 0xff], [0x81, 0x7f, ...new Array(7).fill(0xff)]) },
  { weight: 1, arbitrary: VALUES },
);

const SECTIONS = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }).map(data) },
  { weight: 1, arbitrary: VALUES.map((value) => described(0x77, value)) },
  { weight: 1, arbitrary: fc.array(VALUES, { maxLength: 3 }).map((values) => described(0x76, list(values))) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("__proto__", "constructor", "", "a"), VALUES).map(([name, value]) => [
      ...described(0x74, map([text(name), value])),
      ...data([0x32]),
    ]),
  },
  { weight: 1, arbitrary: fc.constantFrom([], [...data([1]), ...data([2])], data(new Array(60_000).fill(0x20))) },
  { weight: 1, arbitrary: fc.array(VALUES, { maxLength: 13 }).map((values) => described(0x73, list(values))) },
);

const EVENTS: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(SEQUENCE_NUMBERS, SECTIONS).map(([number, rest]) => eventAt(number, rest)) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.tuple(
        fc.constantFrom(
          "x-opt-sequence-number",
          "x-opt-offset",
          "x-opt-enqueued-time",
          "iothub-connection-device-id",
          "__proto__",
        ).map(symbol),
        fc.oneof(
          VALUES,
          fc.constantFrom(long(5), text("5"), timestamp(0x190, 0), timestamp(0x7fff_ffff, 0), binary([5])),
        ),
      ),
      { maxLength: 5 },
    ).map((pairs) => eventWith(pairs.flat(), data([0x33]))),
  },
);

/** Formats of what is no message. */
export const FORMATS: fc.Arbitrary<Bytes> = fc.constantFrom(NULL, uint(1), uint(2), uint(0x8001_3700));

/** What event hubs say, and what no event hub says. */
export const EVENT_HUB_MANNERS: fc.Arbitrary<EventHubManner> = fc.record({
  mechanisms: mostly(
    MECHANISMS,
    fc.oneof(VALUES, fc.constantFrom(symbol("PLAIN"), symbol("EXTERNAL"), array([0xa3], []), NULL)),
  ),
  saslCode: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, {
    weight: 1,
    arbitrary: fc.constantFrom(1, 2, 3, 4, 255),
  }),
  redirect: mostly(GOOD_EVENT_HUB.redirect, REDIRECTS),
  status: fc.oneof({ weight: 9, arbitrary: fc.constant(200) }, {
    weight: 1,
    arbitrary: fc.constantFrom(202, 401, 404, 500, 0),
  }),
  eventHub: mostly(GOOD_EVENT_HUB.eventHub, EVENT_HUBS),
  partition: mostly(GOOD_EVENT_HUB.partition, fc.oneof(VALUES, SEQUENCE_NUMBERS.map(partitionWith))),
  format: mostly(GOOD_EVENT_HUB.format, FORMATS),
  events: fc.array(EVENTS, { maxLength: 6 }),
});
