import assert from "node:assert/strict";
import { test } from "node:test";
import { IoTHubRegistryManager } from "../../mod.ts";
import { type OfficialSdk, officialSdk } from "./official_sdk.ts";
import { CONNECTION_STRING } from "./recorder.ts";
import { type ReceivedRequest, RecordingServer } from "./recording_server.ts";
import { describeSdk } from "./sdk_runtime.ts";

/** What counts of a request: not the order of keys, nor which of the legal escapes a path has. */
export interface Essence {
  method: string;
  segments: string[];
  query: string[];
  ifMatch: unknown;
  continuation: unknown;
  maxItemCount: unknown;
  contentType: unknown;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** One way in which the official package is known to send something else, and why that is right. */
export interface Difference {
  why: string;
  /** Makes our request of theirs. */
  adjust: (theirs: Essence) => void;
}

export const BARE_ETAG: Difference = {
  why: "Their If-Match has no quotes, which the hub ignores; ours always has them",
  adjust: (theirs) => theirs.ifMatch = `"${theirs.ifMatch}"`,
};
export const NO_CONDITION: Difference = {
  why:
    "They replace a twin, or patch it without an etag, unconditionally by sending no If-Match; we say so with a star",
  adjust: (theirs) => theirs.ifMatch = theirs.ifMatch === undefined ? '"*"' : "no difference",
};
export const TRAILING_SLASH: Difference = {
  why: "They list devices at /devices/, with a trailing slash",
  adjust: (theirs) => theirs.segments = theirs.segments.filter((segment) => segment !== ""),
};
export const EMPTY_KEYS: Difference = {
  why: "They ask the hub for keys by sending empty ones, we by sending none",
  adjust: ({ body }) => {
    assert.deepEqual(body.authentication.symmetricKey, { primaryKey: "", secondaryKey: "" });
    body.authentication.symmetricKey = {};
  },
};
export const NO_CAPABILITIES: Difference = {
  why: "Their createDeviceWithSas has no iotEdge and sends no capabilities; ours always does",
  adjust: ({ body }) => body.capabilities = body.capabilities === undefined ? { iotEdge: false } : "no difference",
};
export const ETAG_IN_BODY: Difference = {
  why: "They take the etag from the object and send it in the body too, where the hub does not look",
  adjust: ({ body }) => delete body.etag,
};
export const CAPITAL_IMPORT_MODE: Difference = {
  why: "They write import modes in Pascal case; the API description has camel case",
  adjust: ({ body }) => {
    for (const entry of body) entry.importMode = entry.importMode[0].toLowerCase() + entry.importMode.slice(1);
  },
};
export const FOUR_METHOD_KEYS: Difference = {
  why: "They fill in the hub's own default time-outs; we leave them to the hub",
  adjust: ({ body }) => {
    assert.deepEqual([body.responseTimeoutInSeconds, body.connectTimeoutInSeconds], [30, 0]);
    delete body.responseTimeoutInSeconds;
    delete body.connectTimeoutInSeconds;
  },
};
export const NULL_PAYLOAD: Difference = {
  why: "They send null for a payload left out; we an empty text, as the Python package does",
  adjust: ({ body }) => body.payload = body.payload === null ? "" : "no difference",
};
export const LOST_PAYLOAD: Difference = {
  why: "A test of theirs is inverted: every payload that is given is replaced by an empty text",
  adjust: ({ body }) => body.payload = body.payload === "" ? { delayInSeconds: 0 } : "no difference",
};
export const MISSING_PAYLOAD: Difference = {
  why: "For the same reason a payload left out is not filled in",
  adjust: ({ body }) => body.payload = "payload" in body ? "no difference" : "",
};

export const OPTIONAL_ETAG: Difference = {
  why: "They write unconditionally by sending no If-Match; we say so with a star",
  adjust: (theirs) => theirs.ifMatch = theirs.ifMatch === undefined ? '"*"' : "no difference",
};
export const SCHEMA_VERSION: Difference = {
  why: "They fill in a schema version; we leave it to the hub",
  adjust: ({ body }) => {
    assert.equal(body.schemaVersion, "1.0");
    delete body.schemaVersion;
  },
};
export const JOB_TIME_OUT: Difference = {
  why: "They fill in a method's response time-out, and drop its connect time-out",
  adjust: ({ body: { cloudToDeviceMethod } }) => {
    assert.equal(cloudToDeviceMethod.responseTimeoutInSeconds, 30);
    delete cloudToDeviceMethod.responseTimeoutInSeconds;
  },
};
export const NO_START: Difference = {
  why: "They send null for a start left out",
  adjust: ({ body }) => {
    assert.equal(body.startTime, null);
    delete body.startTime;
  },
};
export const CAPITAL_IDENTITY: Difference = {
  why: "They write the type of sign-in in Pascal case; the API description has camel case",
  adjust: ({ body }) =>
    body.storageAuthenticationType = body.storageAuthenticationType.replace("IdentityBased", "identityBased"),
};

/** One call of each package that must come to the same request. */
export interface Comparison {
  name: string;
  theirs: (sdk: OfficialSdk) => unknown;
  ours: (registry: IoTHubRegistryManager) => Promise<unknown>;
  /** Every one of them must be there, and nothing else. */
  differences?: readonly Difference[];
}

/** Makes a test of each comparison. What we send does not depend on the runtime. */
export function testComparisons(comparisons: readonly Comparison[]): void {
  describeSdk(`${comparisons.length} comparisons`, () => comparisons.forEach(testComparison));
}

function testComparison({ name, theirs, ours, differences = [] }: Comparison): void {
  test(`${name} sends what we send${differences.length > 0 ? ", but for what is known" : ""}`, async () => {
    await using server = await RecordingServer.listen(answer, { "x-ms-command-statuscode": "200" });
    await theirs(officialSdk(server));
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { endpoint: server.origin });
    await ours(registry);

    assert.equal(server.requests.length, 2);
    const [expected, actual] = server.requests.map(essence) as [Essence, Essence];
    for (const { why, adjust } of differences) {
      const before = structuredClone(expected);
      adjust(expected);
      assert.notDeepEqual(expected, before, `no longer true: ${why}`);
    }
    assert.deepEqual(actual, expected);
  });
}

function essence({ method, segments, query, headers, body }: ReceivedRequest): Essence {
  return {
    method,
    segments,
    query: query.split("&").sort(),
    ifMatch: headers["if-match"],
    continuation: headers["x-ms-continuation"],
    maxItemCount: headers["x-ms-max-item-count"],
    // They name a type for requests without a body as well.
    contentType: body === undefined ? undefined : headers["content-type"],
    body,
  };
}

/** Enough of an answer for both packages to make a result of it. */
function answer({ method, segments }: ReceivedRequest): unknown {
  const last = segments.at(-1)!;
  const isList = method === "GET"
    ? ["devices", "", "modules", "configurations", "jobs", "query"].includes(last) && segments[0] !== "statistics"
    : last === "query";
  return isList ? [] : { deviceId: "d1", status: 200, isSuccessful: true };
}
