/**
 * A program whose runtime gives up a `fetch` after a short time; run by a test. It calls a server by each entry of this
 * module, then by a bare `fetch`, and tells what becomes of each.
 */
import process from "node:process";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { globalDispatcher } from "../../lib/transport/node_dispatcher.ts";
import { runtimeName } from "../../lib/values/runtime.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { CONNECTION_STRING } from "./recorder.ts";

const endpoint = process.env["ENDPOINT"]!;

if (runtimeName() === "Node") {
  // Node has no setting for this, but a place for what all its requests are sent with.
  const Dispatcher = globalDispatcher().constructor as new (options: object) => object;
  const impatient = new Dispatcher({ headersTimeout: 500, bodyTimeout: 500 });
  const names = ["1", "2"].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));
  for (const name of names) if (name in globalThis) Object.assign(globalThis, { [name]: impatient });
}

const outcomes: Record<string, unknown> = {};

async function note(name: string, call: Promise<unknown>): Promise<void> {
  outcomes[name] = await call.catch((error: unknown) => String(error));
}

const method = { methodName: "reboot", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 300 };
await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint });
await using small = HttpRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint });
const calls = [
  note("a direct method by .", registry.invokeDeviceMethod("d1", method)),
  note("a read by .", registry.getTwin("d1")),
  note("a direct method by /http", small.invokeDeviceMethod("d2", method)),
  note("a read by /http", small.getTwin("d2")),
];
// These begin last, so that the calls above wait for longer than they do.
await new Promise((resolve) => setTimeout(resolve, 100));
const bare = ["before the answer", "within the answer"].map((where) => {
  const url = `${endpoint}/bare?${where.split(" ")[0]}`;
  return note(`a bare fetch, ${where}`, fetch(url).then((response) => response.text()));
});
await Promise.all([...calls, ...bare]);
console.log(JSON.stringify(outcomes));
