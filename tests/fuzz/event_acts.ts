import fc from "fast-check";
import { array, type Bytes, described, list, map, NULL, symbol, text, uint } from "../support/amqp_bytes.ts";
import { EVENT_HUB } from "./hub_facts.ts";

/** What a client wants of the events of a hub. */
export type EventAct =
  | { readonly act: "ask for the event hub"; readonly address: string }
  | { readonly act: "manage"; readonly requests: readonly Readonly<Record<string, string>>[] }
  | {
    readonly act: "read";
    readonly address: string;
    readonly filter: Bytes;
    /** Fields of the attach. */
    readonly fields: Readonly<Record<number, Bytes>>;
    readonly credit: number;
  };

const FILTER = "apache.org:selector-filter:string";
const FILTER_CODE = 0x468c00000004;

const REDIRECT_ADDRESSES: readonly string[] = [
  "/messages/events/$management",
  "amqps://hub.example:5671/Messages/Events/$Management",
  "messages/events",
  "/messages/events/",
  "/messages/events/ConsumerGroups/$Default/Partitions/0",
  `messages/events/${"x".repeat(5_000)}`,
  "messages/events/\r\n%00/../$cbs",
];

const NAMES = fc.constantFrom(EVENT_HUB, EVENT_HUB, EVENT_HUB.toUpperCase(), "other", "__proto__", "");

const REQUESTS: fc.Arbitrary<Readonly<Record<string, string>>> = fc.record({
  operation: fc.constantFrom("READ", "READ", "READ", "read", "DELETE"),
  type: fc.constantFrom("com.microsoft:eventhub", "com.microsoft:partition", "com.microsoft:partition", "toString"),
  name: NAMES,
  partition: fc.constantFrom("0", "0", "1", "-1", "__proto__", "x".repeat(300)),
  security_token: fc.constantFrom("SharedAccessSignature sr=x", "x".repeat(9_000)),
}, { requiredKeys: ["operation"] });

const NUMBERS = fc.oneof(
  fc.integer({ min: -2, max: 600 }).map(String),
  fc.constantFrom("9".repeat(19), "9".repeat(20), "-", "1e3", "0x10", "@latest", "", "'"),
);

const EXPRESSIONS = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(
      fc.constantFrom("offset", "sequence-number", "enqueued-time", "enqueuedtimeutc", "publisher"),
      fc.constantFrom(" > ", " >= ", ">", " = "),
      NUMBERS,
      fc.constantFrom("'", "'", ""),
    ).map(([name, operator, value, quote]) => `amqp.annotation.x-opt-${name}${operator}${quote}${value}${quote}`),
  },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.constantFrom("x".repeat(300), " ".repeat(60_000))) },
);

const FILTERS: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(NULL, map([])) },
  { weight: 6, arbitrary: EXPRESSIONS.map((text_) => map([symbol(FILTER), described(FILTER_CODE, text(text_))])) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(uint(7), NULL, list([text("x")]), map([])).map((value) =>
      map([symbol(FILTER), described(FILTER_CODE, value)])
    ),
  },
  { weight: 1, arbitrary: fc.constant(map([symbol("jms-selector"), described(FILTER_CODE, text("1 = 1"))])) },
);

const EPOCHS = fc.constantFrom<Bytes>(
  [0x55, 0],
  [0x55, 1],
  [0x55, 0xff],
  [0x81, 0x7f, ...new Array(7).fill(0xff)],
  text("1"),
);
const METRIC = symbol("com.microsoft:enable-receiver-runtime-metric");

const FIELDS = fc.record({
  3: fc.constantFrom<Bytes>([0x50, 0], [0x50, 1], [0x50, 2]),
  12: fc.constantFrom(METRIC, array([0xa3], [METRIC.slice(1), METRIC.slice(1)])),
  13: EPOCHS.map((epoch) => map([symbol("com.microsoft:epoch"), epoch])),
}, { requiredKeys: [] }) as fc.Arbitrary<Record<number, Bytes>>;

/** What clients of Event Hubs do, and what nobody does who knows what is there. */
export const EVENT_ACTS: fc.Arbitrary<EventAct> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant("ask for the event hub" as const),
      address: fc.constantFrom(...REDIRECT_ADDRESSES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant("manage" as const),
      requests: fc.array(REQUESTS, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("read" as const),
      address: fc.tuple(
        NAMES,
        fc.constantFrom("$Default", "$default", "g", "%24Default"),
        fc.constantFrom("0", "0", "0", "9"),
      ).map(
        ([name, group, partition]) => `${name}/ConsumerGroups/${group}/Partitions/${partition}`,
      ),
      filter: FILTERS,
      fields: FIELDS,
      credit: fc.constantFrom(1, 10, 500),
    }),
  },
);
