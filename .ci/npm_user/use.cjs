/** Uses the installed package from CommonJS, which Node has let require ES modules since 20.20 and 22.12. */
const assert = require("node:assert/strict");
const { IoTHubRegistryManager } = require("@iothub/registry-manager");
const { LocalHub } = require("@iothub/registry-manager/local");

(async () => {
  const hub = new LocalHub();
  const registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  assert.equal((await registry.createDeviceWithSas("thermostat-1")).status, "enabled");
  await registry.close();
  await hub.close();
})();
