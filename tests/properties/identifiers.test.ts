import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hasDeviceIds, HTTP_METHODS, type HttpMethod, invoke } from "../support/http_methods.ts";
import { ANY_TEXT, holds, isRefusal, outcomeOf } from "../support/properties.ts";
import { Recorder } from "../support/recorder.ts";

const LEGAL = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:.+%_#*?!(),=@;$'");

/** The hub's rule, and the one of `fetch`, which leaves the path at dot segments. */
function isLegal(id: string): boolean {
  return id.length >= 1 && id.length <= 128 && [...id].every((char) => LEGAL.has(char)) && id !== "." && id !== "..";
}

/** The rule for ids of jobs and configurations. `query` is in a URL the list of all jobs. */
function isLegalOther({ idNames }: HttpMethod, id: string): boolean {
  const [rule, longest] = idNames![0] === "jobId" ? [/[A-Za-z0-9_'-]/, 64] : [/[a-z0-9+%_*!'-]/, 128];
  return id.length >= 1 && id.length <= longest && [...id].every((char) => rule.test(char)) &&
    (idNames![0] !== "jobId" || id.toLowerCase() !== "query");
}

const legalText = fc.string({ unit: fc.constantFrom(...LEGAL), minLength: 1, maxLength: 140, size: "max" });
const anyId = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...LEGAL), minLength: 1, maxLength: 20 }) },
  { weight: 1, arbitrary: legalText },
  { weight: 3, arbitrary: ANY_TEXT },
  { weight: 1, arbitrary: fc.integer({ min: 126, max: 131 }).map((length) => "i".repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 62, max: 66 }).map((length) => "i".repeat(length)) },
  { weight: 1, arbitrary: fc.constantFrom("query", "Query", "create", "v2") },
  { weight: 2, arbitrary: fc.stringMatching(/^[a-z0-9'-]{1,20}$/) },
  {
    weight: 2,
    arbitrary: fc.tuple(legalText, ANY_TEXT, legalText).map(([before, between, after]) =>
      before.slice(0, 9) + between + after.slice(0, 9)
    ),
  },
);

/** The path segments of a call with the ids that every method has in its cases. */
async function segmentsOf(
  method: HttpMethod,
  ids: readonly string[] = ["the-device", "the-module"].slice(0, method.ids),
): Promise<string[]> {
  const recorder = new Recorder({ body: method.answer ?? {}, headers: method.answerHeaders ?? {} });
  await using registry = recorder.connect();
  await invoke(registry, method, { ids });
  return new URL(recorder.requests[0]!.url).pathname.split("/");
}

describe("any text as an id", () => {
  for (const count of [1, 2]) {
    const methods = HTTP_METHODS.filter((method) => method.ids === count && hasDeviceIds(method));
    const of = count === 1 ? "a device" : "a module";

    test(`of ${of} is refused, or arrives as one segment of the path`, async () => {
      const templates = new Map(await Promise.all(methods.map(async (one) => [one, await segmentsOf(one)] as const)));
      const property = fc.asyncProperty(fc.constantFrom(...methods), anyId, anyId, async (method, first, second) => {
        const recorder = new Recorder({ body: method.answer ?? {}, headers: method.answerHeaders ?? {} });
        await using registry = recorder.connect();
        const ids = [first, second].slice(0, count);
        const outcome = await outcomeOf(() => invoke(registry, method, { ids }));
        if (!ids.every(isLegal)) {
          assert.ok(isRefusal(outcome), "it must be refused");
          assert.equal(recorder.requests.length, 0);
          return;
        }
        assert.ok("value" in outcome, "it must be taken");
        assert.equal(recorder.requests.length, 1);
        const segments = new URL(recorder.requests[0]!.url).pathname.split("/");
        const expected = templates.get(method)!.map((segment) =>
          segment === "the-device" ? first : segment === "the-module" ? second : segment
        );
        assert.deepEqual(segments.map(decodeURIComponent), expected);
      });
      await holds(property, 250);
    });
  }

  const others = HTTP_METHODS.filter((method) =>
    method.ids > 0 && !hasDeviceIds(method) && method.name !== "jobDevices"
  );
  test("of a job or a configuration is refused, or arrives as one segment of the path", async () => {
    const templates = new Map(
      await Promise.all(others.map(async (one) => [one, await segmentsOf(one, ["x"])] as const)),
    );
    const property = fc.asyncProperty(fc.constantFrom(...others), anyId, async (method, id) => {
      const recorder = new Recorder({ body: method.answer ?? {} });
      await using registry = recorder.connect();
      const outcome = await outcomeOf(() => invoke(registry, method, { ids: [id] }));
      if (!isLegalOther(method, id)) {
        assert.ok(isRefusal(outcome), "it must be refused");
        assert.equal(recorder.requests.length, 0);
        return;
      }
      assert.ok("value" in outcome, "it must be taken");
      const segments = new URL(recorder.requests[0]!.url).pathname.split("/");
      const expected = templates.get(method)!.map((segment) => segment === "x" ? id : segment);
      assert.deepEqual(segments.map(decodeURIComponent), expected);
    });
    await holds(property, 250);
  });

  test("in a bulk call is refused, or arrives in the body", async () => {
    const recorder = new Recorder({ body: {} });
    await using registry = recorder.connect();
    const property = fc.asyncProperty(anyId, fc.option(anyId, { nil: undefined }), async (id, moduleId) => {
      recorder.requests.length = 0;
      const outcome = await outcomeOf(() => registry.bulkCreateOrUpdateDevices([{ id, moduleId }]));
      const isGood = isLegal(id) && (moduleId === undefined || isLegal(moduleId));
      assert.equal(isRefusal(outcome), !isGood);
      const bodies = recorder.requests.map(({ body }) => body);
      assert.deepEqual(bodies, isGood ? [[{ id, ...(moduleId !== undefined && { moduleId }) }]] : []);
    });
    await holds(property, 125);
  });
});
