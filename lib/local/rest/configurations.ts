import { applyContent } from "../configurations/apply_content.ts";
import { configurationEtag, type ConfigurationRecord } from "../configurations/configuration_record.ts";
import { readText, readTexts } from "../configurations/settings.ts";
import { preconditionFailed } from "../hub_fault.ts";
import { checkIdInBody, requireObject } from "../identities/identity_rules.ts";
import { requireDevice } from "../records/find_identity.ts";
import { type IfMatch, readQuotedIfMatch } from "../records/if_match.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `GET /configurations`: reads all configurations. Like the real hub, it ignores `top`. */
export function listConfigurations({ hub }: RestCall): RestAnswer {
  return ok([...hub.configurations.all()].map((record) => hub.configurations.documentOf(record)));
}

/** `GET /configurations/{id}`: reads a configuration. */
export function readConfiguration(call: RestCall): RestAnswer {
  return answerOf(call, call.hub.configurations.require(idOf(call)));
}

/** `PUT /configurations/{id}`: creates a configuration, or replaces it when there is an `If-Match`. */
export async function putConfiguration(call: RestCall): Promise<RestAnswer> {
  const { configurations } = call.hub;
  const id = idOf(call);
  const body = requireObject("a configuration", await call.json());
  checkIdInBody("id", body, id);
  const ifMatch = ifMatchOf(call);
  if (ifMatch === undefined) return answerOf(call, configurations.create(id, body));
  const record = configurations.require(id);
  checkIfMatch(record, ifMatch);
  return answerOf(call, configurations.replace(record, body));
}

/** `DELETE /configurations/{id}`: deletes a configuration. */
export function removeConfiguration(call: RestCall): RestAnswer {
  const record = call.hub.configurations.require(idOf(call));
  checkIfMatch(record, ifMatchOf(call));
  call.hub.configurations.delete(record);
  return { status: 204 };
}

/** `POST /configurations/testQueries`: tells what is wrong with queries. */
export async function testConfigurationQueries(call: RestCall): Promise<RestAnswer> {
  const body = requireObject("queries to test", await call.json());
  return ok(call.hub.configurations.testQueries({
    targetCondition: readText("targetCondition", body["targetCondition"]),
    customMetricQueries: readTexts("customMetricQueries", body["customMetricQueries"]),
  }));
}

/** `POST /devices/{id}/applyConfigurationContent`: gives content to an edge device. */
export async function applyConfigurationContent(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  applyContent(call.hub, requireDevice(call.hub.store, call.deviceId), body);
  return { status: 204 };
}

function idOf({ ids }: RestCall): string {
  return ids[0]!;
}

/** Of configurations alone, the hub takes an etag in quotes only. */
function ifMatchOf({ request }: RestCall): IfMatch {
  return readQuotedIfMatch(request.headers.get("if-match"));
}

function checkIfMatch(record: ConfigurationRecord, ifMatch: IfMatch): void {
  if (ifMatch === undefined || ifMatch === "*" || ifMatch === configurationEtag(record)) return;
  throw preconditionFailed(`ETag mismatch for configuration ID '${record.id}'`);
}

function answerOf({ hub }: RestCall, record: ConfigurationRecord): RestAnswer {
  return ok(hub.configurations.documentOf(record), { etag: `"${configurationEtag(record)}"` });
}
