import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { hasDeviceIds, HTTP_METHODS, invoke } from "../support/http_methods.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";
import { type ReceivedRequest, RecordingServer } from "../support/recording_server.ts";

/** All special characters that an id may have, in two orders, and what looks like an escape or a dot segment. */
const IDS: readonly [deviceId: string, moduleId: string][] = [
  ["A9-:.+%_#*?!(),=@;$'", "'$;@=,)(!?*#_%+.:-9z"],
  ["%2e%2E%2F", "..."],
  ["a".repeat(128), "?top=1#"],
];

const TRANSPORTS: readonly [what: string, options: ClientOptions][] = [
  ["the runtime's own transport", {}],
  ["an injected fetch", { fetch: (url, init) => fetch(url, init) }],
];

for (const [what, options] of TRANSPORTS) {
  for (const method of HTTP_METHODS.filter((method) => method.ids > 0 && hasDeviceIds(method))) {
    test(`${method.name} brings every legal id intact over ${what}`, async () => {
      await using server = await RecordingServer.listen(() => method.answer ?? {}, method.answerHeaders);
      await using registry = connect(server, options);
      for (const ids of IDS) {
        await invoke(registry, method, { ids: ids.slice(0, method.ids) });
        const { segments, query, body } = server.requests.at(-1)!;
        assert.equal(query, "api-version=2021-04-12");
        assert.equal(segments[1], ids[0]);
        if (method.ids === 2) assert.deepEqual(segments.slice(2, 4), ["modules", ids[1]]);
        // The body of an identity repeats the ids.
        const { deviceId = ids[0], moduleId = ids[1] } = (body ?? {}) as { deviceId?: string; moduleId?: string };
        assert.deepEqual([deviceId, moduleId], ids);
      }
      assert.equal(server.requests.length, IDS.length);
    });
  }

  test(`texts beyond ASCII and large ones arrive whole, both ways, over ${what}`, async () => {
    const text = "Zürich \u{1f321} ".repeat(2000);
    await using server = await RecordingServer.listen(({ body }) => body);
    await using registry = connect(server, options);
    const twin = { tags: { text } };
    assert.deepEqual(await registry.updateTwin("d1", twin), twin);
    assert.deepEqual(server.requests[0]!.body, twin);
  });

  test(`the headers are the same over ${what}`, async () => {
    await using server = await RecordingServer.listen(() => []);
    await using registry = connect(server, options);
    const query = { continuationToken: "a b/+=", maxItemCount: 5 };
    await registry.queryIotHub("SELECT * FROM devices", query);
    await registry.deleteDevice("d1");
    await registry.getDevices();
    const [posted, deleted, read] = server.requests as [ReceivedRequest, ReceivedRequest, ReceivedRequest];

    assert.equal(posted.headers["x-ms-continuation"], "a b/+=");
    assert.equal(posted.headers["x-ms-max-item-count"], "5");
    assert.equal(posted.headers["content-type"], "application/json; charset=utf-8");
    assert.equal(posted.headers["content-length"], String(JSON.stringify({ query: "SELECT * FROM devices" }).length));
    assert.equal(deleted.headers["if-match"], '"*"');
    assert.equal(read.headers["if-match"], undefined);
    for (const { headers } of [deleted, read]) assert.equal(headers["content-type"], undefined);
    for (const { headers } of server.requests) {
      assert.equal(headers["accept"], "application/json");
      assert.match(String(headers["user-agent"]), /^iothub-registry-manager\//);
      assert.match(String(headers["authorization"]), /^SharedAccessSignature sr=myhub\.azure-devices\.net&sig=/);
    }
  });
}

function connect(server: RecordingServer, options: ClientOptions): IoTHubRegistryManager {
  return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { ...options, endpoint: server.origin });
}
