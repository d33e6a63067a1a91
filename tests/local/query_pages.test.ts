import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

/** The ids of rows that name their device. */
function ids(items: Json[]): string[] {
  return items.map(({ deviceId }) => deviceId);
}

describe("pages", () => {
  interface Page {
    items: Json[];
    token: string | null;
  }

  async function page(rest: RestCaller, text: string, size?: number, token?: string | null): Promise<Page> {
    const headers: Record<string, string> = {};
    if (size !== undefined) headers["x-ms-max-item-count"] = String(size);
    if (token) headers["x-ms-continuation"] = token;
    const answer = await rest.call("POST", "/devices/query", { query: text }, { headers });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { items: answer.body, token: answer.headers.get("x-ms-continuation") };
  }

  async function pageSizes(rest: RestCaller, text: string, size?: number): Promise<number[]> {
    const sizes: number[] = [];
    let token: string | null = null;
    do {
      const { items, token: next } = await page(rest, text, size, token);
      sizes.push(items.length);
      token = next;
    } while (token !== null);
    return sizes;
  }

  async function manyDevices(count: number): Promise<RestCaller> {
    const rest = new RestCaller(new LocalHub());
    const ids = Array.from({ length: count }, (_, i) => `d${String(i).padStart(3, "0")}`);
    await rest.createDevices(...ids);
    return rest;
  }

  test("have 100 rows at most, and a page that ends with the last row has no token", async () => {
    const rest = await manyDevices(200);
    const text = "SELECT * FROM devices";
    assert.deepEqual(await pageSizes(rest, text), [100, 100]);
    assert.deepEqual(await pageSizes(rest, text, 10_000), [100, 100]);
    assert.deepEqual(await pageSizes(rest, text, 60), [60, 60, 60, 20]);
    assert.deepEqual(await pageSizes(rest, "SELECT TOP 150 deviceId FROM devices", 60), [60, 60, 30]);
    assert.deepEqual(await pageSizes(rest, "SELECT TOP 120 deviceId FROM devices", 60), [60, 60]);
    assert.deepEqual(await pageSizes(rest, "SELECT deviceId FROM devices GROUP BY deviceId", 70), [70, 70, 60]);
    assert.deepEqual(await pageSizes(rest, "SELECT TOP 75 deviceId FROM devices GROUP BY deviceId", 70), [70, 5]);
    assert.deepEqual(await pageSizes(rest, "SELECT * FROM devices WHERE deviceId = 'none'"), [0]);
    const odd = "SELECT * FROM devices WHERE ENDSWITH(deviceId, '1')";
    assert.deepEqual(await pageSizes(rest, odd, 10), [10, 10]);
  });

  test("go on in the right place while devices come and go", async () => {
    const rest = await manyDevices(6);
    const text = "SELECT deviceId FROM devices";
    const first = await page(rest, text, 2);
    for (const id of ["d000", "d001", "d002"]) {
      await rest.do("DELETE", `/devices/${id}`, undefined, { "if-match": "*" });
    }
    await rest.createDevices("new", "d000");
    const second = await page(rest, text, 2, first.token);
    const third = await page(rest, text, 10, second.token);
    assert.deepEqual(ids([...first.items, ...second.items, ...third.items]), [
      "d000",
      "d001",
      "d003",
      "d004",
      "d005",
      "new",
      "d000",
    ]);
    assert.equal(third.token, null);
  });

  test("go on after many devices have gone", async () => {
    const rest = await manyDevices(200);
    const { token } = await page(rest, "SELECT deviceId FROM devices", 90);
    for (let i = 0; i < 195; i++) {
      await rest.do("DELETE", `/devices/d${String(i).padStart(3, "0")}`, undefined, { "if-match": "*" });
    }
    const { items } = await page(rest, "SELECT deviceId FROM devices", 90, token);
    assert.deepEqual(ids(items), ["d195", "d196", "d197", "d198", "d199"]);
  });

  test("of groups go on after the group where the one before ended", async () => {
    const rest = await manyDevices(4);
    for (const [i, site] of ["a", "b", "ä", "z"].entries()) {
      await rest.do("PATCH", `/twins/d00${i}`, { tags: { site } });
    }
    const text = "SELECT tags.site AS site, COUNT() AS n FROM devices GROUP BY tags.site";
    const first = await page(rest, text, 3);
    await rest.do("DELETE", "/devices/d000", undefined, { "if-match": "*" });
    const second = await page(rest, text, 3, first.token);
    const sites = [...first.items, ...second.items].map((row) => row.site);
    assert.deepEqual(sites.toSorted(), ["a", "b", "z", "ä"]);
  });

  test("need a token of this hub for this very query, and a page size that is one", async () => {
    const rest = await manyDevices(3);
    const text = "SELECT * FROM devices";
    const { token } = await page(rest, text, 1);
    const stranger = (await page(await manyDevices(3), text, 1)).token;
    const wrong: [string, Record<string, string>][] = [
      ["SELECT deviceId FROM devices", { "x-ms-continuation": token! }],
      [`${text} `, { "x-ms-continuation": token! }],
      [text, { "x-ms-continuation": stranger! }],
      [text, { "x-ms-continuation": "nonsense" }],
      [text, { "x-ms-continuation": btoa("[1]") }],
      [text, { "x-ms-max-item-count": "0" }],
      [text, { "x-ms-max-item-count": "-1" }],
      [text, { "x-ms-max-item-count": "many" }],
    ];
    for (const [query, headers] of wrong) {
      await rest.fails([400, "ArgumentInvalid"], "POST", "/devices/query", { query }, { headers });
    }
  });
});
