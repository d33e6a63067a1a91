/**
 * A program whose hub is told one thing after another, of every kind, until the program is killed; run by a test. It says each
 * thing on a line of its own as soon as its hub has acknowledged it.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { LocalHub } from "../../lib/local/mod.ts";
import { choose, seededRandom } from "./random.ts";
import { openedHub, takeMessage } from "./storage_scene.ts";
import type { Json } from "./rest_caller.ts";

/** What the hub has acknowledged: `[kind, name]`. */
export type Fact = readonly [kind: string, name: string];

const FEEDBACK = "/messages/serviceBound/feedback";
const DEVICE = "base";
const QUEUE_DEPTH = 40;

async function write(path: string, seed: number, round: number): Promise<void> {
  const random = seededRandom(seed ^ round);
  const open = openedHub(new LocalHub({ storage: path, feedbackIntervalInMs: 0 }));
  const { hub, rest, registry, asDevice } = open;
  const say = (kind: string, name: string): void =>
    void writeSync(1, `${JSON.stringify([kind, name] satisfies Fact)}\n`);
  const container = hub.blobContainer("fleet");
  if (round === 0) await rest.createDevices(DEVICE);
  say("keys", hub.connectionString);

  const created: string[] = [];
  let waiting = (await rest.do("GET", `/devices/${DEVICE}`)).cloudToDeviceMessageCount as number;
  const steps: Record<string, (name: string) => Promise<unknown>> = {
    async device(name) {
      await registry.createDeviceWithSas(name);
      created.push(name);
    },
    async removed(name) {
      const deviceId = created.pop();
      if (deviceId === undefined) return;
      await registry.deleteDevice(deviceId);
      say("removed", deviceId);
      say("tags", await tagWith(name));
    },
    async bulk(name) {
      const devices = Array.from({ length: 20 }, (_, i) => ({ id: `${name}-${i}`, importMode: "create" }));
      await rest.do("POST", "/devices", devices);
    },
    async tags(name) {
      await tagWith(name);
    },
    async reported(name) {
      await hub.device(DEVICE).updateReportedProperties({ [slotOf(name)]: name });
    },
    async message(name) {
      if (waiting >= QUEUE_DEPTH) return void await steps["completed"]!(name);
      waiting++;
      await registry.sendC2dMessage(DEVICE, name, { ack: "full", messageId: name });
      say("message", name);
    },
    async completed() {
      const message = await takeMessage(open, DEVICE, "complete");
      if (message === undefined) return;
      waiting--;
      say("completed", message.text);
    },
    async feedback() {
      const { status, body, headers } = await rest.call("GET", FEEDBACK);
      if (status === 204) return;
      await rest.do("DELETE", `${FEEDBACK}/${headers.get("iothub-messagelocktoken")}`);
      for (const { originalMessageId } of body as Json[]) say("feedback", originalMessageId);
    },
    async configuration(name) {
      await rest.do("PUT", `/configurations/${name}`, {
        id: name,
        targetCondition: "*",
        content: { deviceContent: { "properties.desired.last": name } },
      });
      const all: Json[] = await rest.do("GET", "/configurations");
      for (const { id } of all.slice(0, -20)) {
        await rest.do("DELETE", `/configurations/${id}`);
        say("configuration gone", id);
      }
    },
    async job(name) {
      const body = { jobId: name, type: "scheduleUpdateTwin", updateTwin: { etag: "*", tags: { job: name } } };
      const { status } = await rest.call("PUT", `/jobs/v2/${name}`, body);
      // A hub has ten at a time.
      if (status === 200) say("job", name);
    },
    async transfer() {
      const body = { type: "export", outputBlobContainerUri: container.url, outputBlobName: "export.txt" };
      const { status, body: job } = await rest.call("POST", "/jobs/create", body);
      if (status === 200) say("transfer", job.jobId);
    },
    // deno-lint-ignore require-await
    async blob(name) {
      container.write(name, name.repeat(1 + Math.floor(random() * 10_000)));
    },
    async upload(name) {
      const begun = await asDevice(DEVICE, "POST", "/files", { blobName: name });
      // A device has ten at a time.
      if (begun.status !== 200) return;
      const { correlationId } = await begun.json();
      say("upload", correlationId);
      if (random() < 0.3) return;
      const ended = await asDevice(DEVICE, "POST", "/files/notifications", {
        correlationId,
        isSuccess: false,
        statusCode: 500,
      });
      if (ended.status === 204) say("upload gone", correlationId);
    },
  };
  const own = ["removed", "message", "completed", "feedback", "job", "transfer", "upload"];
  const kinds = Object.keys(steps);
  for (let n = 0;; n++) {
    const kind = choose(random, kinds);
    const name = `${kind}-${round}-${n}`;
    await steps[kind]!(name);
    if (!own.includes(kind)) say(kind, name);
  }

  async function tagWith(name: string): Promise<string> {
    await registry.updateTwin(DEVICE, { tags: { [slotOf(name)]: name } });
    return name;
  }
}

/** Where a name is written in a twin, which cannot hold all of them. */
export function slotOf(name: string): string {
  return `slot${Number(name.split("-").at(-1)) % 7}`;
}

if (process.argv[1]?.includes("storage_writer")) {
  const [path, seed, round] = process.argv.slice(2) as [string, string, string];
  await write(path, Number(seed), Number(round));
}
