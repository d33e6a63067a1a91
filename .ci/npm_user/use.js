/** Uses the installed package as it is meant to be, in what every runtime understands. It has to end by itself. */
import assert from "node:assert/strict";
import { IoTHubError, IoTHubRegistryManager } from "@iothub/registry-manager";
import { createClient, getDevice } from "@iothub/registry-manager/gen";
import * as http from "@iothub/registry-manager/http";
import { LocalHub } from "@iothub/registry-manager/local";

const hub = new LocalHub();
const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);

await registry.createDeviceWithSas("thermostat-1");
await registry.updateTwin("thermostat-1", { tags: { site: "berlin" } });
const found = [];
for await (const twin of registry.query("SELECT * FROM devices WHERE tags.site = 'berlin'")) found.push(twin.deviceId);
assert.deepEqual(found, ["thermostat-1"]);

const arrival = new Promise((resolve) => hub.device("thermostat-1").onMessage(({ text }) => resolve(text)));
await registry.sendC2dMessage("thermostat-1", "Good morning", { messageId: "m-1" });
assert.equal(await arrival, "Good morning");

// Over a socket, where a runtime's own HTTP and not the hub in this process carries the calls
const { http: endpoint } = await hub.listen({ http: 0 });
const remote = http.IoTHubRegistryManager.fromConnectionString(hub.connectionString, { endpoint });
assert.equal((await remote.getDevice("thermostat-1")).status, "enabled");
await remote.close();

// A credential's tokens are signed and checked with a library that is loaded for them.
const entra = IoTHubRegistryManager.fromTokenCredential(hub.hostName, hub.tokenCredential(), hub.clientOptions);
assert.equal((await entra.getDevices()).length, 1);
await entra.close();

// Entries share their classes.
await assert.rejects(registry.getDevice("nobody"), (error) => error instanceof http.IoTHubError);
assert.equal(IoTHubError, http.IoTHubError);
assert.equal(registry.constructor.name, "IoTHubRegistryManager");

const client = createClient({ baseUrl: "https://hub.invalid", fetch: () => Promise.resolve(Response.json({ a: 1 })) });
const { data } = await getDevice({ client, path: { id: "d" }, query: { "api-version": "2021-04-12" } });
assert.deepEqual(data, { a: 1 });

// Node has the class since version 22.
if (globalThis.WebSocket === undefined) {
  const options = { ...hub.clientOptions, amqpEndpoint: "ws://127.0.0.1:9", retryOptions: { maxRetries: 0 } };
  const overWebSocket = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
  await assert.rejects(overWebSocket.sendC2dMessage("thermostat-1", "hello"), /this runtime has no WebSocket/);
  await overWebSocket.close();
}

await registry.close();
await hub.close();
