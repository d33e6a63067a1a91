/** Sends the local hub whatever its description allows, and what it does not, and holds each answer against it. */
import { join, resolve } from "node:path";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { startFetchListener } from "./fetch_listener.ts";
import { askForOperations } from "../../tests/support/hub_section.ts";
import { SEED } from "../../tests/support/seed.ts";
import { signSas } from "../../tests/support/sas.ts";
import { installPythonPackages } from "./python.ts";

const PACKAGES = [
  "schemathesis==4.32.5",
  "hypothesis==6.170.17",
  "jsonschema-rs==0.60.3",
  "requests==2.34.2",
  "werkzeug==3.1.9",
];

/** What it loads to steer its requests: schemathesis_hooks.py, beside this file. */
const ENVIRONMENT = {
  SCHEMATHESIS_HOOKS: "schemathesis_hooks",
  PYTHONPATH: import.meta.dirname!,
  PYTHONDONTWRITEBYTECODE: "1",
};

const DESCRIPTION = resolve(import.meta.dirname!, "../../openapi.json");

/** How long it tries. */
const DURATION_IN_S = 60;

/**
 * What is looked at. The hub may answer 503 and 504, so that a status over 499 alone is no mistake; those of the hub
 * itself are told by `hub.onFault`. What `Allow` names is not: a path such as `/jobs/create` has the methods of
 * `/jobs/{id}` too, which its check does not know.
 */
const CHECKS = [
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "unsupported_method",
  "ignored_auth",
];

/** The id of the device and of the module that the requests name most often. */
const ID = "0";
const MESSAGES = 40;

/** Makes a virtual environment for it below `folder`. Returns the program. */
export async function installSchemathesis(base: string, folder: string): Promise<string> {
  const python = await installPythonPackages(base, folder, PACKAGES);
  return join(python, "..", "schemathesis");
}

/** Runs it against a hub of its own. Throws when an answer, or the lack of one, is not as described. */
export async function examineAnswers(schemathesis: string, folder: string): Promise<void> {
  await using hub = new LocalHub({ feedbackIntervalInMs: 0 });
  const faults: unknown[] = [];
  hub.onFault(({ error }) => faults.push(error));
  await fill(hub);
  const listener = await startFetchListener((request) => answer(hub, request), { hostname: "127.0.0.1", port: 0 });
  try {
    const operations = (await askForOperations()).filter(({ isThere }) => isThere);
    const args = [
      "run",
      DESCRIPTION,
      ...["--url", `http://127.0.0.1:${listener.port}`],
      ...["--header", `Authorization: ${signSas({ connectionString: hub.connectionString })}`],
      ...operations.flatMap(({ operationId }) => ["--include-operation-id", operationId]),
      ...["--checks", CHECKS.join(), "--continue-on-failure", "--request-timeout", "30"],
      ...["--seed", String(SEED), "--max-time", String(DURATION_IN_S), "--generation-database", "none", "--no-color"],
    ];
    const command = new Deno.Command(schemathesis, { args, cwd: folder, env: ENVIRONMENT, stdin: "null" });
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await listener.close();
  }
  if (faults.length > 0) throw new AggregateError(faults, `The hub has failed ${faults.length} times: ${faults[0]}`);
}

/** Gives the hub a device with a module, and feedback for a back end to receive. */
async function fill(hub: LocalHub): Promise<void> {
  await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
  await registry.createDeviceWithSas(ID);
  await registry.createModuleWithSas(ID, ID);
  hub.device(ID).onMessage(() => undefined);
  for (let i = 0; i < MESSAGES; i++) await registry.sendC2dMessage(ID, "?", { messageId: String(i), ack: "full" });
}

/** Whoever is called by a direct method answers it. A call of a device that is not there might wait for minutes. */
async function answer(hub: LocalHub, request: Request): Promise<Response> {
  const ids = /^\/twins\/([^/]+)(?:\/modules\/([^/]+))?\/methods$/.exec(new URL(request.url).pathname);
  const [, deviceId, moduleId] = ids?.map((id) => id === undefined ? id : decode(id)) ?? [];
  if (deviceId !== undefined) {
    const device = hub.device(deviceId);
    (moduleId === undefined ? device : device.module(moduleId)).onMethod((payload) => ({ status: 200, payload }));
  }
  return await hub.fetch(request);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
