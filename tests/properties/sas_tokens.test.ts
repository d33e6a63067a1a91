import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { createSasToken, type SasTokenInput } from "../../mod.ts";
import { ANY_CHARACTER, ANY_TEXT, holds, outcomeOf } from "../support/properties.ts";

const key = fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const keyName = fc.option(fc.stringMatching(/^[A-Za-z0-9_\-@.]{1,20}$/), { nil: undefined });
const expiresOn = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z") });
const ttlInSeconds = fc.oneof(
  fc.integer({ min: 1, max: 1e9 }),
  fc.double({ min: 1e-9, max: 1e9, noNaN: true, minExcluded: true }),
);
const resourceUri = fc.oneof(
  fc.webUrl({ withQueryParameters: true }),
  fc.string({ minLength: 1 }),
  fc.string({ unit: ANY_CHARACTER, minLength: 1 }),
);

/** The parameters of a token, taken apart without any decoding. */
function parametersOf(token: string): Map<string, string> {
  assert.match(token, /^SharedAccessSignature [\x21-\x7e]+$/);
  const pairs = token.slice("SharedAccessSignature ".length).split("&").map((pair) => pair.split("="));
  for (const pair of pairs) assert.equal(pair.length, 2, token);
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length);
  return new Map(pairs as [string, string][]);
}

/** Checks a token the way a hub does: over the text that it was sent. */
function assertSigned(token: string, input: SasTokenInput): Map<string, string> {
  const parameters = parametersOf(token);
  const sr = parameters.get("sr")!;
  const se = parameters.get("se")!;
  assert.match(se, /^\d+$/);
  const expected = createHmac("sha256", Buffer.from(input.key, "base64")).update(`${sr}\n${se}`).digest("base64");
  // A form's decoder would read a plus sign as a space.
  assert.ok(!parameters.get("sig")!.includes("+"));
  assert.equal(decodeURIComponent(parameters.get("sig")!), expected);
  assert.equal(decodeURIComponent(sr), input.resourceUri);
  assert.equal(parameters.get("skn"), input.keyName);
  assert.ok([...parameters.keys()].every((name) => ["sr", "sig", "se", "skn"].includes(name)));
  return parameters;
}

describe("a SAS token", () => {
  test("until a given moment is signed over what it says", async () => {
    const property = fc.asyncProperty(
      fc.record({ resourceUri, key, keyName, expiresOn }),
      async (input) => {
        const parameters = assertSigned(await createSasToken(input), input);
        assert.equal(Number(parameters.get("se")), Math.floor(input.expiresOn.getTime() / 1000));
      },
    );
    await holds(property, 175);
  });

  test("for some time is signed over what it says, and lives so long", async () => {
    const property = fc.asyncProperty(fc.record({ resourceUri, key, keyName, ttlInSeconds }), async (input) => {
      const before = Date.now() / 1000;
      const parameters = assertSigned(await createSasToken(input), input);
      const life = Number(parameters.get("se")) - input.ttlInSeconds;
      assert.ok(life >= before - 1e-6 && life <= Date.now() / 1000 + 1, `it lives ${life - before} s too long`);
    });
    await holds(property, 125);
  });

  const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e15, 1e21, 1e300, Number.MAX_VALUE, 5e-324));
  const anyInput = fc.record({
    resourceUri: fc.oneof(resourceUri, ANY_TEXT),
    key: fc.oneof(key, ANY_TEXT),
    keyName: fc.oneof(keyName, ANY_TEXT),
    expiresOn: fc.oneof(expiresOn, fc.date(), fc.constantFrom(new Date(8.64e15), new Date(-8.64e15))),
    ttlInSeconds: anyNumber,
  }, { requiredKeys: ["resourceUri", "key"] });

  test("of anything is refused without a word of the key, or signed over what it says", async () => {
    const property = fc.asyncProperty(anyInput, async (input) => {
      const outcome = await outcomeOf(() => createSasToken(input));
      if ("value" in outcome) {
        assertSigned(outcome.value as string, input);
        return;
      }
      const { error } = outcome;
      assert.ok(error instanceof TypeError || error instanceof RangeError, inspect(error));
      if (input.key.length >= 8) assert.ok(!inspect(error).includes(input.key));
    });
    await holds(property, 250);
  });
});
