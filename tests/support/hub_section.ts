import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type AmqpAddress, parseAddress } from "../../lib/local/amqp/address.ts";
import { LocalHub, type LocalHubAddresses } from "../../lib/local/mod.ts";
import { DEVICE_ROUTES } from "../../lib/local/device_rest/routes.ts";
import { ROUTES } from "../../lib/local/rest/routes.ts";
import { markdownTable } from "./markdown.ts";
import { RestCaller } from "./rest_caller.ts";

/** What `openapi.json` tells of the operations. */
interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { operationId?: string; tags?: readonly string[] }>>>
  >;
}

/** The names of the protocols, by the names of their addresses. */
const PROTOCOLS: Readonly<Record<Exclude<keyof LocalHubAddresses, "certificate">, [name: string, use: string]>> = {
  https: ["HTTPS", "the service API, and what devices do without a connection: the operations below"],
  http: ["HTTP without TLS", "the same"],
  amqps: [
    "AMQP 1.0 with TLS",
    "all that devices do save uploads; messages of back ends, feedback, file notifications, events: the links below",
  ],
  amqp: ["AMQP 1.0 without TLS", "the same"],
  mqtts: ["MQTT 3.1.1 with TLS", "all that devices do save uploads: the topics below"],
  mqtt: ["MQTT 3.1.1 without TLS", "the same"],
  wss: ["AMQP and MQTT over WebSocket with TLS", "the same as over AMQP and MQTT, on the port for HTTPS"],
  ws: ["AMQP and MQTT over WebSocket without TLS", "the same, on the port for HTTP"],
};

/** What an AMQP client can attach to, by the kinds of addresses that the hub knows. */
const LINKS: readonly (readonly [kind: AmqpAddress["kind"], address: string, who: string, use: string])[] = [
  [
    "cbs",
    "$cbs",
    "everybody",
    "put a token on the connection: of a policy, for the hub or its event hub, of a device or module, or a bearer token",
  ],
  ["devicebound", "/messages/devicebound", "back ends", "send messages to devices and modules"],
  ["feedback", "/messages/servicebound/feedback", "back ends", "receive feedback on messages, in batches"],
  ["fileNotifications", "/messages/servicebound/filenotifications", "back ends", "receive notifications of uploads"],
  [
    "messages",
    "/devices/{id}[/modules/{id}]/messages/devicebound",
    "devices, modules",
    "receive messages, and complete, reject or release them",
  ],
  ["methods", "/devices/{id}[/modules/{id}]/methods/devicebound", "devices, modules", "answer direct methods"],
  ["twin", "/devices/{id}[/modules/{id}]/twin", "devices, modules", "read the twin, report and watch properties"],
  [
    "events",
    "/devices/{id}[/modules/{id}]/messages/events",
    "devices, modules",
    "send telemetry; modules listen there for inputs",
  ],
  [
    "redirect",
    "/messages/events/$management",
    "back ends",
    "find the event hub, with whatever follows `/messages/events` in the address",
  ],
  ["management", "$management", "back ends", "ask for the partitions of the event hub"],
  [
    "eventPartition",
    "{event hub}/ConsumerGroups/{group}/Partitions/{id}",
    "back ends",
    "read events, from a position in the filter `apache.org:selector-filter:string`, with an owner level if wanted",
  ],
];

/** What devices can do over HTTPS, by the operations of the hub that are for devices. */
const DEVICE_OPERATIONS: Readonly<Record<string, string>> = {
  "POST /devices/{}/messages/events": "send telemetry",
  "GET /devices/{}/messages/devicebound": "receive a message",
  "DELETE /devices/{}/messages/devicebound/{}": "complete or reject it",
  "POST /devices/{}/messages/devicebound/{}/abandon": "release it",
  "POST /devices/{}/files": "begin to upload a file",
  "POST /devices/{}/files/notifications": "announce the upload",
  "POST /devices/{}/files/notifications/{}": "the same",
};

/** An operation of the REST API, and how the hub takes it. */
export interface HubOperation {
  readonly nouns: readonly string[];
  readonly operationId: string;
  readonly request: string;
  /** The right that it needs. */
  readonly right: string;
  /** Whether the hub has it. */
  readonly isThere: boolean;
}

