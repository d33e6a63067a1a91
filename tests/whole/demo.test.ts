import assert from "node:assert/strict";
import { type ChildProcess, execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { complaintText } from "../demo/csv_lines.ts";
import { type DemoOptions, runDemo } from "../demo/demo.ts";
import { FieldDevices } from "../demo/field_devices.ts";
import { type FleetDevice, type FleetFile, readFleetFile } from "../demo/fleet_file.ts";
import { expectedComplaints, HEADER, LINES, linesText, SHA_1 } from "../support/fleet_lines.ts";

const FLEET_FILE = fileURLToPath(new URL("../fixtures/fleet.csv", import.meta.url));
const MAIN = fileURLToPath(new URL("../demo/main.ts", import.meta.url));

async function readFixture(): Promise<FleetFile> {
  return readFleetFile(await readFile(FLEET_FILE, "utf8"));
}

function countBy(devices: readonly FleetDevice[], key: (device: FleetDevice) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const device of devices) counts[key(device)] = (counts[key(device)] ?? 0) + 1;
  return counts;
}

/** Runs the demo against a hub and keeps what it prints. */
async function run(
  registry: IoTHubRegistryManager,
  options: Partial<DemoOptions> & Pick<DemoOptions, "devices">,
): Promise<Awaited<ReturnType<typeof runDemo>> & { text: string }> {
  const lines: string[] = [];
  const output = { line: (text = "") => void lines.push(text), progress: () => {} };
  const result = await runDemo({ registry, output, removeAtEnd: false, ...options });
  return { ...result, text: lines.join("\n") };
}

describe("the fleet file of the demo", () => {
  test("is free of faults and has several sites, every authentication, disabled devices and gateways with children", async () => {
    const { devices, complaints } = await readFixture();
    assert.deepEqual(complaints, []);
    assert.ok(devices.length >= 300, `${devices.length} devices`);
    assert.equal(Object.keys(countBy(devices, ({ site }) => site)).length, 5);
    assert.deepEqual(Object.keys(countBy(devices, ({ authentication }) => authentication)).sort(), [
      "ca",
      "sas",
      "x509",
    ]);
    assert.ok(Object.keys(countBy(devices, ({ model }) => model)).length >= 4);
    assert.ok(devices.some(({ secondaryThumbprint }) => secondaryThumbprint !== undefined));
    const disabled = devices.filter(({ status }) => status === "disabled");
    assert.ok(disabled.length >= 10 && disabled.every(({ statusReason }) => statusReason !== undefined));
    const gateways = new Set(devices.filter(({ iotEdge }) => iotEdge).map(({ deviceId }) => deviceId));
    const children = devices.filter(({ parent }) => parent !== undefined);
    assert.ok(children.length >= 100 && children.every(({ parent }) => gateways.has(parent!)));
    assert.ok(children.some(({ iotEdge }) => iotEdge), "a gateway behind a gateway");
    assert.ok(devices.some(({ hall }) => /[^\x20-\x7e]/.test(hall)) && devices.some(({ hall }) => hall.includes('"')));
    const specials = new Set(devices.flatMap(({ deviceId }) => deviceId.match(/[^A-Za-z0-9-]/g) ?? []));
    assert.deepEqual([...specials].sort(), [..."!$%'()*,.:=?@_"]);
  });

  test("with bad lines gives the number, value and reason of each, and keeps the good ones", () => {
    const { devices, complaints } = readFleetFile(linesText());
    assert.deepEqual(complaints.map(complaintText), expectedComplaints());
    assert.deepEqual(devices.map(({ deviceId }) => deviceId), ["good-1", "good-2", "gate", "GOOD-1", "#30"]);
    assert.deepEqual(devices[1], {
      line: 5,
      deviceId: "good-2",
      model: "pump",
      site: "Süd",
      hall: 'H 1, "A"',
      floor: 0,
      installed: "2024-02-29",
      authentication: "x509",
      primaryThumbprint: SHA_1,
      status: "disabled",
      statusReason: 'moved, "lost"',
      iotEdge: false,
      parent: "gate",
      intervalInSeconds: 60,
      firmwareChannel: "beta",
    });
  });

  test("may have its columns in any order, and must name them all", () => {
    const reversed = (line: string) => line.split(",").reverse().join(",");
    const { devices } = readFleetFile(`${reversed(HEADER)}\n${reversed("d1,m,s,h,1,2024-01-01,sas,,,,,,,,")}\n`);
    assert.equal(devices[0]?.deviceId, "d1");
    assert.throws(() => readFleetFile("\n# nothing\n"), /SyntaxError: The file is empty/);
    assert.throws(
      () => readFleetFile(HEADER.replace("site", "Site")),
      /SyntaxError: Line 1 must name the columns, and lacks site and has "Site" too much/,
    );
  });
});

