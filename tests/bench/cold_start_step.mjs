// One process of the cold start: imports a client, and asks it for a twin when it is told a port. Plain JavaScript, so
// that Node does not load what strips types for contenders that have none.
import { createRequire } from "node:module";
import process from "node:process";

const [kind, path, port] = process.argv.slice(2);
const connectionString = `HostName=localhost;SharedAccessKeyName=iothubowner;SharedAccessKey=${btoa("sixteen bytes")}`;

async function importModule() {
  const { IoTHubRegistryManager } = await import(path);
  return () => {
    const options = { endpoint: `https://localhost:${port}` };
    return IoTHubRegistryManager.fromConnectionString(connectionString, options).getTwin("device-1");
  };
}

function importSdk() {
  const { Registry } = createRequire(import.meta.url)("azure-iothub");
  return () => {
    const registry = Registry.fromConnectionString(connectionString);
    const http = registry._restApiClient._http;
    const buildRequest = http.buildRequest.bind(http);
    http.buildRequest = (method, target, headers, host, done) =>
      buildRequest(method, target, headers, host, { port: Number(port) }, done);
    return registry.getTwin("device-1");
  };
}

if (kind !== "empty") {
  const getTwin = await (kind === "sdk" ? importSdk() : importModule());
  if (port !== undefined) await getTwin();
}
process.exit(0);
