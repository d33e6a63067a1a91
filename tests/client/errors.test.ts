import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { IoTHubError, IoTHubRegistryManager } from "../../lib/http.ts";

const KEY = btoa("planted-secret-planted-secret-01");
const CONNECTION_STRING = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${KEY}`;

/** The error of a getTwin call that the hub answers so. */
async function errorFrom(answer: Response | Error): Promise<IoTHubError> {
  await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
    fetch: () => answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone()),
    retryOptions: { maxRetries: 0 },
  });
  const error = await registry.getTwin("thermostat-1").then(() => assert.fail("the call succeeded"), (error) => error);
  assert.ok(error instanceof IoTHubError, inspect(error));
  assert.equal(error.operation, "getTwin");
  assert.ok(error.message.includes('"thermostat-1"'), error.message);
  return error;
}

const TRACKING = "0123456789abcdef0123456789abcdef";
const nested = JSON.stringify({
  errorCode: 404103,
  trackingId: TRACKING,
  message: "The requested device is not online",
  timestampUtc: "2026-01-01T00:00:00Z",
  info: null,
});

interface Expected {
  code: string;
  errorNumber?: number;
  trackingId?: string;
  retryable: boolean;
  text?: RegExp;
}

const SHAPES: [string, number, Record<string, string>, string, Expected][] = [
  [
    "a header and body A",
    404,
    { "iothub-errorcode": "DeviceNotFound" },
    `{"Message":"ErrorCode:DeviceNotFound;thermostat-1 is unknown","ExceptionMessage":"Tracking ID:${TRACKING}-G:0-TimeStamp:01/01/2026 00:00:00"}`,
    { code: "DeviceNotFound", errorNumber: 404001, trackingId: TRACKING, retryable: false, text: /is unknown/ },
  ],
  ["body A without the header", 409, {}, '{"Message":"ErrorCode:DeviceAlreadyExists;A device of that name exists"}', {
    code: "DeviceAlreadyExists",
    errorNumber: 409001,
    retryable: false,
    text: /update it instead/,
  }],
  ["body B, JSON in a string", 404, {}, JSON.stringify({ Message: nested, ExceptionMessage: "" }), {
    code: "DeviceNotOnline",
    errorNumber: 404103,
    trackingId: TRACKING,
    retryable: false,
    text: /The requested device is not online/,
  }],
  ["body B, nested twice", 404, {}, JSON.stringify({ Message: JSON.stringify({ Message: nested }) }), {
    code: "DeviceNotOnline",
    errorNumber: 404103,
    trackingId: TRACKING,
    retryable: false,
  }],
  ["body C, an object", 404, {}, `{"Message":${nested}}`, {
    code: "DeviceNotOnline",
    errorNumber: 404103,
    trackingId: TRACKING,
    retryable: false,
  }],
  ["a bare envelope", 409, {}, '{"errorCode":409301,"message":"exists","trackingId":"t-1","info":null}', {
    code: "ModuleAlreadyExistsOnDevice",
    errorNumber: 409301,
    trackingId: "t-1",
    retryable: false,
  }],
  ["members in another case", 404, {}, '{"message":{"ERRORCODE":"404001","TrackingID":"t-2"}}', {
    code: "DeviceNotFound",
    errorNumber: 404001,
    trackingId: "t-2",
    retryable: false,
  }],
  [
    "body D with more text",
    412,
    {},
    '{"Message":"ErrorCode:PreconditionFailed;Precondition failed: Device version did not match, existingVersion:1 newVersion:2"}',
    { code: "PreconditionFailed", errorNumber: 412001, retryable: false, text: /version did not match.*read it again/ },
  ],
  ["body E without a code", 405, {}, `{"Message":"The requested resource does not support http method 'POST'."}`, {
    code: "GenericMethodNotAllowed",
    retryable: false,
    text: /does not support/,
  }],
  ["an empty body", 503, {}, "", { code: "ServiceUnavailable", retryable: true }],
  ["a page of HTML", 502, { "content-type": "text/html" }, "<html><body>Bad gateway</body></html>", {
    code: "GenericBadGateway",
    retryable: true,
  }],
  ["plain text", 500, {}, "It broke", { code: "ServerError", retryable: true, text: /It broke/ }],
  ["half a JSON text", 500, {}, '{"Message":"Err', { code: "ServerError", retryable: true }],
  ["JSON that is no object", 400, {}, "[1,2]", { code: "GenericBadRequest", retryable: false }],
  ["a name nobody knows", 418, { "iothub-errorcode": "TeapotError" }, "", { code: "TeapotError", retryable: false }],
  ["a number nobody knows", 400, {}, '{"errorCode":400999,"message":"odd"}', {
    code: "GenericBadRequest",
    errorNumber: 400999,
    retryable: false,
  }],
  ["a number that no call of this module should meet", 404, {}, '{"errorCode":404301,"message":"no configuration"}', {
    code: "ConfigurationNotFound",
    errorNumber: 404301,
    retryable: false,
    text: /404 ConfigurationNotFound \(404301\): no configuration/,
  }],
  ["the name of such an error", 404, {}, '{"Message":"ErrorCode:ConfigurationNotFound;no configuration"}', {
    code: "ConfigurationNotFound",
    errorNumber: 404301,
    retryable: false,
  }],
  ["a number nobody knows in the header", 409, { "iothub-errorcode": "409999" }, "", {
    code: "Conflict",
    errorNumber: 409999,
    retryable: false,
  }],
  ["a body that says less than the one within it", 404, {}, JSON.stringify({ trackingId: "t-3", Message: nested }), {
    code: "DeviceNotOnline",
    errorNumber: 404103,
    trackingId: TRACKING,
    retryable: false,
  }],
  [
    "a tracking id in the text, with a time behind it",
    500,
    {},
    `It broke. Tracking ID: ${TRACKING}-G2:-TimeStamp:2026`,
    {
      code: "ServerError",
      trackingId: TRACKING,
      retryable: true,
    },
  ],
  ["an error too deep within others", 400, {}, `${'{"Message":'.repeat(5000)}{}${"}".repeat(5000)}`, {
    code: "GenericBadRequest",
    retryable: false,
  }],
  ["a message that is neither text nor object", 413, {}, '{"Message":null,"errorCode":null}', {
    code: "HttpError",
    retryable: false,
  }],
  ["a number in the header", 400, { "iothuberrorcode": "400013" }, "", {
    code: "BulkRegistryOperationFailure",
    errorNumber: 400013,
    retryable: false,
  }],
  ["a status nobody knows", 499, {}, "", { code: "HttpError", retryable: false }],
  ["401 without a name", 401, {}, "", { code: "Unauthorized", retryable: false, text: /clock/ }],
  [
    "a throttled call",
    429,
    { "iothub-errorcode": "ThrottlingBacklogTimeout" },
    '{"Message":"ErrorCode:ThrottlingBacklogTimeout;The request has been throttled. Wait 10 seconds and try again. Operation type: CRUD"}',
    { code: "ThrottlingBacklogTimeout", errorNumber: 429003, retryable: true, text: /Operation type: CRUD/ },
  ],
  ["a device that does not answer", 504, {}, '{"Message":"{\\"errorCode\\":504101,\\"message\\":\\"Timed out\\"}"}', {
    code: "GatewayTimeout",
    errorNumber: 504101,
    retryable: false,
    text: /may still have been carried out/,
  }],
  ["a gateway that does not answer", 504, {}, "", { code: "GatewayTimeout", retryable: true }],
];

describe("IoTHubError", () => {
  for (const [what, status, headers, body, expected] of SHAPES) {
    test(`is made from ${what}`, async () => {
      const error = await errorFrom(new Response(body, { status, headers }));
      assert.equal(error.statusCode, status);
      assert.equal(error.code, expected.code);
      assert.equal(error.errorNumber, expected.errorNumber);
      assert.equal(error.trackingId, expected.trackingId);
      assert.equal(error.retryable, expected.retryable);
      if (expected.text !== undefined) assert.match(error.message, expected.text);
    });
  }

  test("says of a device that takes no direct method how the hub is made to wait for it", async () => {
    const answer = new Response(nested, { status: 404 });
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: () => Promise.resolve(answer),
    });
    await assert.rejects(registry.invokeDeviceMethod("thermostat-1", { methodName: "reboot" }), {
      code: "DeviceNotOnline",
      message: /connectTimeoutInSeconds/,
    });
  });

  test("has what is known of it as properties, in one order, and nothing undefined", async () => {
    const known = await errorFrom(new Response(nested, { status: 429, headers: { "retry-after": "3" } }));
    assert.deepEqual(Object.entries(known), [
      ["name", "IoTHubError"],
      ["code", "DeviceNotOnline"],
      ["operation", "getTwin"],
      ["retryable", true],
      ["statusCode", 429],
      ["errorNumber", 404103],
      ["trackingId", TRACKING],
      ["retryAfterInMs", 3000],
    ]);
    const bare = await errorFrom(new Response("", { status: 500 }));
    assert.deepEqual(Object.keys(bare), ["name", "code", "operation", "retryable", "statusCode"]);
    assert.ok(!Object.hasOwn(bare, "cause"));
  });

  for (
    const [what, retryAfter, text, expected] of [
      ["seconds in the header", " 2 ", "Wait 10 seconds", 2000],
      ["seconds in the text, where the header is of no use", "soon", "Wait 10 seconds", 10_000],
      ["seconds in the text, where the header's time is over", "Thu, 01 Jan 2026 00:00:00 GMT", "wait 1 second", 1000],
      ["a time by the hub's clock", "Thu, 01 Jan 2026 01:00:00 GMT", "", 1_800_000],
      ["more seconds than can be counted", "9".repeat(400), "", Number.MAX_SAFE_INTEGER],
      ["an empty header", "", "", undefined],
    ] as const
  ) {
    test(`says how long to wait: ${what}`, async () => {
      const headers = { "retry-after": retryAfter, "date": "Thu, 01 Jan 2026 00:30:00 GMT" };
      assert.equal((await errorFrom(new Response(text, { status: 503, headers }))).retryAfterInMs, expected);
    });
  }

  test("says NetworkError when the hub cannot be reached, with the innermost cause", async () => {
    const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const error = await errorFrom(cause);
    assert.equal(error.code, "NetworkError");
    assert.ok(error.retryable);
    assert.equal(error.cause, cause);
    assert.match(error.message, /hub\.example could not be reached \(connect ECONNREFUSED\)/);
  });

  test("says InvalidResponse when a success is no JSON", async () => {
    for (const body of ["<html>", '{"deviceId":"ther', ""]) {
      assert.equal((await errorFrom(new Response(body))).code, "InvalidResponse");
    }
  });

  test("says UnexpectedRedirect and does not follow", async () => {
    const urls: string[] = [];
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: (url, init) => {
        urls.push(url);
        assert.equal(init!.redirect, "manual");
        return Promise.resolve(
          new Response(null, { status: 307, headers: { Location: "https://elsewhere.example/" } }),
        );
      },
    });
    await assert.rejects(registry.getTwin("d"), { code: "UnexpectedRedirect", statusCode: 307, retryable: false });
    assert.equal(urls.length, 1);
  });

  test("hides what looks like a secret in the hub's own text", async () => {
    const body = JSON.stringify({
      Message: "ErrorCode:IotHubUnauthorizedAccess;bad token SharedAccessSignature sr=h&sig=abc%2Bdef%3D&se=1 or " +
        `Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln, key SharedAccessKey=${KEY}`,
    });
    const error = await errorFrom(new Response(body, { status: 401 }));
    for (const text of [error.message, inspect(error), JSON.stringify(error), String(error.stack)]) {
      for (const secret of ["abc%2Bdef", "eyJhbGci", KEY]) assert.ok(!text.includes(secret), text);
    }
  });
});