describe("the demo on the embedded hub", () => {
  test("leaves the fleet on the hub as the file describes it", async () => {
    const { devices } = await readFixture();
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await using field = new FieldDevices(hub);
    const result = await run(registry, { devices, field });
    assert.deepEqual(result.failures, []);
    assert.equal(result.created.length, devices.length);

    const actual = new Map<string, Record<string, unknown>>();
    for await (const twin of registry.query("SELECT * FROM devices")) {
      const { firmware, intervalInSeconds } = twin.properties.desired;
      actual.set(twin.deviceId!, {
        status: twin.status,
        statusReason: twin.statusReason,
        authenticationType: twin.authenticationType,
        iotEdge: twin.capabilities?.iotEdge,
        parentScope: twin.parentScopes?.[0],
        tags: twin.tags,
        firmware,
        intervalInSeconds,
      });
    }
    const scopes = new Map<string, string>();
    for (const { deviceId, iotEdge } of devices) {
      if (iotEdge) scopes.set(deviceId, (await registry.getDevice(deviceId)).deviceScope!);
    }
    const types = { sas: "sas", x509: "selfSigned", ca: "certificateAuthority" };
    assert.equal(actual.size, devices.length);
    for (const device of devices) {
      const { site, hall, floor, model, installed, firmwareChannel } = device;
      assert.deepEqual(actual.get(device.deviceId), {
        status: device.status,
        statusReason: device.statusReason,
        authenticationType: types[device.authentication],
        iotEdge: device.iotEdge,
        parentScope: device.parent === undefined ? undefined : scopes.get(device.parent),
        tags: { demoRun: result.runId, site, hall, floor, model, installed },
        firmware: firmwareChannel === undefined ? undefined : { channel: firmwareChannel },
        intervalInSeconds: device.intervalInSeconds,
      });
    }
    const thumbprints = devices.find(({ secondaryThumbprint }) => secondaryThumbprint !== undefined)!;
    const { primaryThumbprint, secondaryThumbprint } = thumbprints;
    const { authentication } = await registry.getDevice(thumbprints.deviceId);
    assert.deepEqual({ ...authentication?.x509Thumbprint }, { primaryThumbprint, secondaryThumbprint });
  });

  test("shows counts that are those of the file, answers of devices, messages that arrived, and drift", async () => {
    const { devices } = await readFixture();
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    await using field = new FieldDevices(hub);
    const { text } = await run(registry, { devices, field });
    const enabled = devices.filter(({ status }) => status === "enabled").length;
    const online = enabled - Math.floor(enabled / 8);
    assert.ok(text.includes(
      `Statistics of the whole hub: ${devices.length} devices, ${enabled} enabled, ` +
        `${devices.length - enabled} disabled, ${online} connected`,
    ));
    for (const [model, count] of Object.entries(countBy(devices, ({ model }) => model))) {
      assert.match(text, new RegExp(`^  ${model} +${count}$`, "m"));
    }
    for (const [site, count] of Object.entries(countBy(devices, ({ site }) => site))) {
      assert.match(text, new RegExp(`^  ${site} +${count} `, "m"));
    }
    const [, called, answered, offline] = text.match(/called on (\d+) devices: (\d+) answered, (\d+) offline/)!;
    assert.ok(Number(answered) > 0 && Number(offline) > 0 && Number(answered) + Number(offline) === Number(called));
    assert.ok(text.includes(
      `Messages, ${called} sent: ${called} accepted by the hub, ${answered} arrived, ${offline} waiting`,
    ));
    assert.match(text, /^ {2}\S*camera\S* +beta +stable$/m);
    assert.deepEqual(text.split("\n").filter((line) => [...line].length > 100), []);
  });

  test("registers what can be used of a file with bad lines", async () => {
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const { created, failures } = await run(registry, { devices: readFleetFile(linesText()).devices });
    const ids = ["#30", "GOOD-1", "gate", "good-1", "good-2"];
    assert.deepEqual(failures, []);
    assert.deepEqual(created.sort(), ids);
    assert.deepEqual((await registry.getDevices()).map(({ deviceId }) => deviceId).sort(), ids);
  });

  test("reports what the hub refuses, and those behind it, and goes on", async () => {
    const device = readFleetFile(linesText()).devices[0]!;
    const chain = Array.from({ length: 7 }, (_, index): FleetDevice => ({
      ...device,
      deviceId: `gate-${index}`,
      iotEdge: true,
      ...(index > 0 && { parent: `gate-${index - 1}` }),
    }));
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const { created, failures, text } = await run(registry, { devices: [...chain, device] });
    assert.deepEqual(created.sort(), ["gate-0", "gate-1", "gate-2", "gate-3", "gate-4", "good-1"]);
    assert.deepEqual(failures.map(({ deviceId }) => deviceId), ["gate-5", "gate-6"]);
    assert.match(failures[0]!.reason, /^InvalidDeviceScope: /);
    assert.equal(failures[1]!.reason, "its gateway gate-5 is not there");
    assert.match(text, /^2 failures on the hub:\n {2}gate-5: InvalidDeviceScope/m);
  });
});

