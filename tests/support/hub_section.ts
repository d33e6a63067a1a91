import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type AmqpAddress, parseAddress } from "../../lib/local/amqp/address.ts";
import { LocalHub, type LocalHubAddresses } from "../../lib/local/mod.ts";
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
  https: ["HTTPS", "the service API: the operations below"],
  http: ["HTTP without TLS", "the same"],
  amqps: ["AMQP 1.0 with TLS", "messages from back ends and to devices, feedback, file notifications: the links below"],
  amqp: ["AMQP 1.0 without TLS", "the same"],
  wss: ["AMQP over WebSocket with TLS", "the same, on the port for HTTPS"],
  ws: ["AMQP over WebSocket without TLS", "the same, on the port for HTTP"],
};

/** What an AMQP client can attach to, by the kinds of addresses that the hub knows. */
const LINKS: Readonly<Record<AmqpAddress["kind"], readonly [address: string, who: string, use: string]>> = {
  cbs: ["$cbs", "everybody", "put a token on the connection: of a policy, of a device or module, or a bearer token"],
  devicebound: ["/messages/devicebound", "back ends", "send messages to devices and modules"],
  feedback: ["/messages/servicebound/feedback", "back ends", "receive feedback on messages, in batches"],
  fileNotifications: ["/messages/servicebound/filenotifications", "back ends", "receive notifications of uploads"],
  device: [
    "/devices/{id}[/modules/{id}]/messages/devicebound",
    "devices, modules",
    "receive messages, and complete, reject or release them",
  ],
};

/** Every operation of the REST API with what the hub answers when it is asked. */
export async function renderOperations(): Promise<string> {
  const openApi: OpenApi = JSON.parse(
    await readFile(new URL("../../openapi.json", import.meta.url), "utf8"),
  );
  await using hub = new LocalHub();
  const caller = new RestCaller(hub);
  const rows: string[][] = [];
  for (const [path, operations] of Object.entries(openApi.paths)) {
    for (const [method, { operationId, tags = [] }] of Object.entries(operations)) {
      if (operationId === undefined) continue;
      const request = `${method.toUpperCase()} ${path}`;
      const route = ROUTES.find((route) => route.method === method.toUpperCase() && leadsTo(route.segments, path));
      if (route === undefined) throw new Error(`The hub knows no ${request}; it must answer it, with 501 at least`);
      const body = method === "get" || method === "delete" ? undefined : {};
      const { status } = await caller.call(route.method, path.replaceAll(/\{\w+\}/g, "nobody"), body);
      const isThere = status !== 501;
      rows.push([
        tags.join(", "),
        `\`${operationId}\``,
        `\`${request}\``,
        isThere ? "yes" : "no (501)",
        route.right ?? "",
      ]);
    }
  }
  const byNoun = Map.groupBy(rows, ([noun]) => noun);
  return markdownTable([["noun", "operation", "request", "here", "needs the right"], ...[...byNoun.values()].flat()]);
}

/** Where the hub listens when it is asked to listen everywhere. */
export async function renderProtocols(): Promise<string> {
  await using hub = new LocalHub();
  const { certificate, ...addresses } = await hub.listen({ https: 0, http: 0, amqps: 0, amqp: 0 });
  assert.ok(certificate?.includes("BEGIN CERTIFICATE"));
  assert.deepEqual(Object.keys(addresses).sort(), Object.keys(PROTOCOLS).sort());
  await assert.rejects(hub.listen({ mqtts: 0 }), RangeError);
  const rows = Object.entries(PROTOCOLS).map(([key, [name, use]]) => {
    const address = addresses[key as keyof typeof PROTOCOLS]!.replace(/:\d+/, ":<port>");
    return [name, `\`listen({ ${portOf(key)}: 0 })\``, `\`${address}\``, use];
  });
  return markdownTable([["protocol", "opened by", "address", "what goes over it"], ...rows, ["MQTT", "", "", "no"]]);
}

/** The addresses that AMQP clients can attach to. */
export function renderLinks(): string {
  const rows = Object.entries(LINKS).map(([kind, [address, who, use]]) => {
    assert.equal(parseAddress(address.replace("[/modules/{id}]", ""))?.kind, kind);
    return [`\`${address}\``, who, use];
  });
  return markdownTable([["address", "who", "what for"], ...rows]);
}

function leadsTo(segments: readonly string[], path: string): boolean {
  return `/${segments.join("/")}` === path.toLowerCase().replaceAll(/\{\w+\}/g, "{}");
}

/** A WebSocket shares its port with HTTP. */
function portOf(protocol: string): string {
  return protocol.replace(/^ws/, "http");
}
