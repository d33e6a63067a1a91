import assert from "node:assert/strict";
import { execFile, type ExecFileOptions } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { IoTHubRegistryManager } from "../../mod.ts";
import { readOptions, UsageError } from "../../lib/local/program/options.ts";
import { HubProgram, hubProgramCommand, temporaryFolder } from "../support/hub_program.ts";

const FREE_PORTS = ["--https", "0", "--amqps", "0", "--mqtts", "0"];
const KEY = btoa("0123456789abcdef");

/** Runs the program to its end. */
async function runToEnd(...args: string[]) {
  const program = new HubProgram(args);
  const code = await program.ended();
  return { code, output: program.output, errors: program.errors.join("\n") };
}

/** Runs a script, and returns what it writes. */
async function shell(script: string, options: ExecFileOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile("sh", ["-c", script], options, (error, output) => error === null ? resolve(String(output)) : reject(error));
  return await promise;
}

function quoted(...words: string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

async function managerOf(program: HubProgram): Promise<IoTHubRegistryManager> {
  const { connectionStrings, environment } = await program.ready();
  const ca = await readFile(environment["NODE_EXTRA_CA_CERTS"]!, "utf8");
  return IoTHubRegistryManager.fromConnectionString(connectionStrings["iothubowner"]!, { tls: { ca } });
}

describe("the hub as a program", { timeout: 60_000 }, () => {
  test("tells its options and its version", async () => {
    const help = await runToEnd("--help");
    assert.equal(help.code, 0);
    assert.match(help.output, /--seed FILE/);
    const { code, output } = await runToEnd("--version");
    assert.equal(code, 0);
    assert.match(output, /^\d+\.\d+\.\d+\n$/);
  });

  for (
    const [args, message] of [
      [["--htps", "1"], /--htps/],
      [["--https", "65536"], /--https "65536": it must be a port/],
      [["--show", "twins"], /--show "twins": it must be none, or some of operation/],
      [["--key", `owner=${KEY}`], /one of iothubowner/],
      [["extra"], /extra/],
    ] as const
  ) {
    test(`cannot use ${args.join(" ").replace(KEY, "…")}`, () => {
      assert.throws(() => readOptions(args, {}), (error) => error instanceof UsageError && message.test(error.message));
    });
  }

  test("refuses what it cannot use with exit code 2, and shows no key", async () => {
    const { code, output, errors } = await runToEnd("--key", KEY);
    assert.deepEqual([code, output], [2, ""]);
    assert.match(errors, /A key must be NAME=KEY/);
    assert.ok(!errors.includes(KEY));
  });

  test("serves clients, tells what happens, and ends when it is told to", async () => {
    await using folder = await temporaryFolder();
    await using program = new HubProgram([...FREE_PORTS, "--json", "--folder", folder.path]);
    await using registry = await managerOf(program);
    await registry.createDeviceWithSas("thermostat");
    const line = JSON.parse(await program.line(/"operation"/));
    const { kind, operation, caller, deviceId, status } = line;
    assert.deepEqual({ kind, operation, caller, deviceId, status }, {
      kind: "operation",
      operation: "createOrUpdateDevice",
      caller: "iothubowner",
      deviceId: "thermostat",
      status: 200,
    });
    program.signal("SIGINT");
    assert.equal(await program.ended(), 0);
  });

  test("keeps its certificate, and the keys that it is given", async () => {
    await using folder = await temporaryFolder();
    const args = [...FREE_PORTS, "--json", "--folder", folder.path];
    const runs = [];
    for (let run = 0; run < 2; run++) {
      await using program = new HubProgram(args, { IOTHUB_LOCAL_KEYS: `iothubowner=${KEY}` });
      const { connectionStrings, environment, addresses } = await program.ready();
      const [cert, bundle] = await Promise.all(
        ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"].map((name) => readFile(environment[name]!, "utf8")),
      );
      assert.equal(addresses.certificate, cert);
      assert.ok(bundle!.endsWith(cert!) && bundle!.length > 100_000, "the public roots are there, too");
      assert.match(connectionStrings["iothubowner"]!, new RegExp(`SharedAccessKey=${KEY}$`));
      runs.push({ cert, owner: connectionStrings["iothubowner"]!.replace(/:\d+/, "") });
    }
    assert.deepEqual(runs[0], runs[1]);
  });

  test("makes a new certificate when it cannot use the one that is there", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "hub.pem"), "damaged");
    await writeFile(join(folder.path, "hub.key.pem"), "damaged");
    await using program = new HubProgram([...FREE_PORTS, "--json", "--folder", folder.path]);
    await using registry = await managerOf(program);
    assert.equal((await registry.getDeviceRegistryStatistics()).totalDeviceCount, 0);
  });

  test("shows the events that are asked for, in words", async () => {
    await using folder = await temporaryFolder();
    const args = [...FREE_PORTS, "--folder", folder.path, "--device", "b", "--show", "operation"];
    await using program = new HubProgram([...args, "--json"]);
    await using registry = await managerOf(program);
    for (const id of ["a", "b"]) await registry.createDeviceWithSas(id);
    await program.line(/"deviceId":"b"/);
    assert.ok(program.errors.every((line) => JSON.parse(line).deviceId === "b"));
  });

  test("prints what a shell can run", async () => {
    await using folder = await temporaryFolder();
    await using program = new HubProgram([...FREE_PORTS, "--folder", folder.path, "--name", "localhost"]);
    await program.printed();
    const output = await shell(`${program.output}\nprintf %s "$IOTHUB_CS"`);
    assert.match(output, /^HostName=localhost:\d+;SharedAccessKeyName=iothubowner;SharedAccessKey=[\w+/]+=*$/);
  });

  test("runs in a script of a CI service", { skip: process.platform === "win32" }, async () => {
    await using folder = await temporaryFolder();
    const bin = join(folder.path, "bin");
    await mkdir(bin);
    const [program, ...args] = hubProgramCommand();
    const ports = FREE_PORTS.join(" ");
    const commands = {
      "iothub-local-hub": `exec ${quoted(program, ...args)} ${ports} "$@"`,
      "npm": 'echo "$1 $IOTHUB_CS"',
    };
    for (const [name, text] of Object.entries(commands)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const script = await readFile(new URL("../users/hub_in_ci.sh", import.meta.url), "utf8");
    const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
    // As in a CI service, what still runs is ended with the step.
    const output = await shell(`trap 'kill $!' EXIT\n${script}`, { cwd: folder.path, env });
    assert.match(output, /^test HostName=localhost:\d+;SharedAccessKeyName=iothubowner;/);
  });

  test("begins with identities of a file, and names the lines that it cannot use", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "devices.txt");
    const authentication = { type: "sas", symmetricKey: { primaryKey: KEY, secondaryKey: KEY } };
    const lines = [
      { id: "good", status: "enabled", authentication, tags: { floor: 3 } },
      { id: "bad/id", status: "enabled" },
    ];
    await writeFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
    await using program = new HubProgram([...FREE_PORTS, "--json", "--folder", folder.path, "--seed", file]);
    await using registry = await managerOf(program);
    assert.equal((await registry.getDevice("good")).authentication?.symmetricKey?.primaryKey, KEY);
    assert.deepEqual((await registry.getTwin("good")).tags, { floor: 3 });
    assert.match(await program.line(/devices\.txt/), /bad\/id/);
  });

  test("has with --data what it was told in an earlier run, whatever has ended that", async () => {
    await using folder = await temporaryFolder();
    const args = [...FREE_PORTS, "--json", "--folder", folder.path, "--data", join(folder.path, "hub.sqlite")];
    const keys = new Set<string>();
    for (let run = 0; run < 3; run++) {
      await using program = new HubProgram(args);
      await using registry = await managerOf(program);
      const { totalDeviceCount } = await registry.getDeviceRegistryStatistics();
      assert.equal(totalDeviceCount, run);
      await registry.createDeviceWithSas(`d${run}`);
      await registry.updateTwin(`d${run}`, { tags: { run } });
      if (run > 0) assert.deepEqual((await registry.getTwin("d0")).tags, { run: 0 });
      keys.add((await program.ready()).connectionStrings["iothubowner"]!.split("SharedAccessKey=")[1]!);
      program.signal("SIGKILL");
      await program.ended();
    }
    assert.equal(keys.size, 1, "the keys are kept, too");
  });

  test("does not begin with a file that is no data of a hub, and leaves it as it is", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "hub.sqlite");
    await writeFile(file, "no database ".repeat(1000));
    const { code, errors } = await runToEnd(...FREE_PORTS, "--folder", folder.path, "--data", file);
    assert.equal(code, 1);
    assert.ok(errors.includes(file), errors);
    assert.equal(await readFile(file, "utf8"), "no database ".repeat(1000));
  });

  test("answers whether it is there, to anybody", async () => {
    await using folder = await temporaryFolder();
    const args = ["--http", "0", ...FREE_PORTS, "--json", "--folder", folder.path];
    await using program = new HubProgram(args);
    const { addresses } = await program.ready();
    const response = await fetch(`${addresses.http}/health`);
    assert.deepEqual([response.status, await response.json()], [200, { status: "ok" }]);
  });

  test("says which port another program has, and ends with exit code 1", async () => {
    await using folder = await temporaryFolder();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const args = ["--https", "0", "--amqps", String(port), "--mqtts", "0", "--folder", folder.path];
    const { code, output, errors } = await runToEnd(...args);
    server.close();
    assert.deepEqual([code, output], [1, ""]);
    assert.match(errors, new RegExp(`The port ${port} for amqps cannot be had: another program has it.*--amqps PORT`));
  });

  test("warns when other machines reach it", async () => {
    await using folder = await temporaryFolder();
    const args = [...FREE_PORTS, "--json", "--folder", folder.path, "--host", "0.0.0.0"];
    await using program = new HubProgram(args);
    await program.ready();
    assert.match(program.errors[0]!, /^Other machines reach this hub at 0\.0\.0\.0/);
  });
});