/** A hub with devices on it, two of which the fleet names too; behind real sockets, as a hub is. */
async function occupiedHub(devices: readonly FleetDevice[], spoil?: (request: Request) => Promise<void> | void) {
  const hub = new LocalHub();
  const { http, amqp } = await hub.listen({ http: 0, amqp: 0 });
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
    endpoint: http!,
    amqpEndpoint: amqp!,
    ...(spoil !== undefined && {
      fetch: async (url: string, init?: RequestInit) => {
        const request = new Request(url, init);
        const answer = await fetch(request.clone());
        await spoil(request);
        return answer;
      },
    }),
  });
  const gateway = devices.find(({ iotEdge, parent }) => iotEdge && parent === undefined)!;
  const leaf = devices.find(({ parent, iotEdge }) => parent === undefined && !iotEdge)!;
  const ids = [gateway.deviceId, leaf.deviceId, "someone-elses"];
  await registry.createDeviceWithSas(gateway.deviceId, { iotEdge: true });
  await registry.createDeviceWithSas(leaf.deviceId, { statusReason: "not yours" });
  await registry.createDeviceWithCertificateAuthority("someone-elses");
  await registry.updateTwin(leaf.deviceId, { tags: { site: "elsewhere", demoRun: "0badcafe" } });
  async function state(): Promise<unknown[]> {
    const all = (await registry.getDevices()).sort((a, b) => a.deviceId! < b.deviceId! ? -1 : 1);
    return [...all, ...await Promise.all(ids.map((id) => registry.getTwin(id)))];
  }
  return {
    registry,
    ids,
    state,
    async [Symbol.asyncDispose](): Promise<void> {
      await registry.close();
      await hub.close();
    },
  };
}

function watchBulkRequests(hub: LocalHub) {
  let count = 0;
  const { fetch, amqpEndpoint } = hub.clientOptions;
  return {
    bulkRequests: () => count,
    options: {
      amqpEndpoint,
      fetch: (url: string, init?: RequestInit) => {
        if (init?.method === "POST" && new URL(url).pathname === "/devices") count++;
        return fetch(url, init);
      },
    },
  };
}

