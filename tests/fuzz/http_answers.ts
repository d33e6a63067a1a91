import { brotliCompressSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import type { CallName } from "./client_calls.ts";
import { HTTP_MUTATIONS, type HttpMessage, type HttpMutation, latin1, utf8, writeHttp } from "./http_message.ts";
import { JSON_MUTATIONS, type JsonMutation, mutatedJson } from "./json_mutation.ts";

/** An answer of a hub. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Whether the body is what the call expects, or the hub's words for an error. */
  readonly body: "expected" | "error" | "nested error" | "endless" | "bomb" | "none";
  readonly encoding: "none" | "gzip" | "br" | "gzip in words only";
  readonly framing: HttpMessage["framing"];
  /** What goes before it. */
  readonly before: string;
  readonly mutation?: { readonly of: "body"; readonly how: JsonMutation } | {
    readonly of: "message";
    readonly how: HttpMutation;
  } | undefined;
}

const TWIN = {
  deviceId: "d",
  etag: "AAAAAAAAAAE=",
  version: 2,
  status: "enabled",
  connectionState: "Disconnected",
  lastActivityTime: "0001-01-01T00:00:00Z",
  tags: { place: { floor: 3 } },
  properties: {
    desired: { on: true, $metadata: { $lastUpdated: "2026-01-01T00:00:00Z" }, $version: 1 },
    reported: { $metadata: {}, $version: 1 },
  },
};
const DEVICE = {
  deviceId: "d",
  generationId: "1",
  etag: "AAAA",
  status: "enabled",
  authentication: { type: "sas", symmetricKey: { primaryKey: "AAAA", secondaryKey: "BBBB" } },
  capabilities: { iotEdge: false },
};

const JOB = {
  jobId: "j",
  type: "scheduleUpdateTwin",
  status: "completed",
  createdTime: "2026-01-01T00:00:00Z",
  queryCondition: "*",
  updateTwin: { etag: "*", tags: { a: 1 } },
  deviceJobStatistics: { deviceCount: 1, succeededCount: 1, failedCount: 0, runningCount: 0, pendingCount: 0 },
};
const EXPORT = { jobId: "e", type: "export", status: "running", progress: 50, outputBlobContainerUri: "" };
const CONFIGURATION = {
  id: "c",
  schemaVersion: "1.0",
  content: { deviceContent: { "properties.desired.a": 1 } },
  targetCondition: "*",
  priority: 0,
  systemMetrics: { queries: { targetedCount: "select deviceId from devices" }, results: { targetedCount: 1 } },
  metrics: { queries: {}, results: {} },
  etag: "MQ==",
};

const EXPECTED: Readonly<Partial<Record<CallName, unknown>>> = {
  getTwin: TWIN,
  getModuleTwin: { ...TWIN, moduleId: "m" },
  updateTwin: TWIN,
  modifyTwin: TWIN,
  getDevice: DEVICE,
  getDevices: [DEVICE, DEVICE],
  createDeviceWithSas: DEVICE,
  bulkCreateOrUpdateDevices: { isSuccessful: true, errors: [], warnings: [] },
  getModules: [{ ...DEVICE, moduleId: "m", managedBy: "x" }],
  getServiceStatistics: { connectedDeviceCount: 1 },
  queryIotHub: [TWIN, TWIN],
  query: [TWIN, TWIN],
  invokeDeviceMethod: { status: 200, payload: { a: [1, "x"] } },
  getConfigurations: [CONFIGURATION, CONFIGURATION],
  createConfiguration: CONFIGURATION,
  scheduleTwinUpdate: JOB,
  waitForJob: JOB,
  scheduledJobs: [JOB, JOB],
  jobDevices: [{ deviceId: "d", jobId: "j", jobType: "scheduleUpdateTwin", status: "failed", error: { code: "E" } }],
  getImportExportJobs: [EXPORT],
  createImportExportJob: EXPORT,
  getDigitalTwin: { $dtId: "d", sensor: { __t: "c", on: true }, $metadata: { $model: "dtmi:a:b;1" } },
  invokeCommand: { a: [1, "x"] },
};

/** The calls that go over HTTP. */
export const HTTP_CALLS: readonly CallName[] = [...Object.keys(EXPECTED) as CallName[], "deleteDevice"];

const ERROR = { Message: "ErrorCode:DeviceNotFound;E2E", ExceptionMessage: "Tracking ID:0123456789abcdef-G:0" };
const NESTED_ERROR = {
  Message: JSON.stringify({ errorCode: 404103, trackingId: "0123456789abcdef", message: "Timed out" }),
  ExceptionMessage: "",
};

