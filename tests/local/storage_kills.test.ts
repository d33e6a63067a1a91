import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalHub } from "../../lib/local/mod.ts";
import { seededRandom } from "../support/random.ts";
import type { Json } from "../support/rest_caller.ts";
import { SEED } from "../support/seed.ts";
import { HAS_SQLITE, openedHub, type OpenHub, StorageScene, takeMessage } from "../support/storage_scene.ts";
import { type Fact, slotOf } from "../support/storage_writer.ts";
import { sized } from "../support/test_size.ts";

const FEEDBACK = "/messages/serviceBound/feedback";
const program = fileURLToPath(new URL("../support/storage_writer.ts", import.meta.url));

/** Runs the program until it has said so many lines, kills it at some moment soon after, and returns what it has said. */
async function killAfter(lines: number, delayInMs: number, args: readonly string[]): Promise<Fact[]> {
  const command = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
  const child = spawn(process.execPath, [...command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let errors = "";
  let isDying = false;
  child.stderr.on("data", (text: Uint8Array) => errors += new TextDecoder().decode(text));
  const ended = new Promise<string | null>((resolve) => child.on("close", (_, signal) => resolve(signal)));
  child.stdout.on("data", (text: Uint8Array) => {
    said += new TextDecoder().decode(text);
    if (isDying || said.split("\n").length <= lines) return;
    isDying = true;
    setTimeout(() => child.kill("SIGKILL"), delayInMs);
  });
  assert.equal(await ended, "SIGKILL", `the program has ended by itself: ${errors}`);
  return said.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** What all rounds have said, by the kinds of what was said. */
class Ledger {
  readonly #facts = new Map<string, string[]>();

  add(facts: readonly Fact[]): void {
    for (const [kind, name] of facts) this.#facts.set(kind, [...this.of(kind), name]);
  }

  of(kind: string): string[] {
    return this.#facts.get(kind) ?? [];
  }

  /** Those of a kind that were not taken away again. */
  left(kind: string, gone: string): string[] {
    const taken = new Set(this.of(gone));
    return this.of(kind).filter((name) => !taken.has(name));
  }
}

async function check(open: OpenHub, ledger: Ledger, rounds: number): Promise<void> {
  const { hub, rest, asDevice } = open;
  assert.deepEqual(new Set(ledger.of("keys")), new Set([hub.connectionString]), "the keys stay");

  // In each round, one may have been taken away, of which the program could not say it any more.
  const isThere = async (deviceId: string): Promise<boolean> =>
    (await rest.call("GET", `/devices/${deviceId}`)).status === 200;
  const lostDevices: string[] = [];
  for (const deviceId of ledger.left("device", "removed")) if (!await isThere(deviceId)) lostDevices.push(deviceId);
  assert.ok(lostDevices.length <= rounds, `lost devices: ${lostDevices}`);
  for (const deviceId of ledger.of("removed")) {
    assert.ok(!await isThere(deviceId), deviceId);
  }
  for (const name of ledger.of("bulk").slice(-10)) {
    for (const index of [0, 19]) await rest.do("GET", `/devices/${name}-${index}`);
  }

  const { tags, properties } = await rest.do("GET", "/twins/base");
  for (const [kind, section] of [["tags", tags], ["reported", properties.reported]]) {
    const names = ledger.of(kind);
    const last = new Map(names.map((name) => [slotOf(name), name]));
    for (const [slot, name] of last) assert.ok(isNotOlder(section[slot], name), `${kind} ${section[slot]} < ${name}`);
  }

  const configurations: Json[] = await rest.do("GET", "/configurations");
  const ids = new Set(configurations.map(({ id }) => id));
  const lost = ledger.left("configuration", "configuration gone").filter((id) => !ids.has(id));
  assert.ok(lost.length <= rounds, `lost configurations: ${lost}`);
  for (const id of ledger.of("configuration gone")) assert.ok(!ids.has(id), id);

  const blobs = new Set(hub.blobContainer("fleet").list());
  for (const name of ledger.of("blob")) {
    assert.ok(blobs.has(name), name);
    const text = new TextDecoder().decode(hub.blobContainer("fleet").read(name));
    assert.equal(text, name.repeat(text.length / name.length));
  }

  // Uploads that have ended are not there, and the others are.
  for (const correlationId of ledger.of("upload gone").slice(-5)) {
    assert.equal((await endUpload(asDevice, correlationId)).status, 400);
  }

  await hub.settled();
  for (const jobId of ledger.of("job")) {
    const { status, failureReason } = await rest.do("GET", `/jobs/v2/${jobId}`);
    assert.equal(status, "completed", failureReason);
  }
  for (const jobId of ledger.of("transfer")) {
    assert.equal((await rest.do("GET", `/jobs/${jobId}`)).status, "completed");
  }
}

function endUpload(asDevice: OpenHub["asDevice"], correlationId: string): Promise<Response> {
  return asDevice("base", "POST", "/files/notifications", { correlationId, isSuccess: false, statusCode: 500 });
}

/** Whether a name was said in a later round than another, or later in the same. */
function isNotOlder(name: string, than: string): boolean {
  const [, round, n] = name.split("-").map(Number);
  const [, otherRound, otherN] = than.split("-").map(Number);
  return round! > otherRound! || (round === otherRound && n! >= otherN!);
}

/** Takes all that waits, with the locks that nobody has any more. No message and no feedback is stuck. */
async function drain(open: OpenHub, scene: StorageScene, ledger: Ledger, received: Set<string>): Promise<void> {
  scene.now += 2 * 60_000;
  const texts: string[] = [];
  for (;;) {
    const message = await takeMessage(open, "base", "complete");
    if (message === undefined) break;
    texts.push(message.text);
  }
  assert.equal((await open.rest.do("GET", "/devices/base")).cloudToDeviceMessageCount, 0);
  const sent = ledger.left("message", "completed");
  const missing = sent.filter((text) => !texts.includes(text));
  // One may be completed of which the program could not say it any more.
  assert.ok(missing.length <= 1, `lost messages: ${missing}`);
  const known = texts.filter((text) => sent.includes(text));
  assert.deepEqual(known, sent.filter((text) => texts.includes(text)), "in the order in which they were sent");
  ledger.add([...texts, ...missing].map((text) => ["completed", text]));
  ledger.add(texts.filter((text) => !sent.includes(text)).map((text) => ["message", text]));

  scene.now += 2 * 60_000;
  for (;;) {
    const { status, body, headers } = await open.rest.call("GET", FEEDBACK);
    if (status === 204) break;
    await open.rest.do("DELETE", `${FEEDBACK}/${headers.get("iothub-messagelocktoken")}`);
    for (const { originalMessageId } of body) received.add(originalMessageId);
  }
  for (const id of ledger.of("feedback")) received.add(id);
  const unheard = ledger.of("completed").filter((text) => !received.has(text));
  // Feedback may have been received of which the program could not say it any more: the batch of one record.
  assert.ok(unheard.length <= 1, `no feedback on ${unheard}`);
  for (const text of unheard) received.add(text);
}

const ROUNDS = sized(2, 50);

describe("A hub with storage that is killed again and again", {
  skip: HAS_SQLITE ? false : "this runtime has no SQLite",
}, () => {
  test("has lost nothing that it has acknowledged, and nothing is stuck", async () => {
    using scene = new StorageScene();
    const random = seededRandom(SEED);
    const ledger = new Ledger();
    const received = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const lines = 20 + Math.floor(random() * 60);
      const facts = await killAfter(lines, random() * 30, [scene.path(), String(SEED), String(round)]);
      ledger.add(facts);
      scene.now = Date.now();
      const hub = new LocalHub({
        storage: scene.path(),
        now: () => scene.now,
        clockSkewInSeconds: 1e9,
        feedbackIntervalInMs: 0,
      });
      await using open = openedHub(hub);
      await check(open, ledger, round + 1);
      await drain(open, scene, ledger, received);
    }
    assert.ok(ledger.of("message").length > 0);
  });
});
