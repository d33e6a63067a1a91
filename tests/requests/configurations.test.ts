import {
  type Configuration,
  type ConfigurationRequest,
  IoTHubConfigurationManager,
  type IoTHubRegistryManager,
} from "../../mod.ts";
import { type RequestCase, testRequests } from "../support/request_cases.ts";

/** All characters that the id of a configuration may have beside letters and digits. */
const ID = "a9-+%_*!'";
const ENCODED = "a9-%2B%25_*!'";
const VERSION = "?api-version=2021-04-12";

const CONTENT = { deviceContent: { "properties.desired.interval": { seconds: 5, off: null } } };
const CONFIGURATION: ConfigurationRequest = {
  id: ID,
  content: CONTENT,
  schemaVersion: "1.0",
  labels: { site: "Zürich" },
  targetCondition: "tags.site = 'Zürich'",
  priority: -5,
  metrics: { queries: { hot: "SELECT deviceId FROM devices" } },
};

function of(registry: IoTHubRegistryManager): IoTHubConfigurationManager {
  return IoTHubConfigurationManager.fromManager(registry);
}

const CASES: RequestCase[] = [
  {
    name: "getConfiguration reads one",
    call: (registry) => of(registry).getConfiguration(ID),
    request: `GET /configurations/${ENCODED}${VERSION}`,
  },
  {
    name: "getConfigurations lists all",
    call: (registry) => of(registry).getConfigurations(),
    request: `GET /configurations${VERSION}`,
    answer: { body: [{ id: "a" }] },
  },
  {
    name: "getConfigurations asks for as many as are wanted",
    call: (registry) => of(registry).getConfigurations({ maxCount: 7 }),
    request: `GET /configurations?top=7&api-version=2021-04-12`,
    answer: { body: [] },
  },
  {
    name: "createConfiguration sends it as it is, without a condition",
    call: (registry) => of(registry).createConfiguration(CONFIGURATION),
    request: `PUT /configurations/${ENCODED}${VERSION}`,
    body: CONFIGURATION,
    answer: { status: 201, body: { ...CONFIGURATION, etag: "MQ==" } },
  },
  {
    name: "createConfiguration takes a configuration that was read, with null for what is not there",
    call: (registry) => {
      const nulls = { schemaVersion: null, labels: null, targetCondition: null, priority: null, metrics: null };
      return of(registry).createConfiguration({ id: ID, content: CONTENT, ...nulls } as unknown as Configuration);
    },
    request: `PUT /configurations/${ENCODED}${VERSION}`,
    body: { id: ID, content: CONTENT },
  },
  {
    name: "createConfiguration leaves out what only the hub writes, and what is undefined",
    call: (registry) =>
      of(registry).createConfiguration({
        ...CONFIGURATION,
        labels: undefined,
        metrics: { queries: {}, results: { hot: 3 } },
        createdTimeUtc: "2026-11-21T10:00:00Z",
        lastUpdatedTimeUtc: "2026-11-21T10:00:00Z",
        systemMetrics: { queries: {}, results: { targetedCount: 3 } },
        etag: "MQ==",
      }),
    request: `PUT /configurations/${ENCODED}${VERSION}`,
    body: {
      id: ID,
      content: CONTENT,
      schemaVersion: "1.0",
      targetCondition: "tags.site = 'Zürich'",
      priority: -5,
      metrics: { queries: {} },
    },
  },
  {
    name: "updateConfiguration writes whatever the version, the etag of the configuration notwithstanding",
    call: (registry) => of(registry).updateConfiguration({ id: "c1", content: CONTENT, etag: "MQ==" }),
    request: `PUT /configurations/c1${VERSION}`,
    ifMatch: '"*"',
    body: { id: "c1", content: CONTENT },
  },
  {
    name: "updateConfiguration writes if the version is the given one",
    call: (registry) => of(registry).updateConfiguration({ id: "c1", content: CONTENT }, { etag: "MQ==" }),
    request: `PUT /configurations/c1${VERSION}`,
    ifMatch: '"MQ=="',
    body: { id: "c1", content: CONTENT },
  },
  {
    name: "deleteConfiguration deletes whatever the version",
    call: (registry) => of(registry).deleteConfiguration(ID),
    request: `DELETE /configurations/${ENCODED}${VERSION}`,
    ifMatch: '"*"',
    answer: { status: 204 },
    result: undefined,
  },
  {
    name: "testConfigurationQueries sends the condition and the queries",
    call: (registry) =>
      of(registry).testConfigurationQueries({ targetCondition: "*", customMetricQueries: { hot: "SELECT" } }),
    request: `POST /configurations/testQueries${VERSION}`,
    body: { targetCondition: "*", customMetricQueries: { hot: "SELECT" } },
    answer: { body: { targetConditionError: "no", customMetricQueryErrors: { hot: "no" } } },
  },
  {
    name: "applyConfigurationOnEdgeDevice sends the content, and returns nothing",
    call: (registry) =>
      of(registry).applyConfigurationOnEdgeDevice("edge#1", {
        modulesContent: { $edgeAgent: { "properties.desired": {} } },
      }),
    request: `POST /devices/edge%231/applyConfigurationContent${VERSION}`,
    body: { modulesContent: { $edgeAgent: { "properties.desired": {} } } },
    answer: { status: 204 },
    result: undefined,
  },
];

testRequests(CASES, true);
