import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { VERSION } from "../../lib/values/version.ts";
import { filesBelow, findCircle, importsOf, reachOf } from "../support/import_graph.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * The floors of the house, the highest first: a file imports only files of its own room and of rooms on lower floors, be it
 * for values or for types. Rooms that share a floor know nothing of each other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["lib/fleet/"],
  ["mod.ts"],
  [
    "lib/http.ts",
    "lib/registry_manager.ts",
    "lib/configuration_manager.ts",
    "lib/job_manager.ts",
    "lib/digital_twin_client.ts",
  ],
  ["lib/http_registry_manager.ts", "lib/c2d_messages.ts", "lib/device_events.ts"],
  ["lib/amqp_channel.ts"],
  ["lib/amqp/"],
  [
    "lib/identities/",
    "lib/twins/",
    "lib/queries/",
    "lib/methods/",
    "lib/messages/",
    "lib/configurations/",
    "lib/jobs/",
    "lib/digital_twins/",
  ],
  ["lib/requests/"],
  ["lib/transport/"],
  ["lib/client/"],

  ["lib/local/main.ts"],
  ["lib/local/program/"],
  ["lib/local/mod.ts"],
  ["lib/local/local_hub.ts"],
  ["lib/local/hub_clock.ts", "lib/local/hub_faults.ts"],
  ["lib/local/sockets/", "lib/local/device_rest/"],
  ["lib/local/rest/", "lib/local/amqp/", "lib/local/mqtt/", "lib/local/devices/"],
  ["lib/local/hub_state.ts"],
  ["lib/local/jobs/", "lib/local/events/"],
  ["lib/local/configurations/", "lib/local/digital_twins/"],
  ["lib/local/queries/", "lib/local/sessions/", "lib/local/uploads/", "lib/local/bulk_registry.ts"],
  ["lib/local/twins/"],
  ["lib/local/identities/"],
  ["lib/local/auth/", "lib/local/presence/", "lib/local/blobs/", "lib/local/connections/"],
  ["lib/local/records/"],
  ["lib/local/messages/"],
  [
    "lib/local/activity/",
    "lib/local/argument_faults.ts",
    "lib/local/json_bytes.ts",
    "lib/local/request_body.ts",
    "lib/local/service_json.ts",
    "lib/local/storage/",
    "lib/local/throttle.ts",
  ],
  [
    "lib/local/api_version.ts",
    "lib/local/background_work.ts",
    "lib/local/byte_length.ts",
    "lib/local/hub_alarm.ts",
    "lib/local/hub_answer.ts",
    "lib/local/hub_fault.ts",
    "lib/local/hub_request.ts",
    "lib/local/hub_time.ts",
    "lib/local/json.ts",
    "lib/local/keys.ts",
  ],
  ["lib/local/fault_listeners.ts"],
  ["lib/local/listener_set.ts", "lib/local/random_bytes.ts"],

  ["lib/amqp_guard/", "lib/amqp_wire/"],
  ["lib/auth/"],
  ["lib/sight/"],
  ["lib/timing/"],
  ["lib/errors/"],
  ["lib/values/"],
  ["gen/"],
];

/** What the local hub may have from outside its own rooms. */
const GROUND_OF_THE_HUB = ["lib/amqp_guard/", "lib/amqp_wire/", "lib/timing/", "lib/errors/", "lib/values/", "gen/"];

interface Place {
  readonly room: string;
  readonly floor: number;
}

function placeOf(path: string): Place {
  for (const [floor, rooms] of FLOORS.entries()) {
    const room = rooms.find((name) => name.endsWith("/") ? path.startsWith(name) : path === name);
    if (room !== undefined) return { room, floor };
  }
  throw new Error(`${path} is in no room: give it one in this table`);
}

/** What is wrong with an import, or `undefined`. */
function faultOf(from: string, to: string): string | undefined {
  const [importer, imported] = [placeOf(from), placeOf(to)];
  if (importer.room === imported.room) return undefined;
  if (importer.floor >= imported.floor) return `${from} imports ${to}, which is not below it`;
  if (from.startsWith("lib/local/") && !to.startsWith("lib/local/") && !GROUND_OF_THE_HUB.includes(imported.room)) {
    return `${from} imports ${to}, which is not for the local hub`;
  }
  if (!from.startsWith("lib/local/") && to.startsWith("lib/local/")) return `${from} imports ${to}, a part of the hub`;
  return undefined;
}

