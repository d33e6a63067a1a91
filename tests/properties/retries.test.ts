import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { HTTP_METHODS, type HttpMethod, invoke } from "../support/http_methods.ts";
import { holds, type Outcome, outcomeOf } from "../support/properties.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

/** What comes back on one request. */
type Answer =
  | { readonly status: number; readonly errorCode?: string; readonly retryAfter?: string; readonly text?: string }
  /** The request was perhaps read, and no answer came; or it was never sent. */
  | { readonly failure: "reset" | "refused" };

const FINE: Answer = { status: 200 };

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(FINE) },
  {
    weight: 6,
    arbitrary: fc.record({
      status: fc.constantFrom(408, 429, 429, 500, 502, 503, 503, 504),
      retryAfter: fc.constantFrom("0", "0", "3600", "never", new Date(0).toUTCString()),
      text: fc.constantFrom("Wait 0 seconds and try again", "ErrorCode:ServerBusy;wait 3600 seconds", "{"),
    }, { requiredKeys: ["status"] }),
  },
  { weight: 1, arbitrary: fc.constant({ status: 503, errorCode: "DeviceUnavailable" }) },
  { weight: 1, arbitrary: fc.constant({ status: 504, errorCode: "GatewayTimeout" }) },
  { weight: 1, arbitrary: fc.constantFrom(400, 403, 404, 409, 412, 413).map((status) => ({ status })) },
  { weight: 1, arbitrary: fc.constant({ status: 401 }) },
  { weight: 3, arbitrary: fc.constantFrom<Answer>({ failure: "reset" }, { failure: "refused" }) },
);

/** Whether the request may have done its work although no success came back. */
function isAmbiguous(answer: Answer): boolean {
  if ("failure" in answer) return answer.failure === "reset";
  if (answer.status === 503) return answer.errorCode === "DeviceUnavailable";
  return [408, 500, 502, 504].includes(answer.status);
}

/** Whether the same request may be sent again after this. */
function isTransient(answer: Answer): boolean {
  if ("failure" in answer) return true;
  return [408, 429, 500, 502, 503, 504].includes(answer.status) && answer.errorCode !== "GatewayTimeout";
}

function asksForAnHour(answer: Answer): boolean {
  if ("failure" in answer) return false;
  if (answer.retryAfter === "3600") return true;
  return answer.text?.includes("3600") === true && (answer.retryAfter === undefined || answer.retryAfter === "never" ||
    answer.retryAfter.includes("1970"));
}

const CREATES = /^(create|bulk|invoke|schedule|updateDigitalTwin)/;

/** A hub that gives its answers one after the other, and success when it has none left. */
class ScriptedHub {
  readonly sent: Answer[] = [];
  readonly tokens: string[] = [];
  /** Reads that ask whether an earlier attempt did its work. */
  reads = 0;
  readonly #answers: Answer[];
  readonly #method: HttpMethod;
  #target: string | undefined;

  constructor(method: HttpMethod, answers: readonly Answer[]) {
    this.#method = method;
    this.#answers = [...answers];
  }

  readonly fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    const target = `${init.method} ${url}`;
    this.#target ??= target;
    if (target !== this.#target) {
      this.reads++;
      return Promise.resolve(new Response('{"Message":"ErrorCode:DeviceNotFound"}', { status: 404 }));
    }
    this.tokens.push((init.headers as Record<string, string>)["Authorization"]!);
    const answer = this.#answers.shift() ?? FINE;
    this.sent.push(answer);
    if ("failure" in answer) {
      const code = answer.failure === "reset" ? "ECONNRESET" : "ECONNREFUSED";
      return Promise.reject(
        Object.assign(new TypeError("fetch failed"), { cause: Object.assign(new Error(code), { code }) }),
      );
    }
    const { status, errorCode, retryAfter, text } = answer;
    const headers = {
      ...(status === 200 && this.#method.answerHeaders),
      ...(errorCode !== undefined && { "iothub-errorcode": errorCode }),
      ...(retryAfter !== undefined && { "retry-after": retryAfter }),
    };
    const body = status === 200 ? JSON.stringify(this.#method.answer ?? {}) : text ?? "";
    return Promise.resolve(new Response(body, { status, headers }));
  };
}

/** Asserts that a call ended as its last answer says. */
function assertOutcome(outcome: Outcome, last: Answer, before: readonly Answer[], method: HttpMethod): void {
  if ("value" in outcome) {
    const isSuccess = "status" in last && last.status === 200;
    // A deletion that finds nothing after one that may have worked is done.
    const isDeleted = "status" in last && last.status === 404 && method.name.startsWith("delete") &&
      before.some(mayHaveRun);
    assert.ok(isSuccess || isDeleted, `it succeeded with ${inspect(last)}`);
    return;
  }
  assert.ok(outcome.error instanceof IoTHubError, inspect(outcome.error));
  if ("failure" in last) assert.equal(outcome.error.code, "NetworkError");
  else assert.equal(outcome.error.statusCode, last.status, outcome.error.message);
}

function mayHaveRun(answer: Answer): boolean {
  return isAmbiguous(answer) || ("status" in answer && answer.status === 503);
}

describe("any row of answers", () => {
  test("is followed as the rules of repeating say, and its last one is the outcome", async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...HTTP_METHODS),
      fc.array(answer, { maxLength: 9 }),
      fc.nat({ max: 5 }),
      async (method, answers, maxRetries) => {
        const hub = new ScriptedHub(method, answers);
        await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
          fetch: hub.fetch,
          retryOptions: { maxRetries, retryDelayInMs: 0 },
        });
        const outcome = await outcomeOf(() => invoke(registry, method));
        const { sent } = hub;
        const last = sent.at(-1)!;
        const before = sent.slice(0, -1);

        const renewals = before.filter((answer) => "status" in answer && answer.status === 401).length;
        assert.ok(renewals <= 1, `${renewals} new tokens in one call`);
        assert.ok(sent.length <= maxRetries + 1 + renewals, `${sent.length} requests`);
        for (const answer of before) {
          const isRefusedToken = "status" in answer && answer.status === 401;
          assert.ok(isTransient(answer) || isRefusedToken, `it went on after ${inspect(answer)}`);
          assert.ok(!CREATES.test(method.name) || !isAmbiguous(answer), `sent twice after ${inspect(answer)}`);
          assert.ok(!asksForAnHour(answer), "an hour does not fit into the call's time");
        }
        assertOutcome(outcome, last, before, method);

        const mayGoOn = isTransient(last) && (!CREATES.test(method.name) || !isAmbiguous(last));
        if ("error" in outcome) {
          assert.equal((outcome.error as IoTHubError).retryable, mayGoOn, `of ${method.name} after ${inspect(last)}`);
        }

        // And it does not give up too early.
        if ("error" in outcome && isTransient(last) && !asksForAnHour(last)) {
          assert.ok(!mayGoOn || sent.length >= maxRetries + 1 + renewals, `it gave up after ${sent.length} requests`);
        }
      },
    );
    await holds(property, 100);
  });
});
