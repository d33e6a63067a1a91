import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubError, IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "../support/answer_server.ts";
import { HTTP_METHODS, invoke } from "../support/http_methods.ts";
import { holds, outcomeOf } from "../support/properties.ts";

/** A manager whose hub is this function. */
function connect(answer: (init: RequestInit) => Response): IoTHubRegistryManager {
  const fetch: ClientOptions["fetch"] = (_url, init) => Promise.resolve(answer(init!));
  return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch, retryOptions: { maxRetries: 0 } });
}

/** Whether an object is a page of jobs, as the vendor describes it. */
function isPage(object: unknown): boolean {
  return Array.isArray((object as { items?: unknown }).items);
}

function isInvalid(error: unknown): boolean {
  return error instanceof IoTHubError && error.code === "InvalidResponse" && !error.retryable;
}

test("each method takes a success of its own shape, and refuses every other one", async () => {
  const json = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, [], {}, 0, 5, "", "x", true, [null], [[]], { __proto__: null }),
  ).map((value) => JSON.stringify(value));
  const body = fc.oneof(
    { weight: 3, arbitrary: json },
    { weight: 1, arbitrary: fc.constantFrom("", " ", "{", "[", "nul", "{}{}", "<html>", "\ufeff", "\0", "{} x") },
  );
  const cases = fc.record({
    method: fc.constantFrom(...HTTP_METHODS),
    body,
    status: fc.constantFrom(200, 201, 202, 204, 299),
  });
  await holds(
    fc.asyncProperty(cases, async ({ method, body, status }) => {
      // A Response with 204 cannot have a body.
      const headers = method.answerHeaders ?? {};
      await using registry = connect(() => new Response(status === 204 ? null : body, { status, headers }));
      const text = status === 204 ? "" : body.replace(/^\ufeff/, "");
      const outcome = await outcomeOf(() => invoke(registry, method));
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        value = undefined;
      }
      const isArray = Array.isArray(value);
      const isObject = typeof value === "object" && value !== null && !isArray;
      const isLegal = Array.isArray(method.answer)
        ? isArray || (method.name === "queryScheduledJobs" && status === 200 && isObject && isPage(value))
        : isObject || ((method.answersNothing || method.answersAnything) && text === "") ||
          (method.answersAnything && status === 200 && value !== undefined);
      if (isLegal) {
        assert.ok("value" in outcome, `${method.name} refused ${text}: ${(outcome as { error: unknown }).error}`);
      } else assert.ok("error" in outcome && isInvalid(outcome.error), `${method.name} made ${outcome} of ${text}`);
    }),
    400,
  );
});

test("a query whose tokens go in a circle ends with an error, wherever the circle begins and however long it is", async () => {
  const cases = fc.record({
    start: fc.nat({ max: 40 }),
    length: fc.integer({ min: 1, max: 40 }),
    from: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
  });
  await holds(
    fc.asyncProperty(cases, async ({ start, length, from }) => {
      let requests = 0;
      await using registry = connect(({ headers }) => {
        requests++;
        const page = Number((headers as Record<string, string>)["x-ms-continuation"] ?? 0);
        const next = page + 1 < start + length ? page + 1 : start;
        return Response.json([{ page }], { headers: { "x-ms-continuation": `${next}` } });
      });
      const pages = registry.query("q").byPage(from === undefined ? {} : { continuationToken: `${from}` });
      await assert.rejects(async () => {
        for await (const _page of pages) assert.ok(requests < 1000, "it goes on for ever");
      }, isInvalid);
      assert.ok(requests <= 3 * (start + length) + 3, `${requests} requests for ${start} and ${length}`);
    }),
    100,
  );
});

test("a query whose tokens differ is read to its end, however many pages there are", async () => {
  for (const count of [1, 2, 3, 4, 5, 100, 1000]) {
    await using registry = connect(({ headers }) => {
      const page = Number((headers as Record<string, string>)["x-ms-continuation"] ?? 0) + 1;
      return Response.json([page], { headers: page < count ? { "x-ms-continuation": `${page}` } : {} });
    });
    let rows = 0;
    for await (const row of registry.query("q")) assert.equal(row, ++rows);
    assert.equal(rows, count);
  }
});

test("a token that no request can carry is the hub's fault, and not the caller's", async () => {
  await holds(
    fc.asyncProperty(
      fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(..."aZ0 \t\x80é\xff~") }),
      async (token) => {
        await using registry = connect(() => Response.json([], { headers: { "x-ms-continuation": token } }));
        const sent = new Headers({ a: token }).get("a")!;
        const outcome = await outcomeOf(() => registry.queryIotHub("q"));
        if (/^[\x20-\x7e]*$/.test(sent)) {
          assert.equal(
            (outcome as { value: { continuationToken?: string } }).value.continuationToken,
            sent || undefined,
          );
        } else {
          assert.ok("error" in outcome && isInvalid(outcome.error), String(outcome));
        }
      },
    ),
    100,
  );
});
