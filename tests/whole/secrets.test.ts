import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { type ClientOptions, IoTHubError, IoTHubRegistryManager, parseConnectionString } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";
import { SCENARIOS } from "../support/secret_scenarios.ts";
import { shownTexts, spellings } from "../support/secret_search.ts";

describe("no secret shows in what a user is given", () => {
  for (const [name, play] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      const { secrets, shown } = await play();
      const wanted = secrets.flatMap(spellings);
      assert.ok(shown.length > 0 && wanted.every((secret) => secret.length > 10));
      for (const value of shown) {
        for (const [how, text] of shownTexts(value)) {
          const found = wanted.find((secret) => text.includes(secret));
          assert.equal(found, undefined, `${how} shows a secret: ${text.slice(0, 2000)}`);
        }
      }
    });
  }
});

test("a search finds what is planted", () => {
  const secret = "c2VjcmV0IHNlY3JldA==";
  const carriers: unknown[] = [
    new Error(secret),
    new Error("outer", { cause: new Error("inner", { cause: { deep: [secret] } }) }),
    Object.defineProperty({}, "hidden", { value: secret }),
    { toJSON: () => secret },
    new AggregateError([new Error(secret)]),
    { [Symbol.for("nodejs.util.inspect.custom")]: () => secret },
  ];
  for (const carrier of carriers) {
    assert.ok(shownTexts(carrier).some(([, text]) => text.includes(secret)), inspect(carrier));
  }
});

test("nothing is written to the console, least of all a secret", { timeout: 120_000 }, async () => {
  const program = fileURLToPath(new URL("../support/secret_user.ts", import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
  assert.equal(stderr, "");
  const secrets = (JSON.parse(stdout) as string[]).map((secret) => [...secret].reverse().join(""));
  assert.ok(secrets.length >= 10);
  for (const secret of secrets.flatMap(spellings)) assert.ok(!stdout.includes(secret));
});

test("a parsed connection string prints without its secrets, which can be read", () => {
  const parsed = parseConnectionString(CONNECTION_STRING);
  assert.equal(parsed.sharedAccessKey, "c2VjcmV0IHNlY3JldCBzZWNyZXQ=");
  for (
    const text of [inspect(parsed), inspect({ parsed }, { depth: 9, showHidden: true }), JSON.stringify({ parsed })]
  ) {
    assert.ok(!text.includes("c2VjcmV0") && text.includes("(hidden)"), text);
  }
});

describe("the cause of an error", () => {
  async function failureWith(fetch: NonNullable<ClientOptions["fetch"]>): Promise<IoTHubError> {
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch,
      retryOptions: { maxRetries: 0 },
    });
    return await registry.getTwin("d").then(() => assert.fail("the call succeeded"), (error) => error);
  }

  test("is the very error that fetch threw, where no secret is in it", async () => {
    const mine = Object.assign(new TypeError("no network"), { details: { attempts: [1, 2] } });
    assert.equal((await failureWith(() => Promise.reject(mine))).cause, mine);
  });

  test("is the very error, however much is in it that is no secret", async () => {
    const mine = new Error("no network");
    const many = Array.from({ length: 2_000 }, (_, index) => ({ index }));
    Object.assign(mine, { mine, many, bytes: new Uint8Array(20_000), request: new Request("https://h.example/") });
    assert.equal((await failureWith(() => Promise.reject(mine))).cause, mine);
  });

  test("is a copy with the secret taken out, where the name alone tells it", async () => {
    const secrets = { Authorization: "x-y-z" }, keys = { primaryKey: "x-y-z" }, headers = new Headers(secrets);
    for (const details of [secrets, keys, { headers }, new Map([["authorization", "x-y-z"]])]) {
      const mine = Object.assign(new TypeError("no network"), { details, syscall: "read" });
      const { cause } = await failureWith(() => Promise.reject(mine));
      assert.notEqual(cause, mine);
      assert.ok(!inspect(cause, { depth: 9, showHidden: true }).includes("x-y-z"));
      assert.equal((cause as typeof mine).name, "TypeError");
      assert.equal((cause as typeof mine).message, "no network");
      assert.equal((cause as typeof mine).syscall, "read");
    }
  });

  test("is a copy with the secret taken out, where one is in it", async () => {
    class HttpFailure extends Error {
      override name = "HttpFailure";
      code = "ECONNRESET";
    }
    const error = await failureWith((_url, init) =>
      Promise.reject(new HttpFailure(`lost while sending ${new Headers(init!.headers).get("authorization")}`))
    );
    assert.ok(error instanceof IoTHubError);
    const cause = error.cause as Error & { code?: string };
    assert.ok(cause instanceof Error && !(cause instanceof HttpFailure));
    assert.equal(cause.name, "HttpFailure");
    assert.equal(cause.code, "ECONNRESET");
    assert.match(cause.message, /^lost while sending SharedAccessSignature \(hidden\)$/);
    assert.match(error.message, /lost while sending SharedAccessSignature \(hidden\)/);
  });
});
