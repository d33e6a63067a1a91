/** The Workers and the page of `tests/users`, run as their users would run them. */
import assert from "node:assert/strict";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub, type ServerCertificate } from "../../lib/local/mod.ts";
import { startConformanceHub } from "../../tests/conformance/conformance_hub.ts";
import { DEVICE } from "../../tests/conformance/names.ts";
import type { Bundles } from "./bundles.ts";
import { withPage } from "./chromium.ts";
import type { Browser, EdgeTools } from "./tools.ts";
import { startWorker } from "./workerd.ts";

const IDS = Array.from({ length: 20 }, (_, index) => `thermostat-${index}`);
const USERS = new URL("../../tests/users/", import.meta.url);
const RECIPES = new URL("../../lib/recipes.md", import.meta.url);

/** The recipes' Worker writes twins, for many requests at once. */
export async function useWorker(tools: EdgeTools, bundles: Bundles, tls: ServerCertificate): Promise<void> {
  await using hub = await hubWithDevices();
  const { https } = await hub.listen({ https: 0, tls });
  const script = await bundles.build(await recipe("A Worker that updates a twin"), "web");
  const worker = startWorker(tools.Miniflare, script, "/http", {
    IOTHUB_CONNECTION_STRING: hub.connectionString,
    IOTHUB_ENDPOINT: https!,
  });
  try {
    const put = (id: string): Promise<Response> =>
      worker.dispatchFetch(`http://worker/${id}/site`, { method: "PUT", body: `site of ${id}` });
    const answers = await Promise.all(IDS.map(async (id) => await (await put(id)).json()));
    assert.deepEqual(answers, IDS.map((id) => ({ site: `site of ${id}` })));
    const missing = await put("nobody");
    assert.deepEqual([missing.status, await missing.json()], [404, { code: "DeviceNotFound" }]);
  } finally {
    await worker.dispose();
  }
}

/** Requests that overlap share a manager: what one of them sets going must not be missed when it ends first. */
export async function shareManager(tools: EdgeTools, bundles: Bundles, tls: ServerCertificate): Promise<void> {
  await using conformance = await startConformanceHub(tls);
  const { hub, target: { connectionString, endpoint } } = conformance;
  await using registry = IoTHubRegistryManager.fromConnectionString(connectionString, hub.clientOptions);
  await registry.createDeviceWithSas(DEVICE);
  const program = `
    import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
    let registry: IoTHubRegistryManager | undefined;
    export default {
      async fetch(request: Request, { connectionString, ...options }: Record<string, string>) {
        const limits = { maxConcurrentRequests: 2 };
        registry ??= IoTHubRegistryManager.fromConnectionString(connectionString, { ...options, limits });
        const call = { methodName: await request.text() };
        const timeoutInMs = Number(new URL(request.url).searchParams.get("timeout"));
        const answer = registry.invokeDeviceMethod("${DEVICE}", call, { timeoutInMs });
        return new Response(await answer.then(({ status }) => status, (error) => error.code));
      },
    };`;
  const bindings = { connectionString, endpoint };
  const worker = startWorker(tools.Miniflare, await bundles.build(program, "web"), "/http", bindings);
  try {
    const call = async (methodName: string, timeoutInMs: number): Promise<string> =>
      await (await worker.dispatchFetch(`http://worker/?timeout=${timeoutInMs}`, { method: "POST", body: methodName }))
        .text();
    // The last two wait for their turn, and get it.
    const waiting = [call("wait", 300), call("wait", 600), call("echo", 10_000), call("wait", 900)];
    assert.deepEqual(await Promise.all(waiting), ["Timeout", "Timeout", "200", "Timeout"]);
  } finally {
    await worker.dispose();
  }
}

