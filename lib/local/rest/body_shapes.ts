import { listOf, objectOf, type Shape } from "../service_json.ts";
import { CONFIGURATION_SHAPE, CONTENT_SHAPE } from "../configurations/configuration_shape.ts";
import type { BodyKind } from "./body.ts";
import { READ_ONLY_MEMBERS } from "../twins/twin_writes.ts";

const AUTHENTICATION = objectOf({
  type: "any",
  symmetricKey: objectOf({ primaryKey: "any", secondaryKey: "any" }),
  x509Thumbprint: objectOf({ primaryThumbprint: "any", secondaryThumbprint: "any" }),
});

/** What can be written of a device or a module, or of both. */
const IDENTITY: Readonly<Record<string, Shape>> = {
  moduleId: "any",
  authentication: AUTHENTICATION,
  capabilities: objectOf({ iotEdge: "boolean" }),
  deviceScope: "any",
  managedBy: "any",
  parentScopes: "any",
  status: "any",
  statusReason: "any",
};

/** The names within tags and properties are their owner's: their case matters. */
const TWIN: Readonly<Record<string, Shape>> = {
  tags: "any",
  properties: objectOf({ desired: "any", reported: "any" }),
};

const WHOLE_TWIN = objectOf({
  ...Object.fromEntries(READ_ONLY_MEMBERS.map((name) => [name, "any" as const])),
  ...TWIN,
});

const METHOD = objectOf({
  methodName: "any",
  payload: "any",
  connectTimeoutInSeconds: "number",
  responseTimeoutInSeconds: "number",
});

/** The shape of each kind of body that an operation reads. */
export const BODY_SHAPES: Readonly<Record<BodyKind, Shape>> = {
  none: "any",
  identity: objectOf({ ...IDENTITY, deviceId: "any" }),
  twin: WHOLE_TWIN,
  bulk: listOf(objectOf({ ...IDENTITY, ...TWIN, id: "any", eTag: "any", importMode: "any", twinETag: "any" })),
  query: objectOf({ query: "any" }),
  method: METHOD,
  configuration: objectOf(CONFIGURATION_SHAPE),
  configurationContent: CONTENT_SHAPE,
  configurationQueries: objectOf({ targetCondition: "any", customMetricQueries: "any" }),
  job: objectOf({
    type: "any",
    inputBlobContainerUri: "any",
    inputBlobName: "any",
    outputBlobContainerUri: "any",
    outputBlobName: "any",
    excludeKeysInExport: "boolean",
    includeConfigurations: "boolean",
    configurationsBlobName: "any",
    storageAuthenticationType: "any",
    identity: objectOf({ userAssignedIdentity: "any" }),
  }),
  keys: objectOf({ policyKey: "any", devices: listOf(objectOf({ id: "any", moduleId: "any" })) }),
  scheduledJob: objectOf({
    jobId: "any",
    type: "any",
    queryCondition: "any",
    startTime: "any",
    maxExecutionTimeInSeconds: "number",
    updateTwin: WHOLE_TWIN,
    cloudToDeviceMethod: METHOD,
  }),
  jsonPatch: listOf(objectOf({ op: "any", path: "any", from: "any", value: "any" })),
  payload: "any",
  telemetry: listOf(objectOf({ body: "any", base64Encoded: "boolean", properties: "any" })),
  upload: objectOf({ blobName: "any" }),
  uploadEnd: objectOf({ correlationId: "any", isSuccess: "boolean", statusCode: "number", statusDescription: "any" }),
};
