import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import rhea from "rhea";
import { AmqpWriter } from "../../lib/amqp_wire/amqp_writer.ts";
import { copyToBuffer } from "../../lib/amqp/buffer_class.ts";
import { encodeMessage } from "../../lib/amqp/message_encoder.ts";
import { buildC2dMessage, type C2dMessageProperties } from "../../lib/messages/c2d_message.ts";

interface TypedValue {
  type: { name: string };
  value: unknown;
  descriptor?: { value: number };
}

/** Every section of an encoded message with its types, read by the AMQP library. */
function readSections(bytes: Uint8Array): Map<number, TypedValue> {
  // The reader is part of the library but not of its declarations.
  const { Reader } = rhea.types as unknown as {
    Reader: new (buffer: Uint8Array) => { remaining(): number; read(): TypedValue };
  };
  const reader = new Reader(copyToBuffer(bytes));
  const sections = new Map<number, TypedValue>();
  while (reader.remaining() > 0) {
    const section = reader.read();
    sections.set(section.descriptor!.value, section);
  }
  return sections;
}

function encode(body: string | Uint8Array, properties: C2dMessageProperties): Map<number, TypedValue> {
  return readSections(encodeMessage(buildC2dMessage("a#1", body, properties)));
}

function describeValues(section: TypedValue | undefined): [string, unknown][] {
  return (section?.value as TypedValue[]).map(({ type, value }) => [
    type.name,
    value instanceof Uint8Array ? new TextDecoder().decode(value) : value instanceof Date ? value.getTime() : value,
  ]);
}

describe("An encoded message", () => {
  test("has the fields of the properties section in the standard's order and types", () => {
    const expiryTimeUtc = Date.now() + 60_000;
    const sections = encode("hello", {
      messageId: "m-1",
      correlationId: "c-1",
      contentType: "application/json",
      contentEncoding: "utf-8",
      userId: "me",
      expiryTimeUtc,
    });
    assert.deepEqual([...sections.keys()], [0x73, 0x75]);
    assert.deepEqual(describeValues(sections.get(0x73)), [
      ["Str8", "m-1"],
      ["Vbin8", "me"],
      ["Str8", "/devices/a%231/messages/devicebound"],
      ["Null", null],
      ["Null", null],
      ["Str8", "c-1"],
      ["Sym8", "application/json"],
      ["Sym8", "utf-8"],
      ["Timestamp", expiryTimeUtc],
    ]);
  });

  test("has nulls where a property was left out", () => {
    const properties = describeValues(encode("", { messageId: "m-1" }).get(0x73));
    assert.deepEqual(properties.map(([type]) => type), ["Str8", "Null", "Str8", ...new Array(6).fill("Null")]);
  });

  test("has application properties of the type of their value", () => {
    const sections = encode("", {
      text: "t",
      yes: true,
      no: false,
      zero: 0,
      small: -1,
      int: 2 ** 31 - 1,
      long: 2 ** 31,
      negative: -(2 ** 40),
      safe: Number.MAX_SAFE_INTEGER,
      half: 0.5,
      huge: 1e300,
      ack: "full",
    });
    const values = describeValues(sections.get(0x74));
    const pairs = values.flatMap(([type, value], index) =>
      index % 2 === 0 ? [] : [[values[index - 1]![1], type, value]]
    );
    assert.deepEqual(pairs, [
      ["text", "Str8", "t"],
      ["yes", "True", true],
      ["no", "False", false],
      ["zero", "Int", 0],
      ["small", "Int", -1],
      ["int", "Int", 2 ** 31 - 1],
      ["long", "Long", 2 ** 31],
      ["negative", "Long", -(2 ** 40)],
      ["safe", "Long", Number.MAX_SAFE_INTEGER],
      ["half", "Double", 0.5],
      ["huge", "Double", 1e300],
      ["iothub-ack", "Str8", "full"],
    ]);
  });

  for (const size of [0, 1, 255, 256, 1024, 65_000]) {
    test(`has one data section, with a body of ${size} bytes unchanged`, () => {
      const body = crypto.getRandomValues(new Uint8Array(size));
      const data = encode(body, { messageId: "m" }).get(0x75);
      assert.equal(data!.type.name, size > 255 ? "Vbin32" : "Vbin8");
      assert.deepEqual(new Uint8Array(data!.value as Uint8Array), body);
    });
  }

  test("holds texts of more than 255 characters", () => {
    const long = "x".repeat(300);
    const message = rhea.message.decode(Buffer.from(encodeMessage(buildC2dMessage("d", "", {
      correlationId: long,
      contentType: long,
      userId: long,
      [long]: long,
    }))));
    assert.equal(message["correlation_id"], long);
    assert.equal(message["content_type"], long);
    assert.equal(message["user_id"].toString(), long);
    assert.deepEqual(message["application_properties"], { [long]: long });
  });

  test("is the same after a larger one went through the same writer", () => {
    const message = buildC2dMessage("d", "body", { messageId: "m", name: "value" });
    const before = copyToBuffer(encodeMessage(message));
    encodeMessage(buildC2dMessage("d", new Uint8Array(60_000).fill(1)));
    assert.deepEqual(copyToBuffer(encodeMessage(message)), before);
  });
});

test("The writer writes each number so that it reads back as itself", () => {
  for (
    const number of [
      0,
      -0,
      1,
      -1,
      127,
      -128,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 52,
      1e21,
      5e-324,
      0.1,
    ]
  ) {
    const writer = new AmqpWriter();
    writer.section(0x77);
    writer.number(number);
    assert.ok(Object.is(readSections(writer.take()).get(0x77)!.value, number), `${number}`);
  }
});
