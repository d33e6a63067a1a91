import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudToDeviceMethod, CloudToDeviceMethodResult, IoTHubRegistryManager } from "../../mod.ts";
import { Recorder } from "../support/recorder.ts";
import { type RequestCase, testRequests } from "../support/request_cases.ts";

type Invoke = (registry: IoTHubRegistryManager, request: CloudToDeviceMethod) => Promise<CloudToDeviceMethodResult>;

const METHODS: readonly [name: string, request: string, invoke: Invoke][] = [
  [
    "invokeDeviceMethod",
    "POST /twins/d1/methods?api-version=2021-04-12",
    (registry, request) => registry.invokeDeviceMethod("d1", request),
  ],
  [
    "invokeDeviceModuleMethod",
    "POST /twins/d1/modules/m1/methods?api-version=2021-04-12",
    (registry, request) => registry.invokeDeviceModuleMethod("d1", "m1", request),
  ],
];

/** What a payload must arrive as. Falsy ones have been lost in other libraries. */
const PAYLOADS: readonly [what: string, payload: unknown][] = [
  ["null", null],
  ["zero", 0],
  ["false", false],
  ["an empty string", ""],
  ["an empty object", {}],
  ["an empty array", []],
  ["text", "Zürich"],
  ["an object", { delayInSeconds: 0, nested: [{ gone: null }] }],
];

function casesOf([name, request, invoke]: (typeof METHODS)[number]): RequestCase[] {
  return [
    {
      name: `${name} sends an empty text for a payload left out, and no time-outs`,
      call: (registry) => invoke(registry, { methodName: "reboot" }),
      request,
      body: { methodName: "reboot", payload: "" },
    },
    {
      name: `${name} takes members that are undefined as left out`,
      call: (registry) =>
        invoke(registry, { methodName: "reboot", payload: undefined, responseTimeoutInSeconds: undefined }),
      request,
      body: { methodName: "reboot", payload: "" },
    },
    {
      name: `${name} sends both time-outs, a connect time-out of zero too`,
      call: (registry) =>
        invoke(registry, { methodName: "reboot", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 0 }),
      request,
      body: { methodName: "reboot", payload: "", responseTimeoutInSeconds: 300, connectTimeoutInSeconds: 0 },
    },
    {
      name: `${name} resolves to the device's own status and payload, be they a failure and null`,
      call: (registry) => invoke(registry, { methodName: "reboot" }),
      request,
      body: { methodName: "reboot", payload: "" },
      answer: { body: { status: 500, payload: null } },
    },
    ...PAYLOADS.map(([what, payload]): RequestCase => ({
      name: `${name} sends a payload of ${what}`,
      call: (registry) => invoke(registry, { methodName: "reboot", payload } as CloudToDeviceMethod),
      request,
      body: { methodName: "reboot", payload },
    })),
  ];
}

testRequests(METHODS.flatMap(casesOf));

for (const [name, , invoke] of METHODS) {
  test(`${name} leaves the caller's request as it was`, async () => {
    const recorder = new Recorder({ body: { status: 200 } });
    await using registry = recorder.connect();
    const request = Object.freeze({ methodName: "reboot" });
    await invoke(registry, request);
    assert.deepEqual(request, { methodName: "reboot" });
  });
}
