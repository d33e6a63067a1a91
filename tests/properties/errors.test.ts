import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { HTTP_METHODS, invoke } from "../support/http_methods.ts";
import { ANY_TEXT, holds, outcomeOf } from "../support/properties.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

/** No message is longer, whatever the hub says. */
const MAX_MESSAGE = 1500;

const SECRET = "Zm9yZ290dGVuLXNlY3JldC1rZXk";
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJmb3Jnb3R0ZW4iOjF9.c2VjcmV0LXNpZ25hdHVyZQ";

/** A secret the way hubs and proxies echo one; the second member is what must not be seen. */
const planted: fc.Arbitrary<readonly [text: string, secret: string]> = fc.constantFrom(
  [`sig=${SECRET}%3D`, SECRET],
  [`SharedAccessSignature sr=myhub.azure-devices.net&sig=${SECRET}%2Bx&se=1700000000&skn=service`, SECRET],
  [`HostName=h.net;SharedAccessKeyName=service;SharedAccessKey=${SECRET}=`, SECRET],
  [`SharedAccessKey=${SECRET}+/x==`, SECRET],
  [`sharedaccesskey = ${SECRET}`, SECRET],
  [`{"primaryKey":"${SECRET}=","secondaryKey":"${SECRET}"}`, SECRET],
  [`primaryKey: ${SECRET}`, SECRET],
  [`Bearer ${SECRET}`, SECRET],
  [`bearer ${JWT}`, JWT],
  [`token ${JWT}`, JWT],
);

const anyString = fc.oneof(
  { weight: 4, arbitrary: ANY_TEXT },
  { weight: 2, arbitrary: planted.map(([text]) => text) },
  { weight: 2, arbitrary: fc.tuple(ANY_TEXT, planted).map(([before, [text]]) => `${before} ${text}`) },
  { weight: 2, arbitrary: fc.tuple(planted, ANY_TEXT).map(([[text], after]) => `ErrorCode:${text} ${after};${after}`) },
  { weight: 1, arbitrary: fc.tuple(ANY_TEXT, planted).map(([code, [text]]) => `ErrorCode:${code};${text}`) },
  { weight: 1, arbitrary: planted.map(([text]) => `Tracking ID:${text}-G:1-TimeStamp:01/01/2026`) },
  { weight: 1, arbitrary: fc.string({ minLength: 3000, maxLength: 5000, size: "max" }) },
  { weight: 1, arbitrary: fc.nat({ max: 3 }).map((seconds) => `Wait ${seconds} seconds and try again`) },
);

const memberName = fc.constantFrom(
  ..."errorCode ErrorCode errorcode trackingId Message message ExceptionMessage info code error toString valueOf toJSON __proto__ constructor"
    .split(" "),
);
const anyBody: fc.Arbitrary<string> = fc.letrec<{ text: string; value: unknown }>((tie) => ({
  text: fc.oneof({ maxDepth: 5 }, anyString, tie("value").map((value) => JSON.stringify(value))),
  value: fc.oneof(
    { maxDepth: 5 },
    anyString,
    fc.oneof(fc.double(), fc.integer(), fc.integer({ min: 400000, max: 599999 }), fc.constantFrom(null, true, 1e300)),
    tie("text"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.array(fc.tuple(memberName, tie("value")), { maxLength: 4 }).map(objectOf),
    fc.array(fc.tuple(memberName, tie("value")), { maxLength: 4 }).map(objectOf),
  ),
})).text;

/** Unlike a literal or an assignment, this makes a member of `__proto__` too. */
function objectOf(members: [string, unknown][]): object {
  return Object.fromEntries(members);
}

/** Bodies that only grow: deep where code may recurse, long where it may look back. */
const hugeBody = fc.tuple(
  fc.constantFrom(
    '{"Message":',
    '{"errorCode":[',
    "[",
    '{"Message":"{',
    "ErrorCode:",
    "Tracking ID:",
    "<a>",
    "sig=",
    " ",
  ),
  fc.integer({ min: 1000, max: 20_000 }),
).map(([piece, count]) => piece.repeat(count) + (piece === '{"errorCode":[' ? "1" + "]}".repeat(count) : ""));

const deepCode = fc.integer({ min: 5000, max: 50_000 }).map((depth) =>
  `{"errorCode":${"[".repeat(depth)}1${"]".repeat(depth)},"message":"deep"}`
);

const headerText = fc.oneof(
  fc.string({ maxLength: 20 }).map((text) => text.replace(/[^\x20-\x7e]/g, "")),
  fc.constantFrom("", "DeviceNotFound", "404001", "999999", "ThrottlingException", "x".repeat(3000), "-1", "1e9"),
  planted.map(([text]) => text),
);
const headers = fc.dictionary(
  fc.constantFrom("iothub-errorcode", "IotHubErrorCode", "content-type", "retry-after", "date", "x-ms-request-id"),
  fc.oneof(headerText, fc.date().map((date) => Number.isNaN(date.getTime()) ? "never" : date.toUTCString())),
);

describe("any answer that is an error", () => {
  test("is an IoTHubError with a code, of bounded length and without a secret", async () => {
    let answer = new Response();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      retryOptions: { maxRetries: 0 },
      fetch: () => Promise.resolve(answer.clone()),
    });
    const property = fc.asyncProperty(
      fc.constantFrom(...HTTP_METHODS),
      fc.integer({ min: 400, max: 599 }),
      headers,
      fc.oneof({ weight: 60, arbitrary: anyBody }, { weight: 1, arbitrary: hugeBody }, {
        weight: 1,
        arbitrary: deepCode,
      }),
      async (method, status, headers, body) => {
        answer = new Response(body, { status, headers });
        const outcome = await outcomeOf(() => invoke(registry, method));
        assert.ok("error" in outcome);
        const { error } = outcome;
        assert.ok(error instanceof IoTHubError, inspect(error));
        assert.equal(error.statusCode, status, error.message);
        assert.equal(error.operation, method.name);
        assert.ok(error.code.trim() !== "", "the code must not be empty");
        assert.ok(error.message.length <= MAX_MESSAGE, `the message has ${error.message.length} characters`);
        assert.ok(error.trackingId === undefined || error.trackingId.length <= MAX_MESSAGE);
        assert.ok(
          error.errorNumber === undefined || /^\d{6}$/.test(String(error.errorNumber)),
          String(error.errorNumber),
        );
        const wait = error.retryAfterInMs;
        assert.ok(wait === undefined || (wait >= 0 && Number.isFinite(wait)), String(wait));
        const shown = [
          error.message,
          error.stack,
          inspect(error, { depth: 9, showHidden: true }),
          JSON.stringify(error),
        ];
        for (const text of shown) assert.ok(!text!.includes(SECRET) && !text!.includes(JWT), text);
      },
    );
    await holds(property, 250);
  });
});
