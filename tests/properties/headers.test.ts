import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IoTHubRegistryManager } from "../../mod.ts";
import { HTTP_METHODS, invoke } from "../support/http_methods.ts";
import { ANY_TEXT, holds, isRefusal, type Outcome, outcomeOf } from "../support/properties.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

/** The headers of every request, as they were handed to `fetch` and before anything has cleaned them. */
const sent: Record<string, string>[] = [];

function connect(userAgentPrefix?: string): IoTHubRegistryManager {
  return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    userAgentPrefix,
    fetch: (url, init) => {
      sent.push({ ...init!.headers as Record<string, string> });
      return Promise.resolve(Response.json(new URL(url).pathname === "/devices/query" ? [] : {}));
    },
  });
}

/** Asserts that a call was refused without a request, or sent one with headers that arrive as they are. */
function headersOf(outcome: Outcome): Record<string, string> | undefined {
  const requests = sent.splice(0);
  if ("error" in outcome) {
    assert.ok(isRefusal(outcome), String(outcome.error));
    assert.equal(requests.length, 0);
    return undefined;
  }
  assert.equal(requests.length, 1);
  const headers = requests[0]!;
  for (const [name, value] of Object.entries(headers)) {
    assert.match(value, /^[\x20-\x7e]*$/, `${name} must be printable`);
    assert.equal(new Headers([[name, value]]).get(name), value, `${name} must arrive as it is`);
  }
  return headers;
}

const visible = fc.string({ unit: fc.constantFrom(...visibleAscii()), minLength: 1 });

function visibleAscii(): string[] {
  return Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index));
}

describe("any text in a header", () => {
  const conditional = HTTP_METHODS.filter(({ takesEtag }) => takesEtag);
  const anyEtag = fc.oneof(visible, visible.map((text) => `"${text}"`), fc.base64String({ minLength: 4 }), ANY_TEXT);

  test("as an etag is refused, or arrives between quotes", async () => {
    await using registry = connect();
    const property = fc.asyncProperty(fc.constantFrom(...conditional), anyEtag, async (method, etag) => {
      const headers = headersOf(await outcomeOf(() => invoke(registry, method, { options: { etag } })));
      const isQuoted = etag.length >= 2 && etag[0] === '"' && etag.at(-1) === '"';
      const bare = isQuoted ? etag.slice(1, -1) : etag;
      const isGood = bare !== "" && [...bare].every((char) => char > " " && char < "\x7f" && char !== '"');
      assert.equal(headers?.["If-Match"], isGood ? `"${bare}"` : undefined);
      assert.equal(headers !== undefined, isGood);
    });
    await holds(property, 250);
  });

  const anyCount = fc.oneof(
    fc.integer(),
    fc.nat(),
    fc.double(),
    fc.constantFrom(0, -0, 1, 2 ** 53, 1e21, NaN),
    ANY_TEXT,
  );

  test("as a continuation token or page size is refused, or arrives as it is", async () => {
    await using registry = connect();
    const property = fc.asyncProperty(
      fc.oneof(visible, ANY_TEXT),
      anyCount,
      fc.boolean(),
      async (continuationToken, count, byPage) => {
        const maxItemCount = count as number;
        const outcome = await outcomeOf(() =>
          byPage
            ? registry.query("SELECT * FROM devices").byPage({ continuationToken, maxPageSize: maxItemCount }).next()
            : registry.queryIotHub("SELECT * FROM devices", { continuationToken, maxItemCount })
        );
        const headers = headersOf(outcome);
        const printable = [...continuationToken].every((char) => char >= " " && char < "\x7f");
        const isToken = printable && continuationToken !== "" && continuationToken.trim() === continuationToken;
        const isCount = typeof count === "number" && Number.isSafeInteger(count) && count > 0;
        assert.equal(headers !== undefined, isToken && isCount);
        if (headers === undefined) return;
        assert.equal(headers["x-ms-continuation"], continuationToken);
        assert.equal(headers["x-ms-max-item-count"], String(count));
      },
    );
    await holds(property, 250);
  });

  test("as a user agent's prefix is refused, or arrives as it is", async () => {
    const property = fc.asyncProperty(fc.oneof(visible, ANY_TEXT), async (prefix) => {
      const headers = headersOf(
        await outcomeOf(async () => {
          await using registry = connect(prefix);
          return await registry.getDevice("d1");
        }),
      );
      if (headers !== undefined) assert.ok(headers["User-Agent"]!.startsWith(prefix.trim()));
    });
    await holds(property, 75);
  });
});
