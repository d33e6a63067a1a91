import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  abandonFeedbackNotification,
  completeFeedbackNotification,
  createClient,
  receiveFeedbackNotification,
} from "../../gen/index.ts";
import { responseOf } from "../../lib/local/hub_answer.ts";
import { answerRest } from "../../lib/local/device_rest/answer_rest.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { MessagingHub } from "../support/messaging_hub.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { signSas } from "../support/sas.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A hub with so many batches of one record. */
function hubWithBatches(count: number): MessagingHub {
  const hub = new MessagingHub();
  for (let i = 1; i <= count; i++) {
    hub.send(`m${i}`, { ack: "full" });
    hub.queue.complete(hub.lock(), hub.now);
  }
  return hub;
}

describe("the feedback operations", () => {
  const LOST = [412, "DeviceMessageLockLost"];

  async function take(hub: MessagingHub): Promise<{ id: string; token: string }> {
    const { status, body, headers } = await hub.receive();
    assert.equal(status, 200);
    return { id: body[0].originalMessageId, token: headers.get("iothub-messagelocktoken")! };
  }

  async function isEmpty(hub: MessagingHub): Promise<boolean> {
    return (await hub.receive()).status === 204;
  }

  test("answer 204 where there is none", async () => {
    using hub = new MessagingHub();
    const { status, body } = await hub.receive();
    assert.deepEqual([status, body], [204, undefined]);
  });

  test("hand out a batch with its lock token, in a header of its own and as a quoted etag", async () => {
    using hub = hubWithBatches(1);
    const { status, headers, body } = await hub.receive();
    assert.equal(status, 200);
    assert.equal(body.length, 1);
    assert.equal(body[0].originalMessageId, "m1");
    const token = headers.get("iothub-messagelocktoken")!;
    assert.match(token, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(headers.get("etag"), `"${token}"`);
  });

  test("complete a batch once", async () => {
    using hub = hubWithBatches(1);
    const { token } = await take(hub);
    assert.equal((await hub.complete(token)).status, 204);
    for (const again of [await hub.complete(token), await hub.abandon(token)]) {
      assert.deepEqual([again.status, again.code], LOST);
    }
    assert.ok(await isEmpty(hub));
  });

  test("give an abandoned batch out again, with another token and before later ones", async () => {
    using hub = hubWithBatches(2);
    const first = await take(hub);
    assert.equal((await hub.abandon(first.token)).status, 204);
    const again = await take(hub);
    assert.equal(again.id, "m1");
    assert.notEqual(again.token, first.token);
    assert.deepEqual([(await hub.complete(first.token)).code], ["DeviceMessageLockLost"]);
    assert.equal((await hub.complete(again.token)).status, 204);
    assert.equal((await take(hub)).id, "m2");
  });

  test("drop a batch that is abandoned for the tenth time", async () => {
    using hub = hubWithBatches(1);
    for (let i = 0; i < 10; i++) await hub.abandon((await take(hub)).token);
    assert.ok(await isEmpty(hub));
  });

  test("give competing receivers different batches, and take a lock of a minute for lost", async () => {
    using hub = hubWithBatches(2);
    const [one, two] = [await take(hub), await take(hub)];
    assert.deepEqual([one.id, two.id], ["m1", "m2"]);
    assert.ok(await isEmpty(hub));
    hub.tick(MINUTE - 1);
    assert.ok(await isEmpty(hub));
    assert.equal((await hub.complete(two.token)).status, 204);
    hub.tick(1);
    const late = await hub.complete(one.token);
    assert.deepEqual([late.status, late.code], LOST);
    const again = await take(hub);
    assert.equal(again.id, "m1");
    assert.equal((await hub.abandon(one.token)).status, 412);
    assert.equal((await hub.complete(again.token)).status, 204);
  });

  test("do not count a lost lock as a delivery", async () => {
    using hub = hubWithBatches(1);
    for (let i = 0; i < 12; i++) {
      await take(hub);
      hub.tick(MINUTE);
    }
    assert.equal((await take(hub)).id, "m1");
  });

  test("keep a batch for an hour", async () => {
    using hub = hubWithBatches(1);
    hub.tick(HOUR - 1);
    await hub.abandon((await take(hub)).token);
    hub.tick(1);
    assert.ok(await isEmpty(hub));
  });

  test("need the right ServiceConnect", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    const registry = signSas({ connectionString: hub.connectionStringFor("registryReadWrite") });
    const service = signSas({ connectionString: hub.connectionStringFor("service") });
    const path = "/messages/servicebound/feedback";
    for (
      const [method, operation] of [["GET", path], ["DELETE", `${path}/t`], ["POST", `${path}/t/abandon`]] as const
    ) {
      assert.equal((await rest.call(method, operation, undefined, { authorization: registry })).status, 401);
      assert.notEqual((await rest.call(method, operation, undefined, { authorization: service })).status, 401);
    }
  });

  test("tell a back end what became of the messages that it sent", async () => {
    await using hub = new LocalHub({ feedbackIntervalInMs: 0 });
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
    const rest = new RestCaller(hub);
    await rest.createDevices("d");
    const received = new Promise((resolve) => hub.device("d").onMessage(({ messageId }) => resolve(messageId)));
    await registry.sendC2dMessage("d", "hello", { messageId: "m1", ack: "positive" });
    assert.equal(await received, "m1");
    const [record] = await rest.do("GET", "/messages/serviceBound/feedback");
    assert.deepEqual([record.originalMessageId, record.statusCode, record.deviceId], ["m1", "Success", "d"]);
  });

  test("can be called by their generated functions", async () => {
    using hub = hubWithBatches(1);
    const key = hub.state.policies.get("service")!.primaryKey;
    const connectionString = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${key}`;
    const client = createClient({
      baseUrl: "https://hub.example",
      fetch: async (input) => responseOf(await answerRest(hub.state, input as Request)),
      headers: { Authorization: signSas({ connectionString }) },
    });
    const query = { "api-version": "2021-04-12" } as const;

    async function receive(): Promise<string> {
      const { data, response } = await receiveFeedbackNotification({ client, query });
      assert.equal((data as { originalMessageId?: string }[])[0]?.originalMessageId, "m1");
      return response.headers.get("iothub-messagelocktoken")!;
    }
    const abandoned = await abandonFeedbackNotification({ client, query, path: { lockToken: await receive() } });
    assert.equal(abandoned.response.status, 204);
    const lockToken = await receive();
    const completed = await completeFeedbackNotification({ client, query, path: { lockToken } });
    assert.equal(completed.response.status, 204);
    assert.equal((await receiveFeedbackNotification({ client, query })).response.status, 204);
    const lost = await completeFeedbackNotification({ client, query, path: { lockToken }, throwOnError: false });
    assert.equal(lost.response?.status, 412);
  });
});
