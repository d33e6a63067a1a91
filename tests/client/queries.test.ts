import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClientOptions, IoTHubRegistryManager } from "../../lib/http.ts";

const CONNECTION_STRING = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${
  btoa("0123456789abcdef")
}`;

interface Asked {
  token: string | undefined;
  size: string | undefined;
  query: string;
}

/** A hub with `pages` of rows; tokens are page numbers. Notes what it is asked. */
function pagedHub(pages: unknown[][], itemType = "Raw"): { asked: Asked[]; options: ClientOptions } {
  const asked: Asked[] = [];
  return {
    asked,
    options: {
      fetch: (_url, init) => {
        const headers = init!.headers as Record<string, string>;
        const token = headers["x-ms-continuation"];
        asked.push({ token, size: headers["x-ms-max-item-count"], query: JSON.parse(init!.body as string).query });
        const page = Number(token ?? 0);
        const answer = new Headers({ "x-ms-item-type": itemType });
        if (page + 1 < pages.length) answer.set("x-ms-continuation", String(page + 1));
        return Promise.resolve(Response.json(pages[page], { headers: answer }));
      },
    },
  };
}

describe("queryIotHub()", () => {
  test("gives rows as they came, their type and the token of the next page", async () => {
    const hub = pagedHub([[{ n: 1 }, { odd: null }], [{ n: 2 }]]);
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, hub.options);
    const first = await registry.queryIotHub("SELECT n FROM devices", { maxItemCount: 2 });
    assert.deepEqual(first, { type: "raw", items: [{ n: 1 }, { odd: null }], continuationToken: "1" });
    const { continuationToken } = first;
    const last = await registry.queryIotHub({ query: "SELECT n FROM devices" }, { maxItemCount: 2, continuationToken });
    assert.deepEqual(last, { type: "raw", items: [{ n: 2 }], continuationToken: undefined });
    assert.deepEqual(hub.asked, [
      { token: undefined, size: "2", query: "SELECT n FROM devices" },
      { token: "1", size: "2", query: "SELECT n FROM devices" },
    ]);
  });

  test("reads the row type in any case, and knows when there is none", async () => {
    for (
      const [header, type] of [["Twin", "twin"], ["DEVICEJOB", "deviceJob"], ["jobResponse", "jobResponse"], [
        "new",
        "unknown",
      ]]
    ) {
      await using registry = IoTHubRegistryManager.fromConnectionString(
        CONNECTION_STRING,
        pagedHub([[]], header).options,
      );
      assert.equal((await registry.queryIotHub("q")).type, type);
    }
    const fetch: ClientOptions["fetch"] = () =>
      Promise.resolve(new Response("[]", { headers: { "x-ms-continuation": "" } }));
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch });
    assert.deepEqual(await registry.queryIotHub("q"), { type: "unknown", items: [], continuationToken: undefined });
  });
});

describe("query()", () => {
  test("gives all rows of all pages in order, empty pages and all", async () => {
    const hub = pagedHub([[{ n: 1 }, { n: 2 }], [], [{ n: 3 }]]);
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, hub.options);
    const rows: unknown[] = [];
    for await (const row of registry.query<{ n: number }>("SELECT n FROM devices", { maxItemCount: 2 })) {
      rows.push(row.n);
    }
    assert.deepEqual(rows, [1, 2, 3]);
    assert.deepEqual(hub.asked.map(({ token, size }) => [token, size]), [[undefined, "2"], ["1", "2"], ["2", "2"]]);
  });

  test("asks nothing before the first row is wanted, and one page ahead then", async () => {
    const hub = pagedHub([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, hub.options);
    const rows = registry.query("q");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hub.asked.length, 0);
    await rows.next();
    assert.equal(hub.asked.length, 2);
    await rows.return!();
    assert.deepEqual(await rows.next(), { done: true, value: undefined });
    assert.equal(hub.asked.length, 2);
  });

  test("gives pages, from a token on, of a size", async () => {
    const hub = pagedHub([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, hub.options);
    const pages = registry.query<{ n: number }>("q", { maxItemCount: 7 }).byPage({
      continuationToken: "1",
      maxPageSize: 5,
    });
    const seen: unknown[] = [];
    for await (const page of pages) seen.push([page.items[0]!.n, page.continuationToken]);
    assert.deepEqual(seen, [[2, "2"], [3, undefined]]);
    assert.deepEqual(hub.asked.map(({ token, size }) => [token, size]), [["1", "5"], ["2", "5"]]);
  });

  test("ends with the error of the page that failed, after the rows before it", async () => {
    const hub = pagedHub([[{ n: 1 }, { n: 2 }], []]);
    const { fetch } = hub.options;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: (url, init) =>
        hub.asked.length === 0 ? fetch!(url, init) : Promise.resolve(new Response(null, { status: 400 })),
    });
    const rows: unknown[] = [];
    await assert.rejects(async () => {
      for await (const row of registry.query("q")) rows.push(row);
    }, { code: "GenericBadRequest", operation: "queryIotHub" });
    assert.equal(rows.length, 2);
  });

  test("leaves no failure behind when the loop ends early", async () => {
    const hub = pagedHub([[{ n: 1 }], [{ n: 2 }]]);
    const { fetch } = hub.options;
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: (url, init) =>
        hub.asked.length === 0 ? fetch!(url, init) : Promise.reject(new TypeError("Network is gone")),
    });
    for await (const _row of registry.query("q")) break;
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("rejects a bad argument with the first row", async () => {
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: () => assert.fail("a request was made"),
    });
    await assert.rejects(registry.query("").next(), RangeError);
    await assert.rejects(registry.query("q", { maxItemCount: 0 }).next(), RangeError);
    await assert.rejects(registry.query("q").byPage({ continuationToken: "a\r\nb" }).next(), RangeError);
  });
});
