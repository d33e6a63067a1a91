import assert from "node:assert/strict";
import { test } from "node:test";
import { DigitalTwinClient, type IoTHubRegistryManager } from "../../mod.ts";
import { Recorder } from "../support/recorder.ts";
import { type RequestCase, testRequests } from "../support/request_cases.ts";

const VERSION = "?api-version=2021-04-12";
const TWIN = { $dtId: "d#1", interval: 5, $metadata: { $model: "dtmi:com:example:thermostat;1" } };
const PATCH = [
  { op: "add" as const, path: "/interval", value: null },
  { op: "replace" as const, path: "/engine~1left/~0speed", value: { rpm: 900 } },
  { op: "remove" as const, path: "" },
];
const ANSWERED = { "x-ms-command-statuscode": "202", "x-ms-request-id": "r-1" };

function of(registry: IoTHubRegistryManager): DigitalTwinClient {
  return DigitalTwinClient.fromManager(registry);
}

/** What devices may answer to a command: any JSON, and nothing at all. */
const PAYLOADS: readonly unknown[] = [{ rebooted: true }, [1, "2"], "done", "", 5, 0, true, false, null, undefined];

const CASES: RequestCase[] = [
  {
    name: "getDigitalTwin reads the twin, and its etag from a header",
    call: (registry) => of(registry).getDigitalTwin<typeof TWIN>("d#1"),
    request: `GET /digitaltwins/d%231${VERSION}`,
    answer: { body: TWIN, headers: { ETag: '"AAAA="', "Content-Type": "application/ld+json" } },
    result: { digitalTwin: TWIN, etag: "AAAA=" },
  },
  {
    name: "updateDigitalTwin sends a JSON Patch whatever the version",
    call: (registry) => of(registry).updateDigitalTwin("d#1", PATCH),
    request: `PATCH /digitaltwins/d%231${VERSION}`,
    ifMatch: '"*"',
    body: PATCH,
    answer: { status: 202, headers: { ETag: '"AAAB="', Location: "https://hub/digitaltwins/d%231" } },
    result: { etag: "AAAB=", location: "https://hub/digitaltwins/d%231" },
  },
  {
    name: "updateDigitalTwin sends the etag that it was given",
    call: (registry) => of(registry).updateDigitalTwin("d1", PATCH, { etag: "AAAA=" }),
    request: `PATCH /digitaltwins/d1${VERSION}`,
    ifMatch: '"AAAA="',
    body: PATCH,
    answer: { status: 202 },
    result: { etag: undefined, location: undefined },
  },
  {
    name: "invokeCommand sends the payload, and takes the status from a header",
    call: (registry) => of(registry).invokeCommand("d#1", "re/boot", { delay: 5 }),
    request: `POST /digitaltwins/d%231/commands/re%2Fboot${VERSION}`,
    body: { delay: 5 },
    answer: { body: { ok: true }, headers: ANSWERED },
    result: { status: 202, payload: { ok: true }, requestId: "r-1" },
  },
  {
    name: "invokeCommand sends an empty text for a payload left out, and null as null",
    call: (registry) => of(registry).invokeCommand("d1", "reboot"),
    request: `POST /digitaltwins/d1/commands/reboot${VERSION}`,
    body: "",
    answer: { body: null, headers: { "x-ms-command-statuscode": "-1" } },
    result: { status: -1, payload: null, requestId: undefined },
  },
  {
    name: "invokeComponentCommand sends the time-outs, and encodes each name",
    call: (registry) =>
      of(registry).invokeComponentCommand("d1", "engine 1", "start?", null, {
        connectTimeoutInSeconds: 0,
        responseTimeoutInSeconds: 300,
      }),
    request: "POST /digitaltwins/d1/components/engine%201/commands/start%3F" +
      "?connectTimeoutInSeconds=0&responseTimeoutInSeconds=300&api-version=2021-04-12",
    body: null,
    answer: { body: 5, headers: ANSWERED },
    result: { status: 202, payload: 5, requestId: "r-1" },
  },
  ...PAYLOADS.map((payload): RequestCase => ({
    name: `invokeCommand returns what a device has answered: ${JSON.stringify(payload)}`,
    call: (registry) => of(registry).invokeCommand("d1", "reboot", 1),
    request: `POST /digitaltwins/d1/commands/reboot${VERSION}`,
    body: 1,
    answer: { body: payload === undefined ? "" : JSON.stringify(payload), headers: ANSWERED },
    result: { status: 202, payload, requestId: "r-1" },
  })),
];

testRequests(CASES, true);

test("a command's answer without a status is no result", async () => {
  for (const status of [undefined, "", "fine", "2e2", "1.5"]) {
    const recorder = new Recorder({
      body: {},
      headers: status === undefined ? {} : { "x-ms-command-statuscode": status },
    });
    await using registry = recorder.connect();
    await assert.rejects(of(registry).invokeCommand("d1", "reboot", 1), {
      code: "InvalidResponse",
      operation: "invokeCommand",
      statusCode: 200,
      retryable: false,
      message: /of device "d1": the hub's answer came without the status of the command$/,
    });
  }
});