describe("the demo on a hub that is in use", () => {
  test("leaves alone what was there and removes what it has created", async () => {
    const { devices } = await readFixture();
    await using hub = await occupiedHub(devices);
    const before = await hub.state();
    const { created, alreadyThere, failures, left, text } = await run(hub.registry, { devices, removeAtEnd: true });
    assert.deepEqual({ failures, left }, { failures: [], left: [] });
    assert.deepEqual(alreadyThere.sort(), hub.ids.slice(0, 2).sort());
    assert.equal(created.length, devices.length - 2);
    assert.match(text, /called on (\d+) devices: 0 answered, \1 offline/);
    assert.match(text, /(\d+) accepted by the hub, 0 arrived, \1 waiting/);
    assert.match(text, new RegExp(`^Removed ${created.length} devices that this run had created$`, "m"));
    assert.deepEqual(await hub.state(), before);
  });

  test("creates nothing where the hub does not know the key", async () => {
    const { devices } = await readFixture();
    await using hub = new LocalHub();
    const { bulkRequests, options } = watchBulkRequests(hub);
    const foreign = hub.connectionString.replace(/SharedAccessKey=.*/, `SharedAccessKey=${btoa("f".repeat(32))}`);
    await using registry = IoTHubRegistryManager.fromConnectionString(foreign, options);
    await assert.rejects(run(registry, { devices, removeAtEnd: true }), { name: "IoTHubError", statusCode: 401 });
    assert.equal(bulkRequests(), 0);
  });

  test("removes what it has created when it is interrupted", async () => {
    const { devices } = await readFixture();
    await using hub = await occupiedHub(devices);
    const before = await hub.state();
    const interruption = new AbortController();
    const output = {
      line() {},
      progress: (text: string) => text.startsWith("Set desired properties: 100") && interruption.abort(),
    };
    await assert.rejects(
      runDemo({ registry: hub.registry, devices, output, removeAtEnd: true, abortSignal: interruption.signal }),
      { name: "AbortError" },
    );
    assert.deepEqual(await hub.state(), before);
  });

  test("removes what it has created when the answer to a bulk request is lost", async () => {
    const { devices } = await readFixture();
    let bulkRequests = 0;
    await using hub = await occupiedHub(devices, (request) => {
      if (request.method !== "POST" || new URL(request.url).pathname !== "/devices") return;
      bulkRequests++;
      if (bulkRequests === 3) throw new TypeError("the connection broke");
    });
    const before = await hub.state();
    // Whether the client repeats the request or gives up: nothing may stay.
    await run(hub.registry, { devices, removeAtEnd: true }).catch((error) => assert.equal(error.code, "NetworkError"));
    assert.ok(bulkRequests > 3);
    assert.deepEqual(await hub.state(), before);
  });
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program as its users do, with the runtime that runs this test. */
function runMain(
  args: string[],
  environment: Record<string, string> = {},
  onStart: (child: ChildProcess) => void = () => {},
): Promise<Ended> {
  const { IOTHUB_CONNECTION_STRING: _, ...env } = process.env;
  const permissions = ["--allow-net", "--allow-env", "--allow-read"];
  const command = "Deno" in globalThis ? ["run", "--no-prompt", ...permissions, MAIN] : [MAIN];
  return new Promise((resolve) => {
    const options = { env: { ...env, NO_COLOR: "1", ...environment } };
    const child = execFile(process.execPath, [...command, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    onStart(child);
  });
}

describe("the demo as a program", () => {
  test("runs without arguments, ends with 0 and tells no secret", async () => {
    const { code, stdout, stderr } = await runMain([]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^Registered (\d+) of \1 devices$/m);
    assert.match(stdout, /^Next: /m);
    assert.doesNotMatch(stdout + stderr, /SharedAccess|primaryKey|sig=/i);
    assert.deepEqual(stdout.split("\n").filter((line) => [...line].length > 100), []);
  });

  test("goes on to its end when nobody reads what it prints", async () => {
    const { code, stderr } = await runMain([], {}, (child) => child.stdout?.destroy());
    // A run that takes long tells how far it is.
    const complaints = stderr.replace(/^.* \d+ of \d+.*\n/gm, "");
    assert.deepEqual({ code, complaints }, { code: 0, complaints: "" });
  });

  test("names the bad lines of a file, counts them and still ends with 0", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fleet-"));
    try {
      const file = join(directory, "fleet.csv");
      await writeFile(file, linesText());
      const { code, stdout, stderr } = await runMain([file]);
      assert.equal(code, 0, stdout + stderr);
      const bad = LINES.filter(([, complaint]) => complaint !== undefined).length;
      assert.match(stdout, new RegExp(`${bad} lines of the file:`));
      for (const complaint of expectedComplaints()) assert.ok(stdout.includes(`\n  ${complaint}\n`), complaint);
      assert.match(stdout, /^Registered 5 of 5 devices$/m);
      assert.match(stdout, new RegExp(`^Skipped: ${bad} lines, listed at the top$`, "m"));
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("ends with 2 when there is no such file, or the connection string is none", async () => {
    const missing = await runMain(["no-such-fleet.csv"]);
    assert.equal(missing.code, 2);
    assert.match(missing.stdout, /^Cannot start: .*no-such-fleet\.csv/);
    const wrong = await runMain([], {
      IOTHUB_CONNECTION_STRING: "HostName=h;SharedAccessKeyName=n;SharedAccessKey=se-cret",
    });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stdout, /^Cannot start: /);
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /se-cret/);
  });
});