const STATUSES = fc.oneof(
  { weight: 6, arbitrary: fc.constant(200) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      201,
      202,
      204,
      205,
      206,
      304,
      400,
      401,
      403,
      404,
      409,
      412,
      413,
      429,
      500,
      502,
      503,
      504,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(100, 101, 102, 103, 199, 300, 301, 302, 307, 308, 407, 418, 426, 599) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 99, 600, 999, 1000, -1) },
);

const HEADERS = fc.array(
  fc.constantFrom<readonly [string, string]>(
    ["iothub-errorcode", "ThrottlingException"],
    ["iothub-errorcode", "__proto__"],
    ["iothub-errorcode", "SharedAccessSignature sr=x&sig=y&se=1"],
    ["Retry-After", "0"],
    ["Retry-After", "1e9"],
    ["Retry-After", "-1"],
    ["Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"],
    ["Date", "Fri, 31 Dec 9999 23:59:59 GMT"],
    ["Date", "whenever"],
    ["ETag", '"AAAAAAAAAAE="'],
    ["ETag", "W/*"],
    ["x-ms-continuation", "next"],
    ["x-ms-continuation", "x".repeat(6_000)],
    ["x-ms-item-type", "twin"],
    ["Location", "/elsewhere"],
    ["Location", "http://[::1"],
    ["Set-Cookie", "a=b"],
    ["Connection", "close"],
    ["Keep-Alive", "timeout=0"],
    ["WWW-Authenticate", "Basic"],
  ),
  { maxLength: 2 },
);

/** Answers of which something is wrong, mostly. */
export const HTTP_ANSWERS: fc.Arbitrary<HttpAnswer> = fc.record({
  status: STATUSES,
  headers: HEADERS,
  body: fc.oneof(
    { weight: 60, arbitrary: fc.constant("expected" as const) },
    { weight: 20, arbitrary: fc.constantFrom("error", "nested error", "none") },
    { weight: 1, arbitrary: fc.constantFrom("endless", "bomb") },
  ),
  encoding: fc.oneof(
    { weight: 8, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom("gzip", "br", "gzip in words only") },
  ),
  framing: fc.constantFrom("length", "length", "chunked", "none"),
  before: fc.oneof(
    { weight: 9, arbitrary: fc.constant("") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(50),
        "HTTP/1.1 102 Processing\r\n\r\n".repeat(5_000),
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      ),
    },
  ),
  mutation: fc.option(
    fc.oneof(
      fc.record({ of: fc.constant("body" as const), how: JSON_MUTATIONS }),
      fc.record({ of: fc.constant("message" as const), how: HTTP_MUTATIONS }),
    ),
    { freq: 5, nil: undefined },
  ),
});

/** The good answer to a call. */
export const GOOD_ANSWER: HttpAnswer = {
  status: 200,
  headers: [],
  body: "expected",
  encoding: "none",
  framing: "length",
  before: "",
};

/** As it goes over the wire, but for what has no end. */
export function writeAnswer(call: CallName, answer: HttpAnswer): string {
  const { status, headers, encoding, framing, before, mutation } = answer;
  const body = answer.body === "bomb" ? BOMB : encoded(encoding, bodyOf(call, answer));
  const all: (readonly [string, string])[] = [["Content-Type", "application/json; charset=utf-8"], ...headers];
  if (answer.body === "bomb" || encoding !== "none") all.push(["Content-Encoding", encoding === "br" ? "br" : "gzip"]);
  const start = `HTTP/1.1 ${status} Whatever`;
  const message = { start, headers: all, body, framing: answer.body === "endless" ? "none" as const : framing };
  return before + writeHttp(message, mutation?.of === "message" ? mutation.how : undefined);
}

function bodyOf(call: CallName, { body, mutation }: HttpAnswer): string {
  switch (body) {
    case "none":
    case "bomb":
    case "endless":
      return "";
    default: {
      const value = body === "expected" ? EXPECTED[call] : body === "error" ? ERROR : NESTED_ERROR;
      if (value === undefined) return "";
      return utf8(mutation?.of === "body" ? mutatedJson(value, mutation.how) : JSON.stringify(value));
    }
  }
}

/** Much more than a client takes, but no more than Bun, whose own fetch cannot be stopped, may take for itself. */
const BOMB = latin1(gzipSync(new Uint8Array(64 * 2 ** 20)));

function encoded(encoding: HttpAnswer["encoding"], body: string): string {
  if (encoding !== "gzip" && encoding !== "br") return body;
  const bytes = Uint8Array.from(body, (unit) => unit.charCodeAt(0));
  return latin1(encoding === "gzip" ? gzipSync(bytes) : brotliCompressSync(bytes));
}
