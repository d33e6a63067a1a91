import type { Twin, TwinPatch } from "../../mod.ts";
import { type RequestCase, testRequests } from "../support/request_cases.ts";

const VERSION = "api-version=2021-04-12";

/** Everything that JSON can say, the values that are easily lost among it. */
const PATCH: TwinPatch = {
  tags: { site: "Zürich \u{1f321}", old: null, empty: "", list: [null, 0, false, { deep: null }] },
  properties: { desired: { interval: 0, on: false, alarm: null, name: "", nested: { gone: null, $kept: 1 } } },
};

/** A twin as a hub gives it, with members that only the hub writes. */
const WHOLE_TWIN: Twin = {
  deviceId: "d1",
  etag: "AAAAAAAAAAE=",
  version: 4,
  deviceEtag: "NzQ=",
  status: "enabled",
  statusUpdateTime: "0001-01-01T00:00:00Z",
  connectionState: "Disconnected",
  lastActivityTime: "0001-01-01T00:00:00Z",
  cloudToDeviceMessageCount: 0,
  authenticationType: "sas",
  x509Thumbprint: { primaryThumbprint: undefined, secondaryThumbprint: undefined },
  capabilities: { iotEdge: false },
  tags: { site: "berlin" },
  properties: {
    desired: { interval: 60, $metadata: { $lastUpdated: "2024-01-01T00:00:00Z" }, $version: 2 },
    reported: { interval: 60, $metadata: { $lastUpdated: "2024-01-01T00:00:00Z" }, $version: 1 },
  },
};

interface Writer {
  verb: "PUT" | "PATCH";
  path: string;
  name: string;
  write: (
    registry: Parameters<RequestCase["call"]>[0],
    patch: TwinPatch,
    options?: { etag?: string | undefined },
  ) => Promise<Twin>;
}

const WRITERS: readonly Writer[] = [
  {
    verb: "PUT",
    path: "/twins/d1",
    name: "replaceTwin",
    write: (registry, patch, options) => registry.replaceTwin("d1", patch, options),
  },
  {
    verb: "PATCH",
    path: "/twins/d1",
    name: "updateTwin",
    write: (registry, patch, options) => registry.updateTwin("d1", patch, options),
  },
  {
    verb: "PUT",
    path: "/twins/d1/modules/m1",
    name: "replaceModuleTwin",
    write: (registry, patch, options) => registry.replaceModuleTwin("d1", "m1", patch, options),
  },
  {
    verb: "PATCH",
    path: "/twins/d1/modules/m1",
    name: "updateModuleTwin",
    write: (registry, patch, options) => registry.updateModuleTwin("d1", "m1", patch, options),
  },
];

function writesOf({ verb, path, name, write }: Writer): RequestCase[] {
  const request = `${verb} ${path}?${VERSION}`;
  return [
    {
      name: `${name} sends nulls and other empty values as they are, and any etag will do`,
      call: (registry) => write(registry, PATCH),
      request,
      ifMatch: '"*"',
      body: PATCH,
    },
    {
      name: `${name} sends an empty patch`,
      call: (registry) => write(registry, {}),
      request,
      ifMatch: '"*"',
      body: {},
    },
    {
      name: `${name} leaves out members that are undefined and writes dates as ISO 8601`,
      call: (registry) => write(registry, { tags: { since: new Date(0), gone: undefined }, properties: undefined }),
      request,
      ifMatch: '"*"',
      body: { tags: { since: "1970-01-01T00:00:00.000Z" } },
    },
    {
      name: `${name} sends whole sections that are null`,
      call: (registry) => write(registry, { tags: null, properties: { desired: null } }),
      request,
      ifMatch: '"*"',
      body: { tags: null, properties: { desired: null } },
    },
    {
      name: `${name} writes a whole twin back, on the condition of its etag`,
      call: (registry) => write(registry, WHOLE_TWIN as TwinPatch, { etag: WHOLE_TWIN.etag }),
      request,
      ifMatch: '"AAAAAAAAAAE="',
      body: { ...WHOLE_TWIN, x509Thumbprint: {} },
    },
  ];
}

const READS: RequestCase[] = [
  {
    name: "getTwin reads a device's twin as the hub describes it",
    call: (registry) => registry.getTwin("d1"),
    request: `GET /twins/d1?${VERSION}`,
    answer: { body: { deviceId: "d1", modelId: "dtmi:com:example;1", properties: { desired: { $version: 1 } } } },
  },
  {
    name: "getModuleTwin reads a module's twin",
    call: (registry) => registry.getModuleTwin("d1", "m1"),
    request: `GET /twins/d1/modules/m1?${VERSION}`,
  },
];

testRequests([...READS, ...WRITERS.flatMap(writesOf)]);
