import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { type ConnectionString, deviceConnectionString, type DeviceRequest, parseConnectionString } from "../../mod.ts";
import { IoTHubRegistryManager } from "../../lib/http.ts";
import { ANY_TEXT, holds, type Outcome } from "../support/properties.ts";

const alphanumeric = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
const policyName = fc.string({ unit: fc.oneof(alphanumeric, fc.constantFrom(..."_-@.")), minLength: 1, maxLength: 30 });
const deviceId = fc.string({
  unit: fc.oneof(alphanumeric, fc.constantFrom(..."-:.+%_#*?!(),=@$'")),
  minLength: 1,
  maxLength: 40,
}).filter((id) => id !== "." && id !== "..");
const hostName = fc.tuple(
  fc.string({ unit: alphanumeric, minLength: 1, maxLength: 20 }),
  fc.constantFrom("net", "cn", "net:443", "cn:8443"),
)
  .map(([name, domain]) => `h${name}.azure-devices.${domain}`);
/** Of a length that no other part contains by chance. */
const key = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => btoa(String.fromCharCode(...bytes)))
  .filter((text) => new Set(text).size > 8);

type Part = readonly [name: string, value: string];

const hubParts: fc.Arbitrary<Part[]> = fc.tuple(hostName, policyName, key).map(([host, policy, secret]) => [
  ["HostName", host],
  ["SharedAccessKeyName", policy],
  ["SharedAccessKey", secret],
]);
const deviceParts: fc.Arbitrary<Part[]> = fc.tuple(hostName, deviceId, key, fc.option(deviceId), fc.option(hostName))
  .map(([host, device, secret, module, gateway]) => [
    ["HostName", host],
    ["DeviceId", device],
    ["SharedAccessKey", secret],
    ...(module === null ? [] : [["ModuleId", module] as const]),
    ...(gateway === null ? [] : [["GatewayHostName", gateway] as const]),
  ]);
const parts = fc.oneof(hubParts, deviceParts);

/** The parts in some order, their names in some case. */
const spelled = parts.chain((given) =>
  fc.tuple(
    fc.constant(given),
    fc.shuffledSubarray(given, { minLength: given.length }),
    fc.infiniteStream(fc.boolean()),
    fc.constantFrom("", ";"),
    fc.constantFrom("", " ", "\n", "\r\n"),
  )
).map(([given, shuffled, upper, end, space]) => ({
  given,
  text: space + shuffled.map(([name, value]) => {
    const cased = [...name].map((char) => upper.next().value ? char.toUpperCase() : char.toLowerCase()).join("");
    return `${cased}=${value}`;
  }).join(";") + end + space,
}));

function partsOf(parsed: ConnectionString): Part[] {
  return Object.entries(parsed).map(([name, value]) => [name[0]!.toUpperCase() + name.slice(1), value] as const);
}

function tryParse(text: string): Outcome {
  try {
    return { value: parseConnectionString(text) };
  } catch (error) {
    return { error };
  }
}

function assertNothingOf(secret: string, shown: string, where: string): void {
  for (let start = 0; start + 8 <= secret.length; start++) {
    const piece = secret.slice(start, start + 8);
    assert.ok(!shown.includes(piece), `${where} shows ${piece} of the key`);
  }
}

function assertQuiet(error: unknown, secret: string): void {
  assert.ok(error instanceof TypeError || error instanceof RangeError, inspect(error));
  for (const shown of [error.message, String(error.stack), inspect(error, { depth: 9, showHidden: true })]) {
    assertNothingOf(secret, shown, "the error");
  }
}

/** What happens to texts on their way through mails and shells. */
const mutation: fc.Arbitrary<(pieces: string[]) => string> = fc.oneof(
  fc.nat().map((at) => (pieces: string[]) => pieces.toSpliced(at % pieces.length, 1).join(";")),
  fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => (pieces: string[]) =>
    pieces.toSpliced(to % pieces.length, 0, pieces[from % pieces.length]!).join(";")
  ),
  fc.tuple(fc.nat(), fc.nat()).map(([one, other]) => (pieces: string[]) => swapValues(pieces, one, other)),
  fc.nat().map((length) => (pieces: string[]) => pieces.join(";").slice(0, length % pieces.join(";").length)),
  fc.nat().map((from) => (pieces: string[]) => pieces.join(";").slice(from % pieces.join(";").length)),
  fc.tuple(fc.nat(), ANY_TEXT).map(([at, added]) => (pieces: string[]) => insert(pieces.join(";"), at, added)),
  fc.constantFrom(",", " ", "&", "\n", ";;").map((separator) => (pieces: string[]) => pieces.join(separator)),
  fc.constantFrom(":", " ", "", " = ", "==").map((equals) => (pieces: string[]) =>
    pieces.map((piece) => piece.replace("=", equals)).join(";")
  ),
  fc.constant((pieces: string[]) => encodeURIComponent(pieces.join(";").toWellFormed())),
  fc.constant((pieces: string[]) => JSON.stringify(pieces.join(";"))),
);

