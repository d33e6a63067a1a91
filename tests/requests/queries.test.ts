import { type RequestCase, testRequests } from "../support/request_cases.ts";

const POST = "POST /devices/query?api-version=2021-04-12";
const TEXT = "SELECT * FROM devices WHERE tags.site = 'Zürich'";
const BODY = { query: TEXT };
const NOTHING = { type: "unknown", items: [], continuationToken: undefined };

/** The hub writes the type of the rows in Pascal case; the API description has camel case. */
const ITEM_TYPES: readonly [sent: string, type: string][] = [
  ["Twin", "twin"],
  ["twin", "twin"],
  ["Raw", "raw"],
  ["DeviceJob", "deviceJob"],
  ["JobResponse", "jobResponse"],
  ["deviceRegistration", "deviceRegistration"],
  ["Unknown", "unknown"],
  ["SomethingNew", "unknown"],
];

const QUERIES: RequestCase[] = [
  {
    name: "queryIotHub sends a text as a specification, without paging headers",
    call: (registry) => registry.queryIotHub(TEXT),
    request: POST,
    body: BODY,
    answer: { body: [] },
    result: NOTHING,
  },
  {
    name: "queryIotHub sends the text of a specification",
    call: (registry) => registry.queryIotHub({ query: TEXT }),
    request: POST,
    body: BODY,
    answer: { body: [] },
    result: NOTHING,
  },
  {
    name: "queryIotHub sends the token as it came, and the page size",
    call: (registry) =>
      registry.queryIotHub(TEXT, { continuationToken: `{"token":"+RID:~a b%2B=#1","q":"'"}`, maxItemCount: 7 }),
    request: POST,
    headers: { "x-ms-continuation": `{"token":"+RID:~a b%2B=#1","q":"'"}`, "x-ms-max-item-count": "7" },
    body: BODY,
    answer: { body: [] },
    result: NOTHING,
  },
  {
    name: "queryIotHub takes paging options that are undefined as left out",
    call: (registry) => registry.queryIotHub(TEXT, { continuationToken: undefined, maxItemCount: undefined }),
    request: POST,
    body: BODY,
    answer: { body: [] },
    result: NOTHING,
  },
  {
    name: "queryIotHub gives the rows untouched, and the next page's token",
    call: (registry) => registry.queryIotHub(TEXT),
    request: POST,
    body: BODY,
    answer: { body: [{ numberOfDevices: 3, site: null }, {}], headers: { "x-ms-continuation": "t/+=2" } },
    result: { type: "unknown", items: [{ numberOfDevices: 3, site: null }, {}], continuationToken: "t/+=2" },
  },
  {
    name: "queryIotHub takes an empty token for the end",
    call: (registry) => registry.queryIotHub(TEXT),
    request: POST,
    body: BODY,
    answer: { body: [], headers: { "x-ms-continuation": "", "x-ms-item-type": "" } },
    result: NOTHING,
  },
  ...ITEM_TYPES.map(([sent, type]): RequestCase => ({
    name: `queryIotHub tells rows of type ${sent} as ${type}`,
    call: (registry) => registry.queryIotHub(TEXT),
    request: POST,
    body: BODY,
    answer: { body: [], headers: { "x-ms-item-type": sent } },
    result: { type, items: [], continuationToken: undefined },
  })),
];

const STATISTICS: RequestCase[] = [
  {
    name: "getServiceStatistics reads the count of connections",
    call: (registry) => registry.getServiceStatistics(),
    request: "GET /statistics/service?api-version=2021-04-12",
    answer: { body: { connectedDeviceCount: 0 } },
  },
  {
    name: "getDeviceRegistryStatistics reads the counts of identities",
    call: (registry) => registry.getDeviceRegistryStatistics(),
    request: "GET /statistics/devices?api-version=2021-04-12",
    answer: { body: { totalDeviceCount: 2, enabledDeviceCount: 1, disabledDeviceCount: 1 } },
  },
];

testRequests([...QUERIES, ...STATISTICS]);
