import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { HTTP_METHODS, type HttpMethod, invoke } from "../support/http_methods.ts";
import { ANY_TEXT, holds } from "../support/properties.ts";
import { CONNECTION_STRING, HOST_NAME } from "../support/recorder.ts";

const SCOPE = "https://iothubs.azure.example/.default";
const TOKEN = "planted-opaque-bearer-token~0123456789";
const SIGN_IN = /sign in to this network if it asks for that, and check the host name, endpoint and proxy/;

/** The ways to sign in, each with options of its own. */
const SIGN_INS = {
  key: (options: ClientOptions) => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options),
  Entra: (options: ClientOptions) =>
    IoTHubRegistryManager.fromTokenCredential(HOST_NAME, {
      getToken: () => Promise.resolve({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
    }, { ...options, tokenScope: SCOPE }),
};

const ANY_METHOD = fc.constantFrom(...HTTP_METHODS);
const ANY_SIGN_IN = fc.constantFrom<keyof typeof SIGN_INS>("key", "Entra");
/** The statuses that a `Response` can have with a body, except those of redirects. */
const ANY_ERROR_STATUS = fc.constantFrom(
  400,
  401,
  402,
  403,
  404,
  405,
  407,
  409,
  412,
  413,
  429,
  451,
  500,
  502,
  503,
  504,
  511,
);

interface Answer {
  readonly status: number;
  readonly body?: string | null;
  readonly headers?: Record<string, string>;
}

/** The error of a call that is answered so. */
async function errorOf(
  method: HttpMethod,
  { status, body = null, headers = {} }: Answer,
  signIn: keyof typeof SIGN_INS = "key",
): Promise<IoTHubError> {
  const fetch = (): Promise<Response> => Promise.resolve(new Response(body, { status, headers }));
  await using registry = SIGN_INS[signIn]({ fetch, retryOptions: { maxRetries: 0 } });
  const call = invoke(registry, method) as Promise<unknown>;
  const error = await call.then(() => assert.fail("the call succeeded"), (error: unknown) => error);
  assert.ok(error instanceof IoTHubError, inspect(error));
  assert.ok(error.message.startsWith(`Cannot complete ${method.name}`), error.message);
  assert.doesNotMatch(error.message, /undefined|false|\[object/);
  return error;
}

/** Texts that fit into the title of a page, as a browser would show them. */
const TITLE = ANY_TEXT.map((text) => text.replace(/[<>&\ufeff]/g, "").replace(/\s+/g, " ").trim()).filter((text) =>
  text.isWellFormed()
);

const PAGE = fc.record({
  start: fc.constantFrom("", "\n  ", "\ufeff"),
  doctype: fc.constantFrom("", "<!DOCTYPE html>", "<!doctype html public>\n"),
  title: fc.option(TITLE),
  rest: fc.constantFrom("", "<body><h1>Welcome</h1></body>", "<form action=login><input name=password>", "</html>"),
}).map(({ start, doctype, title, rest }) => ({
  title,
  body: `${start}${doctype}<html><head>${title === null ? "" : `<title id="t">${title}</title>`}</head>${rest}`,
}));

describe("a page that a captive portal or a proxy answers with", () => {
  test("is not taken for the hub's, whatever is on it, and the error says what to do", async () => {
    const property = fc.asyncProperty(ANY_METHOD, PAGE, async (method, { title, body }) => {
      const error = await errorOf(method, { status: 200, body });
      assert.equal(error.code, "InvalidResponse");
      assert.equal(error.retryable, false);
      assert.match(error.message, /: something other than the hub answered 200 with a web page/);
      assert.match(error.message, SIGN_IN);
      if (title) assert.ok(error.message.includes(JSON.stringify(title.slice(0, 64)).slice(1, -1)), error.message);
      else assert.match(error.message, /web page;/);
    });
    await holds(property, 100);
  });

  test("with the status of an error neither", async () => {
    const property = fc.asyncProperty(ANY_METHOD, ANY_ERROR_STATUS, PAGE, async (method, status, { body }) => {
      const error = await errorOf(method, { status, body });
      assert.equal(error.statusCode, status);
      assert.match(
        error.message,
        new RegExp(`: (?:a proxy or gateway answered ${status} \\w+|a proxy answered 407 HttpError) with a web page`),
      );
      assert.doesNotMatch(error.message, /the hub answered|<html/);
    });
    await holds(property, 100);
  });

  test("shows no part of a secret in its title, wherever that is cut", async () => {
    const pieces = Array.from({ length: TOKEN.length - 7 }, (_, at) => TOKEN.slice(at, at + 8));
    // Blanks count where a title is read, and not where it is shown.
    const blanks = fc.oneof(fc.nat(5000), fc.integer({ min: 150, max: 210 }), fc.integer({ min: 4030, max: 4100 }));
    const property = fc.asyncProperty(blanks, fc.constantFrom("</title>", " and more</title>", ""), async (...page) => {
      const [count, end] = page;
      const body = `<title>${" ".repeat(count)}${TOKEN}${end}`;
      for (const status of [200, 401, 502]) {
        const { message } = await errorOf(HTTP_METHODS[0]!, { status, body }, "Entra");
        assert.equal(pieces.find((piece) => message.includes(piece)), undefined, message);
      }
    });
    await holds(property, 200);
  });
});

describe("a redirect", () => {
  test("is named by the server that it leads to, and by no more, with what to do", async () => {
    const location = fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.constantFrom("/login?token=planted", "//portal.example/x?token=planted", "login", "http://", ""),
    );
    const statuses = fc.constantFrom(301, 302, 303, 307, 308);
    const property = fc.asyncProperty(ANY_METHOD, statuses, location, async (method, status, Location) => {
      const error = await errorOf(method, { status, headers: { Location } });
      assert.deepEqual([error.code, error.statusCode, error.retryable], ["UnexpectedRedirect", status, false]);
      const origin = `https://${HOST_NAME}`;
      const target = URL.canParse(Location, origin) ? ` to ${new URL(Location, origin).origin}` : "";
      assert.ok(
        error.message.includes(`the answer was ${status}, a redirect${target}, which is not followed`),
        error.message,
      );
      assert.match(error.message, SIGN_IN);
      assert.doesNotMatch(error.message, /planted/);
    });
    await holds(property, 100);
  });
});

describe("a refused token", () => {
  const NAMES = ["IotHubUnauthorizedAccess", "IotHubUnauthorized", "IotHubNotFound", undefined];
  test("is explained by what may be wrong with its kind, and by the hub's IP filter", async () => {
    const refusal = fc.record({ name: fc.constantFrom(...NAMES), off: fc.constantFrom(0, -7_200_000, 7_200_000) });
    const property = fc.asyncProperty(ANY_METHOD, ANY_SIGN_IN, refusal, async (method, signIn, { name, off }) => {
      const Date_ = new Date(Date.now() + off).toUTCString();
      const headers = { Date: Date_, ...(name && { "iothub-errorcode": name }) };
      const { statusCode, message } = await errorOf(method, { status: 401, headers }, signIn);
      assert.equal(statusCode, 401);
      assert.match(message, /the hub's IP filter/);
      assert.match(message, /this machine's clock/);
      assert.equal(/which is 7\d\d\d s (ahead of|behind) the hub's/.test(message), off !== 0);
      if (signIn === "Entra") {
        assert.doesNotMatch(message, /\bkey\b/);
        assert.match(message, /the token credential's identity has the right \w+ by a role/);
        assert.ok(message.includes(`tokenScope (now ${SCOPE})`), message);
      } else {
        assert.match(message, /the policy "service" has the right \w+, its key/);
        assert.doesNotMatch(message, /tokenScope|role/);
      }
    });
    await holds(property, 100);
  });
});

describe("403", () => {
  test("without a reason is not taken for a quota, and the error names who may have refused", async () => {
    const bodies = fc.constantFrom("", " ", "Forbidden", "{}", "[]", '{"Message":null}', '{"error":{"code":5}}');
    const property = fc.asyncProperty(ANY_METHOD, bodies, async (method, body) => {
      const { code, message } = await errorOf(method, { status: 403, body });
      assert.equal(code, "GenericForbidden");
      assert.doesNotMatch(message, /quota|limit|tier/);
      assert.match(message, /a firewall or proxy may, or the hub's rules for networks$/);
    });
    await holds(property, 50);
  });

  test("speaks of quotas where the hub does, and only there", async () => {
    for (
      const [code, isQuota] of [
        ["IotHubQuotaExceeded", true],
        ["JobQuotaExceeded", true],
        ["DeviceMaximumInflightMethodExceeded", true],
        ["OperationNotAvailableInCurrentTier", true],
        ["IotHubSuspended", false],
        ["DeviceDisabled", false],
        ["KeyEncryptionKeyRevoked", false],
      ] as const
    ) {
      const error = await errorOf(HTTP_METHODS[0]!, { status: 403, headers: { "iothub-errorcode": code } });
      assert.equal(error.code, code);
      assert.equal(/a quota or limit of the hub was reached/.test(error.message), isQuota, error.message);
    }
  });
});

describe("what a proxy or a network wants to know first", () => {
  for (
    const [status, says] of [[407, /a proxy answered 407.*the option proxy: http:\/\/user:password@host/], [
      511,
      SIGN_IN,
    ]] as const
  ) {
    test(`is told with ${status}, whatever else the answer is`, async () => {
      const property = fc.asyncProperty(
        ANY_METHOD,
        fc.oneof(PAGE.map(({ body }) => body), ANY_TEXT),
        async (method, body) => {
          const error = await errorOf(method, { status, body });
          assert.deepEqual([error.code, error.statusCode, error.retryable], ["HttpError", status, false]);
          assert.match(error.message, says);
        },
      );
      await holds(property, 50);
    });
  }
});