function swapValues(pieces: string[], one: number, other: number): string {
  const names = pieces.map((piece) => piece.slice(0, piece.indexOf("=") + 1));
  const values = pieces.map((piece) => piece.slice(piece.indexOf("=") + 1));
  const [first, second] = [one % pieces.length, other % pieces.length];
  [values[first], values[second]] = [values[second]!, values[first]!];
  return names.map((name, index) => name + values[index]).join(";");
}

function insert(text: string, at: number, added: string): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + added + text.slice(place);
}

describe("a connection string", () => {
  test("gives its parts back, in whatever order and case it names them", async () => {
    const property = fc.property(spelled, ({ given, text }) => {
      const parsed = parseConnectionString(text);
      assert.deepEqual(new Map(partsOf(parsed)), new Map(given));
      const secret = new Map(given).get("SharedAccessKey")!;
      assertNothingOf(secret, inspect(parsed, { showHidden: true }) + JSON.stringify(parsed), "the object");
    });
    await holds(property, 250);
  });

  test("that was mangled is refused without a word of its key, or says what it says", async () => {
    const property = fc.property(parts, fc.array(mutation, { minLength: 1, maxLength: 3 }), (given, mutations) => {
      const secret = new Map(given).get("SharedAccessKey")!;
      let text = given.map((part) => part.join("=")).join(";");
      for (const mutate of mutations) text = mutate(text === "" ? [""] : text.split(";"));
      const outcome = tryParse(text);
      if ("error" in outcome) return assertQuiet(outcome.error, secret);
      // Taken: then each part stands in the text as it was read, and nothing else does.
      const read = partsOf(outcome.value as ConnectionString).map(([name, value]) => `${name.toLowerCase()}=${value}`);
      const said = text.trim().replace(/;$/, "").split(";").map((piece) => {
        const equals = piece.indexOf("=");
        return `${piece.slice(0, equals).trim().toLowerCase()}${piece.slice(equals)}`;
      });
      assert.deepEqual(read.sort(), said.sort());
    });
    await holds(property, 500);
  });

  test("of any text makes a manager or is refused", async () => {
    const property = fc.property(ANY_TEXT, (text) => {
      const outcome = tryParse(text);
      if ("error" in outcome) {
        assert.throws(() => IoTHubRegistryManager.fromConnectionString(text), /^(Type|Range)Error/);
      }
    });
    await holds(property, 125);
  });

  const anyId = fc.oneof(
    { weight: 3, arbitrary: deviceId },
    { weight: 1, arbitrary: ANY_TEXT },
    { weight: 1, arbitrary: fc.tuple(deviceId, deviceId).map(([one, other]) => `${one};ModuleId=${other}`) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(..."a;=x509"), maxLength: 12 }) },
  );

  test("of a device is read back as it was written, or is not written at all", async () => {
    const property = fc.property(hostName, anyId, fc.option(key), (host, id, secret) => {
      const authentication: DeviceRequest["authentication"] = secret === null
        ? { type: "selfSigned" }
        : { type: "sas", symmetricKey: { primaryKey: secret } };
      let text: string;
      try {
        text = deviceConnectionString(host, { deviceId: id, authentication });
      } catch (error) {
        assertQuiet(error, secret ?? "no key at all here");
        return;
      }
      const proof = secret === null ? { x509: true } : { sharedAccessKey: secret };
      assert.deepEqual({ ...parseConnectionString(text) }, { hostName: host, deviceId: id, ...proof });
    });
    await holds(property, 175);
  });

  test("of a device with any text for a key is read back as it was written, or is not written at all", async () => {
    const property = fc.property(hostName, deviceId, ANY_TEXT, (host, id, primaryKey) => {
      let text: string;
      try {
        text = deviceConnectionString(host, { deviceId: id, authentication: { symmetricKey: { primaryKey } } });
      } catch (error) {
        assert.ok(error instanceof TypeError || error instanceof RangeError);
        return;
      }
      const expected = { hostName: host, deviceId: id, sharedAccessKey: primaryKey };
      assert.deepEqual({ ...parseConnectionString(text) }, expected);
    });
    await holds(property, 75);
  });
});
