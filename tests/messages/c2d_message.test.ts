import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildC2dMessage, type C2dMessage, type C2dMessageProperties } from "../../lib/messages/c2d_message.ts";

/** Calls as plain JavaScript may: with anything. */
function build(message: unknown, properties?: unknown, deviceId: unknown = "d1"): C2dMessage {
  return buildC2dMessage(deviceId as string, message as string, properties as C2dMessageProperties);
}

function bodyText(message: C2dMessage): string {
  return new TextDecoder().decode(message.body);
}

const MINUTE_IN_MS = 60_000;
const DAY_IN_MS = 24 * 60 * MINUTE_IN_MS;

describe("The body", () => {
  test("is the UTF-8 of a string", () => {
    assert.deepEqual(build("Grüße").body, new TextEncoder().encode("Grüße"));
    assert.equal(build("").body.byteLength, 0);
  });

  test("is a copy of an array, which the caller may go on using", () => {
    const bytes = new TextEncoder().encode("before");
    const message = build(bytes);
    bytes.fill(0);
    assert.equal(bodyText(message), "before");
  });

  test("is only the part of a larger buffer that the array shows", () => {
    assert.equal(bodyText(build(new TextEncoder().encode("..shown..").subarray(2, 7))), "shown");
  });

  for (const body of [undefined, null, 1, true, {}, [1], new ArrayBuffer(1), new Uint16Array(1), Symbol("s")]) {
    test(`is refused when it is ${Object.prototype.toString.call(body)}`, () => {
      assert.throws(() => build(body), { name: "TypeError", message: /message: it must be a string or a Uint8Array/ });
    });
  }
});

describe("The address", () => {
  test("holds the device id, percent-encoded", () => {
    assert.equal(build("", {}, "plain-1").to, "/devices/plain-1/messages/devicebound");
    assert.equal(build("", {}, "a#b?c%d:e@f").to, "/devices/a%23b%3Fc%25d%3Ae%40f/messages/devicebound");
  });

  for (const id of ["", ".", "..", "a/b", "a b", "a\r\nb", "ä", "x".repeat(129)]) {
    test(`is refused for the device id ${JSON.stringify(id.slice(0, 12))}`, () => {
      assert.throws(() => build("", {}, id), { name: "RangeError", message: /deviceId/ });
    });
  }

  test("is refused for a device id that is no string", () => {
    assert.throws(() => build("", {}, 7), { name: "TypeError", message: /deviceId/ });
  });
});

