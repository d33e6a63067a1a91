import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { ANY_FLEET, QueryFleet } from "../support/query_fleet.ts";
import { type ModelQuery, queriesOf } from "../support/query_model.ts";
import type { Json, RestCaller } from "../support/rest_caller.ts";
import { SEED } from "../support/seed.ts";
import { sized } from "../support/test_size.ts";

const FLEETS = sized(4, 20);
const QUERIES_PER_FLEET = sized(50, 100);

/** All rows of a query, read in pages of a certain size. */
async function rowsOf(rest: RestCaller, { text, itemType }: ModelQuery, pageSize: number): Promise<Json[]> {
  const rows: Json[] = [];
  let token: string | null = null;
  do {
    const headers = { "x-ms-max-item-count": String(pageSize), ...(token !== null && { "x-ms-continuation": token }) };
    const answer = await rest.call("POST", "/devices/query", { query: text }, { headers });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.headers.get("x-ms-item-type"), itemType);
    token = answer.headers.get("x-ms-continuation");
    assert.ok(answer.body.length === pageSize || token === null, "only the last page may be shorter");
    rows.push(...answer.body);
  } while (token !== null);
  return rows;
}

/** Takes one of `rows` out of `left` for each; returns those that are not in it. */
function strangersAmong(rows: readonly Json[], left: Json[]): Json[] {
  return rows.filter((row) => {
    const at = left.findIndex((other) => isDeepStrictEqual(row, other));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

describe("any query", () => {
  test("finds what a slow and simple model finds in the twins as they are read", async () => {
    const count = { all: 0, some: 0 };
    for (const devices of fc.sample(ANY_FLEET, { seed: SEED, numRuns: FLEETS })) {
      await using fleet = await QueryFleet.create(devices);
      const anyQuery = fc.oneof(
        queriesOf("devices", fleet.devices).map((query) => ({ query, documents: fleet.devices })),
        ...(fleet.modules.length === 0 ? [] : [
          queriesOf("devices.modules", fleet.modules).map((query) => ({ query, documents: fleet.modules })),
        ]),
      );
      const property = fc.asyncProperty(
        anyQuery,
        fc.integer({ min: 1, max: 30 }),
        async ({ query, documents }, pageSize) => {
          const rows = await rowsOf(fleet.rest, query, pageSize);
          const expected = query.rows(documents);
          assert.equal(rows.length, Math.min(query.top, expected.length));
          if (query.isGrouped) assert.deepEqual(strangersAmong(rows, [...expected]), []);
          else assert.deepEqual(rows, expected.slice(0, query.top));
          count.all++;
          if (!query.isGrouped && expected.length > 0 && expected.length < documents.length) count.some++;
        },
      );
      await fc.assert(property, { seed: SEED, numRuns: QUERIES_PER_FLEET });
    }

    // One in eight does as a rule, but a sample may have fleets that are hard to tell apart.
    assert.ok(count.some > count.all / 50, `${count.some} of ${count.all} queries told some documents from others`);
  });
});
