import fc from "fast-check";
import {
  array,
  binary,
  type Bytes,
  described,
  FALSE,
  list,
  map,
  NULL,
  symbol,
  text,
  timestamp,
  TRUE,
  uint,
  ulong,
  ushort,
} from "../support/amqp_bytes.ts";

/** Numbers at the edges of what a field can hold, and others. */
export const EDGES: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 2, 7, 8, 63, 64, 255, 256, 511, 512, 1023, 2047, 2048, 65_535, 65_536),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1),
  fc.nat(0xffff_ffff),
);

const TEXTS = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom("", "__proto__", "constructor", "toString", "$cbs", "*", "amqp:accepted:list", "\0", "%2e%2e/%00"),
  fc.tuple(fc.constantFrom("a", "é", "/", "%", "\0"), fc.constantFrom(255, 256, 5_000, 60_000)).map(([unit, count]) =>
    unit.repeat(count)
  ),
);

/** Values of every type without parts. */
const SCALARS: fc.Arbitrary<Bytes> = fc.oneof(
  fc.constantFrom(NULL, TRUE, FALSE, [0x43], [0x44], [0x45], [0x56, 1], [0x56, 2]),
  EDGES.map(uint),
  EDGES.map(ulong),
  EDGES.map((value) => ushort(value & 0xffff)),
  fc.tuple(EDGES, EDGES).map(([high, low]) => timestamp(high, low)),
  // ubyte, byte, smallint, smalllong, short, int, float, char, decimal32, long, double, decimal64, decimal128, uuid
  fc.tuple(
    fc.constantFrom(0x50, 0x51, 0x54, 0x55, 0x61, 0x71, 0x72, 0x73, 0x74, 0x81, 0x82, 0x84, 0x94, 0x98),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ).map(([code, bytes]) => [code, ...bytes.slice(0, 2 ** ((code >>> 4) - 5))]),
  TEXTS.map(text),
  TEXTS.map(symbol),
  fc.uint8Array({ maxLength: 40 }).map(binary),
  // Texts that are no UTF-8.
  fc.uint8Array({ maxLength: 10, min: 0x80 }).map((bytes) => [0xa1, bytes.length, ...bytes]),
);

const { value } = fc.letrec<{ value: Bytes }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: SCALARS },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 4 }).map((items) => list(items)) },
    {
      weight: 1,
      arbitrary: fc.array(fc.tuple(SCALARS, tie("value")), { maxLength: 3 }).map((pairs) => map(pairs.flat())),
    },
    { weight: 1, arbitrary: fc.tuple(EDGES, tie("value")).map(([code, value]) => described(code, value)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(0x40, 0x41, 0x43, 0x44, 0x45), EDGES).map(([code, count]) =>
        array([code], [], { count })
      ),
    },
    {
      weight: 1,
      arbitrary: fc.array(fc.nat().map((value) => uint(value + 256).slice(1)), { maxLength: 5 }).map((all) =>
        array([0x70], all)
      ),
    },
  ),
}));

/** Values of every type, right in themselves, where mostly another one is expected. */
export const VALUES: fc.Arbitrary<Bytes> = value;
