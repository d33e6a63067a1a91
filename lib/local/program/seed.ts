import type { LocalHub } from "../local_hub.ts";

const CONTAINER = "seed";
const AUDIENCE = "https://iothubs.azure.net/.default";

/** What has become of the identities to begin with. */
export interface SeedOutcome {
  /** A sentence for each line that could not be carried out. */
  readonly errors: readonly string[];
  /** Why the whole could not be carried out; `undefined` when it was. */
  readonly failure: string | undefined;
}

/** Imports identities from the text of an export, by an import job as any other. */
export async function seed(hub: LocalHub, devices: Uint8Array): Promise<SeedOutcome> {
  const container = hub.blobContainer(CONTAINER);
  container.write("devices.txt", devices);
  const { token } = await hub.tokenCredential().getToken(AUDIENCE);
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await hub.fetch(
      new Request(`https://${hub.hostName}${path}?api-version=2021-04-12`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    const answer: Record<string, unknown> = await response.json();
    if (!response.ok) throw new Error(String(answer["Message"]));
    return answer;
  };
  const uri = container.url;
  const job = await call("POST", "/jobs/create", {
    type: "import",
    inputBlobContainerUri: uri,
    outputBlobContainerUri: uri,
  });
  await hub.settled();
  const { status, failureReason } = await call("GET", `/jobs/${job["jobId"]}`);
  const log = new TextDecoder().decode(container.read("importErrors.log") ?? new Uint8Array());
  const errors = log.split("\n").filter(Boolean).map((line) => {
    const { deviceId, moduleId, errorStatus } = JSON.parse(line);
    return [[deviceId, moduleId].filter(Boolean).join("/"), errorStatus].filter(Boolean).join(": ");
  });
  return { errors, failure: status === "completed" ? undefined : String(failureReason ?? status) };
}
