import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { signAsDevice } from "../support/device_caller.ts";
import { RestCaller } from "../support/rest_caller.ts";

/** A hub with a device that sends telemetry over a socket. */
async function setup(): Promise<{ hub: LocalHub; rest: RestCaller; send: (signal?: AbortSignal) => Promise<number> }> {
  const hub = new LocalHub();
  const { http } = await hub.listen({ http: 0 });
  const rest = new RestCaller(hub);
  await rest.createDevices("d");
  const { primaryKey } = (await rest.do("GET", "/devices/d")).authentication.symmetricKey;
  const authorization = signAsDevice(hub.hostName, "/devices/d", primaryKey);
  const url = `${http}/devices/d/messages/events?api-version=2021-04-12`;
  const send = async (signal?: AbortSignal): Promise<number> => {
    const init = { method: "POST", headers: { authorization }, body: "x", ...(signal && { signal }) };
    const response = await fetch(url, init);
    await response.arrayBuffer();
    return response.status;
  };
  return { hub, rest, send };
}

async function lastActivity(rest: RestCaller): Promise<number> {
  return Date.parse((await rest.do("GET", "/devices/d")).lastActivityTime);
}

describe("Faults of the local hub towards devices over HTTPS", () => {
  test("are errors, one for each request, in their order, and not for back ends", async () => {
    const { hub, rest, send } = await setup();
    await using _hub = hub;
    hub.faults.deviceHttp.answer(503, 2);
    hub.faults.deviceHttp.answer(429);
    await rest.do("GET", "/devices/d");
    await rest.do("GET", "/devices/d/modules");
    assert.deepEqual([await send(), await send(), await send(), await send()], [503, 503, 429, 204]);
  });

  test("are not carried out when they are errors", async () => {
    const { hub, rest, send } = await setup();
    await using _hub = hub;
    hub.faults.deviceHttp.answer(500);
    await send();
    assert.ok(await lastActivity(rest) < 0, "the device was never active");
  });

  test("are delays of answers to what was carried out", async () => {
    const { hub, rest, send } = await setup();
    await using _hub = hub;
    hub.faults.deviceHttp.delay(200);
    const started = performance.now();
    assert.equal(await send(), 204);
    assert.ok(performance.now() - started >= 195);
    assert.ok(await lastActivity(rest) > 0);
  });

  test("are answers that never come, until the caller gives up or the hub is closed", async () => {
    const { hub, rest, send } = await setup();
    hub.faults.deviceHttp.ignoreAnswers(2);
    const caller = new AbortController();
    const first = send(caller.signal);
    while (!(await lastActivity(rest) > 0)) await new Promise((resolve) => setImmediate(resolve));
    caller.abort();
    await assert.rejects(first, { name: "AbortError" });
    const second = assert.rejects(send());
    await hub.close();
    await second;
  });
});