/** A Worker with Node compatibility sends messages, for many requests at once. */
export async function useMessageWorker(tools: EdgeTools, bundles: Bundles, tls: ServerCertificate): Promise<void> {
  await using hub = await hubWithDevices();
  const { wss } = await hub.listen({ https: 0, tls });
  const script = await bundles.build(await read("message_worker.ts"), "worker with Node");
  const worker = startWorker(tools.Miniflare, script, ".", {
    IOTHUB_CONNECTION_STRING: hub.connectionString,
    IOTHUB_AMQP_ENDPOINT: wss!,
  });
  try {
    const texts = IDS.map((id) => new Promise((resolve) => hub.device(id).onMessage(({ text }) => resolve(text))));
    const post = (id: string): Promise<Response> =>
      worker.dispatchFetch(`http://worker/${id}`, { method: "POST", body: `message for ${id}` });
    const answers = await Promise.all(IDS.map(async (id) => (await post(id)).status));
    assert.deepEqual(answers, IDS.map(() => 202));
    assert.deepEqual(await Promise.all(texts), IDS.map((id) => `message for ${id}`));
    const missing = await post("nobody");
    assert.deepEqual([missing.status, await missing.json()], [404, { code: "DeviceNotFound" }]);
  } finally {
    await worker.dispose();
  }
}

/** A Worker with Node compatibility reads events, each request those after the one before. */
export async function useEventWorker(tools: EdgeTools, bundles: Bundles, tls: ServerCertificate): Promise<void> {
  await using hub = await hubWithDevices();
  const { wss } = await hub.listen({ https: 0, tls });
  const script = await bundles.build(await read("event_worker.ts"), "worker with Node");
  const worker = startWorker(tools.Miniflare, script, ".", {
    IOTHUB_CONNECTION_STRING: hub.connectionString,
    IOTHUB_AMQP_ENDPOINT: wss!,
  });
  const send = (text: string): Promise<unknown> => Promise.all(IDS.map((id) => hub.device(id).sendTelemetry(text)));
  let after = "{}";
  const readOn = async (): Promise<string[]> => {
    const answer = await worker.dispatchFetch(`http://worker/?after=${encodeURIComponent(after)}`);
    const { events, ...rest } = await answer.json() as { events: { deviceId: string; text: string }[]; after: object };
    after = JSON.stringify(rest.after);
    return events.map(({ deviceId, text }) => `${text} of ${deviceId}`).sort();
  };
  try {
    for (const text of ["first", "second"]) {
      await send(text);
      assert.deepEqual(await readOn(), IDS.map((id) => `${text} of ${id}`).sort());
    }
    assert.deepEqual(await readOn(), []);
  } finally {
    await worker.dispose();
  }
}

/** A person fills in the page's form. */
export async function usePage(browser: Browser, bundles: Bundles, tls: ServerCertificate): Promise<void> {
  await using hub = await hubWithDevices("myhub.azure-devices.net");
  const script = await bundles.build(await read("page.ts"), "web");
  await withPage(browser, hub, { html: await read("page.html"), script, tls }, async (page) => {
    const save = async (deviceId: string, outcome: string): Promise<void> => {
      await page.fill("[name=deviceId]", deviceId);
      await page.fill("[name=site]", "Köln");
      await page.click("button");
      await page.waitForFunction(`document.querySelector("output").textContent === "${outcome}"`);
    };
    await save("thermostat-0", "saved");
    await page.waitForFunction('document.querySelectorAll("li").length === 1');
    assert.equal(await page.textContent("li"), "thermostat-0: Köln");
    await save("nobody", "DeviceNotFound");
  });
}

async function hubWithDevices(hostName?: string): Promise<LocalHub> {
  const hub = new LocalHub({ hostName });
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  await registry.bulkCreateOrUpdateDevices(IDS.map((id) => ({ id, importMode: "create" })));
  return hub;
}

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, USERS));
}

/** The first block of code of a recipe. */
async function recipe(heading: string): Promise<string> {
  const [, section = ""] = (await Deno.readTextFile(RECIPES)).split(`## ${heading}\n`);
  const [, code] = /```ts\n([\s\S]*?)```/.exec(section) ?? [];
  if (code === undefined) throw new Error(`there is no recipe with code under ${JSON.stringify(heading)}`);
  return code;
}