describe("The message id", () => {
  test("is made up when left out, and never the same twice", () => {
    const [first, second] = [build("").messageId, build("", { messageId: undefined }).messageId];
    assert.match(first, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.notEqual(first, second);
  });

  test("may have every character of the hub's alphabet, and 128 of them", () => {
    for (const messageId of ["-:.+%_#*?!(),=@;$'", "aZ09", "x".repeat(128)]) {
      assert.equal(build("", { messageId }).messageId, messageId);
    }
  });

  for (const messageId of ["", "a b", "a/b", "ä", "a\n", "x".repeat(129)]) {
    test(`is refused as ${JSON.stringify(messageId.slice(0, 12))}`, () => {
      assert.throws(() => build("", { messageId }), { name: "RangeError", message: /messageId/ });
    });
  }
});

describe("System properties", () => {
  test("are taken over as they are", () => {
    const { correlationId, contentType, contentEncoding, userId } = build("", {
      correlationId: "c 1",
      contentType: "application/json; charset=utf-8",
      contentEncoding: "utf-8",
      userId: "me",
    });
    assert.deepEqual([correlationId, contentType, contentEncoding, userId], [
      "c 1",
      "application/json; charset=utf-8",
      "utf-8",
      "me",
    ]);
  });

  test("that are undefined are left out", () => {
    const { messageId: _, ...message } = build("", {
      messageId: undefined,
      correlationId: undefined,
      contentType: undefined,
      contentEncoding: undefined,
      userId: undefined,
      expiryTimeUtc: undefined,
      ack: undefined,
      level: undefined,
    });
    assert.deepEqual(message.applicationProperties, []);
    assert.deepEqual(Object.entries(message).filter(([, value]) => value !== undefined).map(([name]) => name), [
      "to",
      "target",
      "applicationProperties",
      "body",
    ]);
  });

  for (const name of ["messageId", "correlationId", "contentType", "contentEncoding", "userId", "ack"]) {
    for (const value of [null, 1, true, {}, ["a"], new Date()]) {
      test(`${name} is refused when it is ${Object.prototype.toString.call(value)}`, () => {
        assert.throws(() => build("", { [name]: value }), { name: "TypeError", message: new RegExp(name) });
      });
    }
  }

  for (const name of ["correlationId", "contentType", "contentEncoding", "userId"]) {
    for (const value of ["a\rb", "a\nb", "a\0b", "a\tb", "a\x7fb", "ä", "\u2028", "😀"]) {
      test(`${name} is refused with ${JSON.stringify(value)} in it`, () => {
        assert.throws(() => build("", { [name]: value }), { name: "RangeError", message: new RegExp(name) });
      });
    }
  }

  for (const value of [null, [], "text", 1, true]) {
    test(`are refused when they are ${JSON.stringify(value)} instead of an object`, () => {
      assert.throws(() => build("", value), { name: "TypeError", message: /properties/ });
    });
  }
});

describe("The expiry time", () => {
  test("may be a Date, an ISO 8601 text or milliseconds", () => {
    const time = Date.now() + MINUTE_IN_MS;
    assert.equal(build("", { expiryTimeUtc: new Date(time) }).absoluteExpiryTime, time);
    assert.equal(build("", { expiryTimeUtc: new Date(time).toISOString() }).absoluteExpiryTime, time);
    assert.equal(build("", { expiryTimeUtc: time + 0.5 }).absoluteExpiryTime, time);
  });

  test("is taken as UTC where the text names no zone", () => {
    const time = Math.ceil(Date.now() / 1000) * 1000 + MINUTE_IN_MS;
    const text = new Date(time).toISOString();
    assert.equal(build("", { expiryTimeUtc: text.replace(".000Z", "") }).absoluteExpiryTime, time);
    assert.equal(build("", { expiryTimeUtc: text.replace(".000Z", "+00:00") }).absoluteExpiryTime, time);
  });

  test("may be two days ahead and no more", () => {
    assert.ok(build("", { expiryTimeUtc: Date.now() + 2 * DAY_IN_MS }).absoluteExpiryTime);
    assert.throws(() => build("", { expiryTimeUtc: Date.now() + 2 * DAY_IN_MS + MINUTE_IN_MS }), {
      name: "RangeError",
      message: /two days/,
    });
  });

  test("is refused in seconds, and the message says why", () => {
    assert.throws(() => build("", { expiryTimeUtc: Math.floor(Date.now() / 1000) + 60 }), {
      name: "RangeError",
      message: /it must be in the future.*milliseconds since 1970, not seconds/,
    });
  });

  for (
    const value of [
      0,
      -1,
      NaN,
      Infinity,
      -Infinity,
      8.64e15 + 1,
      new Date(NaN),
      new Date(0),
      "",
      "soon",
      "1",
      "2020-01-01",
    ]
  ) {
    test(`is refused as ${String(value)}`, () => {
      assert.throws(() => build("", { expiryTimeUtc: value }), { name: "RangeError", message: /expiryTimeUtc/ });
    });
  }

  for (const value of [null, true, {}, [], 1n]) {
    test(`is refused when it is ${Object.prototype.toString.call(value)}`, () => {
      assert.throws(() => build("", { expiryTimeUtc: value }), { name: "TypeError", message: /expiryTimeUtc/ });
    });
  }
});

describe("The acknowledgement", () => {
  for (const ack of ["none", "positive", "negative", "full"]) {
    test(`${ack} becomes the application property iothub-ack`, () => {
      assert.deepEqual(build("", { ack }).applicationProperties, [["iothub-ack", ack]]);
      assert.deepEqual(build("", { "iothub-ack": ack }).applicationProperties, [["iothub-ack", ack]]);
    });
  }

  test("may be given under both names if they agree", () => {
    assert.deepEqual(build("", { ack: "full", "iothub-ack": "full" }).applicationProperties, [["iothub-ack", "full"]]);
    assert.throws(() => build("", { ack: "full", "iothub-ack": "none" }), { name: "RangeError", message: /ack/ });
  });

  for (const name of ["ack", "iothub-ack"]) {
    for (const value of ["", "Full", "both", "full "]) {
      test(`${name} is refused as ${JSON.stringify(value)}`, () => {
        assert.throws(() => build("", { [name]: value }), {
          name: "RangeError",
          message: /it must be "none" or "positive" or "negative" or "full"/,
        });
      });
    }
  }
});

describe("Application properties", () => {
  test("keep their order, their values and their types", () => {
    const given = { b: "text", a: 1, c: true, d: false, e: -0.5, f: "", 10: "ten" };
    assert.deepEqual(build("", given).applicationProperties, Object.entries(given));
  });

  test("may have names that mean something to JavaScript", () => {
    const given = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h"}');
    const message = build("", given);
    assert.deepEqual(message.applicationProperties, [
      ["__proto__", "p"],
      ["constructor", "c"],
      ["toString", "t"],
      ["hasOwnProperty", "h"],
    ]);
    assert.equal(({} as Record<string, unknown>)["p"], undefined);
  });

  test("that are inherited are none, system properties included", () => {
    const given = Object.create({ messageId: "inherited", ack: "full", level: "high" });
    const message = build("", given);
    assert.notEqual(message.messageId, "inherited");
    assert.deepEqual(message.applicationProperties, []);
  });

  for (const value of [null, {}, [], new Date(), 1n, Symbol("s"), () => {}]) {
    test(`are refused with a value that is ${Object.prototype.toString.call(value)}`, () => {
      assert.throws(() => build("", { level: value }), { name: "TypeError", message: /"level"/ });
    });
  }

  for (const value of ["a\r\nb", "\0", "ä", "😀", NaN, Infinity, -Infinity]) {
    test(`are refused with the value ${typeof value === "number" ? value : JSON.stringify(value)}`, () => {
      assert.throws(() => build("", { level: value }), { name: "RangeError", message: /"level"/ });
    });
  }

  for (const name of ["", "a\r\nb", "a\0", "ä", "😀"]) {
    test(`are refused with the name ${JSON.stringify(name)}`, () => {
      assert.throws(() => build("", { [name]: "value" }), { name: "RangeError", message: /property name/ });
    });
  }
});

describe("The size", () => {
  const LIMIT = 65_536;
  const messageId = "12345678";

  test("may be 64 KB of body and message id", () => {
    assert.equal(build(new Uint8Array(LIMIT - 8), { messageId }).body.byteLength, LIMIT - 8);
    assert.throws(() => build(new Uint8Array(LIMIT - 7), { messageId }), {
      name: "RangeError",
      message: /65537 bytes/,
    });
  });

  test("counts bytes and not characters", () => {
    assert.throws(() => build("ä".repeat(LIMIT / 2), { messageId }), { name: "RangeError", message: /65544 bytes/ });
  });

  test("counts names and values of the properties", () => {
    const properties = {
      messageId, // 8
      correlationId: "c".repeat(10),
      contentType: "t".repeat(10),
      contentEncoding: "e".repeat(10),
      userId: "u".repeat(10),
      expiryTimeUtc: Date.now() + MINUTE_IN_MS, // 8
      name: "value", // 9
      n: 1234, // 5
      yes: true, // 7
      ack: "full", // with iothub-ack: 14
    };
    const rest = 8 + 40 + 8 + 9 + 5 + 7 + 14;
    assert.ok(build(new Uint8Array(LIMIT - rest), properties));
    assert.throws(() => build(new Uint8Array(LIMIT - rest + 1), properties), {
      name: "RangeError",
      message: /65537 bytes/,
    });
  });
});
