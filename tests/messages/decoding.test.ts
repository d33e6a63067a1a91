import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import rhea from "rhea";
import { copyToBuffer } from "../../lib/amqp/buffer_class.ts";
import { bytesOf } from "../../lib/amqp/message_bytes.ts";
import { decodeMessage } from "../../lib/amqp/message_decoder.ts";
import { ANY_CHARACTER, holds } from "../support/properties.ts";

const { types, message } = rhea;

/** A value as the AMQP library writes it, and what is to be read. */
interface Sample {
  readonly written: unknown;
  readonly read: unknown;
}

function samples<T>(values: fc.Arbitrary<T>, write: (value: T) => unknown = (value) => value): fc.Arbitrary<Sample> {
  return values.map((value) => ({ written: write(value), read: value }));
}

const TEXTS = fc.string({ unit: ANY_CHARACTER, maxLength: 300 });
const RUNS = 300;
const LONG = 2 ** 53 - 1;

const SCALARS: fc.Arbitrary<Sample> = fc.oneof(
  samples(TEXTS),
  samples(fc.boolean()),
  samples(fc.constant(null)),
  samples(fc.double({ noNaN: true }), types.wrap_double),
  samples(fc.integer({ min: -128, max: 127 }), types.wrap_byte),
  samples(fc.nat(255), types.wrap_ubyte),
  samples(fc.integer({ min: -32_768, max: 32_767 }), types.wrap_short),
  samples(fc.nat(65_535), types.wrap_ushort),
  samples(fc.integer(), types.wrap_int),
  samples(fc.nat(2 ** 32 - 1), types.wrap_uint),
  samples(fc.integer({ min: -LONG, max: LONG }), types.wrap_long),
  samples(fc.nat(LONG), types.wrap_ulong),
  samples(fc.date({ noInvalidDate: true, min: new Date(-1e13), max: new Date(1e13) })),
  samples(fc.uint8Array({ maxLength: 300 }), (bytes) => copyToBuffer(bytes)),
  // What consists of other values is passed over.
  samples(fc.array(TEXTS, { minLength: 1 })).map(({ written }) => ({ written, read: undefined })),
  samples(fc.dictionary(TEXTS, fc.nat())).map(({ written }) => ({ written, read: undefined })),
);
const NAMES = fc.oneof(fc.stringMatching(/^[ -~]{1,40}$/), fc.constant("__proto__"));
const MAPS = fc.uniqueArray(fc.tuple(NAMES, SCALARS), { selector: ([name]) => name, maxLength: 40 });

function mapOf(entries: readonly [string, Sample][], part: keyof Sample): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, sample]) => [name, sample[part]]));
}

/** Bytes compare by what they are, and not by their class. */
function plain(values: unknown): unknown {
  return Object.entries(values as object).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? [...value] : value,
  ]);
}

test("Every message is read as the library writes it", async () => {
  await holds(
    fc.property(
      MAPS,
      MAPS,
      fc.option(TEXTS),
      fc.uint8Array({ maxLength: 600 }),
      (annotations, properties, id, body) => {
        const written = {
          message_annotations: mapOf(annotations, "written"),
          application_properties: mapOf(properties, "written"),
          message_id: id ?? undefined,
          creation_time: 5,
          delivery_annotations: { passed: "over" },
          body: message.data_section(copyToBuffer(body) as unknown as Parameters<typeof message.data_section>[0]),
        };
        const bytes = message.encode(written as unknown as Parameters<typeof message.encode>[0]);
        const read = decodeMessage(copyToBuffer(bytes));
        assert.deepEqual(plain(read.message_annotations), plain(mapOf(annotations, "read")));
        assert.deepEqual(plain(read.application_properties), plain(mapOf(properties, "read")));
        assert.equal(read.message_id ?? null, id);
        assert.deepEqual(read.creation_time, new Date(5));
        assert.deepEqual([...bytesOf(read.body)], [...body]);
      },
    ),
    RUNS,
  );
});