/** Every operation of the REST API with what the hub answers when it is asked. */
export async function askForOperations(): Promise<HubOperation[]> {
  const openApi: OpenApi = JSON.parse(
    await readFile(new URL("../../openapi.json", import.meta.url), "utf8"),
  );
  await using hub = new LocalHub();
  const caller = new RestCaller(hub);
  const found: HubOperation[] = [];
  for (const [path, operations] of Object.entries(openApi.paths)) {
    for (const [method, { operationId, tags: nouns = [] }] of Object.entries(operations)) {
      if (operationId === undefined) continue;
      const request = `${method.toUpperCase()} ${path}`;
      const route = ROUTES.find((route) => route.method === method.toUpperCase() && leadsTo(route.segments, path));
      if (route === undefined) throw new Error(`The hub knows no ${request}; it must answer it, with 501 at least`);
      const body = method === "get" || method === "delete" ? undefined : {};
      const { status } = await caller.call(route.method, path.replaceAll(/\{\w+\}/g, "nobody"), body);
      found.push({ nouns, operationId, request, right: route.right, isThere: status !== 501 });
    }
  }
  return found;
}

/** The table of all operations. */
export async function renderOperations(): Promise<string> {
  const rows = (await askForOperations()).map(({ nouns, operationId, request, right, isThere }) => [
    nouns.join(", "),
    `\`${operationId}\``,
    `\`${request}\``,
    isThere ? "yes" : "no (501)",
    right,
  ]);
  const byNoun = Map.groupBy(rows, ([noun]) => noun);
  return markdownTable([["noun", "operation", "request", "here", "needs the right"], ...[...byNoun.values()].flat()]);
}

/** Where the hub listens when it is asked to listen everywhere. */
export async function renderProtocols(): Promise<string> {
  await using hub = new LocalHub();
  const { certificate, ...addresses } = await hub.listen({ https: 0, http: 0, amqps: 0, amqp: 0, mqtts: 0, mqtt: 0 });
  assert.ok(certificate?.includes("BEGIN CERTIFICATE"));
  assert.deepEqual(Object.keys(addresses).sort(), Object.keys(PROTOCOLS).sort());
  const rows = Object.entries(PROTOCOLS).map(([key, [name, use]]) => {
    const address = addresses[key as keyof typeof PROTOCOLS]!.replace(/:\d+/, ":<port>");
    return [name, `\`listen({ ${portOf(key)}: 0 })\``, `\`${address}\``, use];
  });
  return markdownTable([
    ["protocol", "opened by", "address", "what goes over it"],
    ...rows,
  ]);
}

/** The addresses of links, and whether AMQP clients can attach to them. */
export function renderLinks(): string {
  const rows = LINKS.map(([kind, address, who, use]) => {
    for (const module of ["", "/modules/{id}"]) {
      const named = address.replace("[/modules/{id}]", module).replaceAll(/\{(?!id\})[\w ]+\}/g, "x");
      assert.equal(parseAddress(kind === "eventPartition" ? named.replace("{id}", "0") : named)?.kind, kind);
    }
    return [`\`${address}\``, who, use];
  });
  return markdownTable([["address", "who", "what for"], ...rows]);
}

/** Every operation of devices over HTTPS with what the hub answers when it is asked. */
export async function renderDeviceOperations(): Promise<string> {
  await using hub = new LocalHub();
  const caller = new RestCaller(hub);
  const rows = DEVICE_ROUTES.map(async ({ method, segments }) => {
    const path = `/${segments.join("/")}`;
    const { status } = await caller.call(method, path.replaceAll("{}", "nobody"));
    const use = DEVICE_OPERATIONS[`${method} ${path}`];
    if (use === undefined) throw new Error(`The table has no words for ${method} ${path}`);
    return [`\`${method} ${path.replaceAll("{}", "{id}")}\``, use, status === 501 ? "no (501)" : "yes"];
  });
  return markdownTable([["request", "what for", "here"], ...await Promise.all(rows)]);
}

function leadsTo(segments: readonly string[], path: string): boolean {
  return `/${segments.join("/")}` === path.toLowerCase().replaceAll(/\{\w+\}/g, "{}");
}

/** A WebSocket shares its port with HTTP. */
function portOf(protocol: string): string {
  return protocol.replace(/^ws/, "http");
}