describe("the house", () => {
  const files = ["mod.ts", ...filesBelow("lib")];

  test("has imports that go down only", () => {
    const faults = files.flatMap((file) =>
      importsOf(file).filter(({ isOwn }) => isOwn).map(({ target }) => faultOf(file, target))
    );
    assert.deepEqual(faults.filter((fault) => fault !== undefined), []);
    assert.ok(files.length > 100, "the files were found");
  });

  test("has no circle", () => {
    assert.equal(findCircle(files), undefined);
  });

  test("has a room for each file, and a file in each room", () => {
    const rooms = new Set([...files, "gen/index.ts"].map((file) => placeOf(file).room));
    assert.deepEqual(FLOORS.flat().filter((room) => !rooms.has(room)), []);
  });

  test("lets nothing pass that goes up, or sideways, or into the hub", () => {
    for (
      const [from, to] of [
        ["lib/values/json.ts", "lib/errors/errors.ts"],
        ["lib/transport/call_hub.ts", "lib/twins/twins.ts"],
        ["lib/twins/twins.ts", "lib/identities/statistics.ts"],
        ["lib/messages/message_channel.ts", "lib/amqp/amqp_connection.ts"],
        ["lib/transport/call_hub.ts", "lib/local/mod.ts"],
        ["lib/local/rest/router.ts", "lib/transport/hub_transport.ts"],
        ["lib/local/records/identity_store.ts", "lib/local/hub_state.ts"],
      ] as const
    ) assert.notEqual(faultOf(from, to), undefined, `${from} -> ${to}`);
    assert.equal(faultOf("lib/twins/twins.ts", "lib/values/checks.ts"), undefined);
  });
});

describe("importing", () => {
  test("mod.ts reaches nothing but this module's own files, before the first message", () => {
    const { files, packages } = reachOf("mod.ts", ["static"]);
    assert.deepEqual([...packages], []);
    assert.ok(files.size > 20, "the graph was followed");
    assert.ok(![...files].some((file) => file.startsWith("lib/amqp/") || file.startsWith("lib/local/")));
  });

  test("mod.ts reaches rhea by a dynamic import", () => {
    assert.deepEqual([...reachOf("mod.ts", ["static", "dynamic"]).packages], ["rhea"]);
  });

  test("lib/http.ts reaches nothing else in any way", () => {
    assert.deepEqual([...reachOf("lib/http.ts", ["static", "dynamic"]).packages], []);
  });

  test("lib/fleet/mod.ts reaches nothing else in any way, and no noun", () => {
    const { files, packages } = reachOf("lib/fleet/mod.ts", ["static", "dynamic"]);
    assert.deepEqual([...packages], []);
    assert.ok(![...files].some((file) => /^lib\/(?:amqp|local|twins|queries|methods)\//.test(file)));
  });

  test("lib/local/mod.ts reaches one package, before it listens or checks a bearer token", () => {
    const { packages } = reachOf("lib/local/mod.ts", ["static"]);
    assert.deepEqual([...packages].sort(), ["@noble/hashes/hmac", "@noble/hashes/sha2"]);
  });
});

const isDeno = "Deno" in globalThis;

describe("on Deno", { skip: isDeno ? false : "only Deno has permissions" }, () => {
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ["run", "--no-prompt", "--quiet", ...args], { cwd: fileURLToPath(ROOT) });

  test("mod.ts loads without any permission", async () => {
    // A child for which no flag is given would have the permissions of the test.
    await run("--deny-env", "--deny-net", "--deny-read", "--deny-run", "--deny-sys", "mod.ts");
  });

  test("a user of HTTP needs permission for the hub's host and nothing else", async (t) => {
    const server = createServer((_request, response) => response.end('{"deviceId":"d"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { stdout } = await run(`--allow-net=${host}`, "tests/support/http_user.ts", host);
    assert.equal(stdout.trim(), "d");
  });
});

test("the version in User-Agent is that of deno.json", () => {
  const { version } = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  assert.equal(VERSION, version);
});
