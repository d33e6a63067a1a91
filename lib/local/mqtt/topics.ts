import { decodeOnce } from "../auth/resource_path.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import { MqttViolation } from "./violation.ts";

/** What a device can subscribe to. `everything` is all that begins with the path of a module. */
export type FilterKind = "messages" | "methods" | "twinAnswers" | "desired" | "inputs" | "everything";

/** What a device publishes. */
export type DeviceTopic =
  | { readonly kind: "telemetry"; readonly bag: string }
  | { readonly kind: "getTwin"; readonly requestId: string }
  | { readonly kind: "report"; readonly requestId: string; readonly version: string | undefined }
  | { readonly kind: "methodAnswer"; readonly requestId: string; readonly status: number };

const HUB_FILTERS: Readonly<Record<string, FilterKind>> = {
  "$iothub/methods/POST/#": "methods",
  "$iothub/twin/res/#": "twinAnswers",
  "$iothub/twin/PATCH/properties/desired/#": "desired",
};
const DEVICE_FILTERS: Readonly<Record<string, FilterKind>> = { "messages/devicebound/#": "messages" };
const MODULE_FILTERS: Readonly<Record<string, FilterKind>> = {
  ...DEVICE_FILTERS,
  "inputs/#": "inputs",
  "#": "everything",
};

const GET_TWIN = /^\$iothub\/twin\/GET\/\?(.*)$/s;
const REPORT = /^\$iothub\/twin\/PATCH\/properties\/reported\/\?(.*)$/s;
const METHOD_ANSWER = /^\$iothub\/methods\/res\/(-?\d{1,9})\/\?(.*)$/s;
/** Telemetry, with or without properties, which may have a slash behind them. */
const TELEMETRY = /^messages\/events(?:\/(.*?)\/?)?$/s;

/** Returns what a topic filter asks for; `undefined` when the hub has nothing of the kind. */
export function readFilter(target: IdentityTarget, filter: string): FilterKind | undefined {
  if (Object.hasOwn(HUB_FILTERS, filter)) return HUB_FILTERS[filter];
  const own = target.moduleId === undefined ? DEVICE_FILTERS : MODULE_FILTERS;
  const rest = belowOwnPath(target, filter);
  return rest !== undefined && Object.hasOwn(own, rest) ? own[rest] : undefined;
}

/**
 * Returns what a device publishes to a topic.
 *
 * @throws {MqttViolation} When the topic is not one of the device's.
 */
export function readTopic(target: IdentityTarget, topic: string): DeviceTopic {
  const telemetry = TELEMETRY.exec(belowOwnPath(target, topic) ?? "");
  if (telemetry !== null) return { kind: "telemetry", bag: telemetry[1] ?? "" };
  const [, get] = GET_TWIN.exec(topic) ?? [];
  if (get !== undefined) return { kind: "getTwin", requestId: requestIdIn(get) };
  const [, report] = REPORT.exec(topic) ?? [];
  if (report !== undefined) {
    return { kind: "report", requestId: requestIdIn(report), version: fieldOf(report, "$version") };
  }
  const [, status, answer] = METHOD_ANSWER.exec(topic) ?? [];
  if (answer !== undefined) return { kind: "methodAnswer", requestId: requestIdIn(answer), status: Number(status) };
  throw new MqttViolation("The client has published to a topic that is not its own");
}

/** Returns the path of an identity, which its topics begin with. */
export function ownPath({ deviceId, moduleId }: IdentityTarget): string {
  return moduleId === undefined ? `devices/${deviceId}` : `devices/${deviceId}/modules/${moduleId}`;
}

/** Returns what follows the path of an identity, whose ids may be encoded; `undefined` when it is another's. */
function belowOwnPath({ deviceId, moduleId }: IdentityTarget, topic: string): string | undefined {
  const own = ["devices", deviceId, ...(moduleId === undefined ? [] : ["modules", moduleId])];
  const segments = topic.split("/");
  const isOwn = own.every((segment, i) => segments[i] === segment || decodeOnce(segments[i] ?? "") === segment);
  return isOwn ? segments.slice(own.length).join("/") : undefined;
}

/** Returns the id of a request as it is written, since the answer repeats it. */
function requestIdIn(query: string): string {
  const id = fieldOf(query, "$rid");
  if (id === undefined) throw new MqttViolation("A topic has no $rid");
  return id;
}

function fieldOf(query: string, name: string): string | undefined {
  return query.split("&").find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1);
}
