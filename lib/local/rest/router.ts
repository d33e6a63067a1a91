import { cannotUse, quote } from "../../values/checks.ts";
import { API_VERSION } from "../api_version.ts";
import { type Principal, requireRight } from "../auth/authorization.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import { readResourcePath } from "../auth/resource_path.ts";
import { newTrackingId } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { readClock } from "../hub_time.ts";
import type { HubState } from "../hub_state.ts";
import { RestCall } from "./call.ts";
import { type KnownOfRequest, tellOfOperation } from "./operation_events.ts";
import { type Envelope, faultAnswer, internalFaultAnswer, MethodNotAllowed } from "./errors.ts";
import { completeAnswer } from "./complete_answer.ts";
import { admitOperation } from "./throttled.ts";
import type { Route } from "./routes.ts";
import type { HubAnswer } from "../hub_answer.ts";
import type { HubRequest } from "../hub_request.ts";

/** Answers one request of a client, which may have shown a certificate. */
export type AnswerRest = (hub: HubState, request: HubRequest, certificate?: ClientCertificate) => Promise<HubAnswer>;

/** Routes by their first segment and their number of segments. */
type RouteIndex = ReadonlyMap<string, readonly Route[]>;

/** Makes a function that answers requests by the operations of a table, and tells how each has gone. */
export function restRouter(routes: readonly Route[]): AnswerRest {
  const index = indexRoutes(routes);
  return async (hub, request, certificate) => {
    const started = performance.now();
    const known: KnownOfRequest = {};
    let response: HubAnswer | undefined;
    try {
      return response = await answer(index, hub, request, certificate, known);
    } finally {
      tellOfOperation(hub.activity, known, started, response);
    }
  };
}

async function answer(
  index: RouteIndex,
  hub: HubState,
  request: HubRequest,
  certificate: ClientCertificate | undefined,
  known: KnownOfRequest,
): Promise<HubAnswer> {
  const trackingId = newTrackingId();
  let envelope: Envelope = "plain";
  try {
    hub.alarm.ring();
    const url = new URL(request.url);
    const path = decodePath(url.pathname);
    const { route, ids } = known.target = { ...findRoute(index, methodOf(request), path), query: url.searchParams };
    envelope = route.envelope;
    checkApiVersion(url.searchParams);
    const principal = known.principal = await signIn(hub, request, route, path, certificate);
    await admitOperation(hub.throttle, route.operation);
    // Only a caller who may do this has its body read.
    const call = new RestCall(hub, request, principal, ids, url.searchParams, route.body);
    return completeAnswer(await route.handler(call), hub.now(), trackingId);
  } catch (error) {
    // The caller has gone, and learns it as from any fetch.
    if (!(error instanceof HubFault) && request.signal.aborted) throw error;
    const now = readClock(hub.now);
    if (!(error instanceof HubFault)) {
      hub.faults.report(error, trackingId);
      return completeAnswer(internalFaultAnswer(trackingId, envelope, now), now, trackingId);
    }
    // The real hub sends this error in a shape of its own.
    if (error.code === "ModuleAlreadyExistsOnDevice") envelope = "bare";
    return completeAnswer(faultAnswer(error, envelope, now, trackingId), now, trackingId);
  }
}

async function signIn(
  hub: HubState,
  request: HubRequest,
  { right }: Route,
  path: readonly string[],
  certificate: ClientCertificate | undefined,
): Promise<Principal> {
  const authorization = request.headers.get("authorization");
  try {
    const principal = right === "DeviceConnect"
      ? await hub.deviceSignIn.authenticate(authorization, path, certificate)
      : await hub.authorizer.authenticate(authorization);
    requireRight(principal, right, path);
    return principal;
  } catch (error) {
    if (error instanceof HubFault) hub.activity.refuse("http", error);
    throw error;
  }
}

/** Clients that cannot send PATCH send POST and name the method that they mean in a header. */
function methodOf(request: HubRequest): string {
  if (request.method !== "POST") return request.method;
  return request.headers.get("x-http-method-override")?.toUpperCase() ?? "POST";
}

function decodePath(pathname: string): string[] {
  const path = readResourcePath(pathname).map((segment) => {
    if (segment !== undefined) return segment;
    throw new HubFault("IotHubFormatError", 400, cannotUse(`the path ${pathname}`, "percent-encoded UTF-8"));
  });
  // Some clients, such as Azure IoT Explorer, encode a path as a whole, with its slashes. No id contains a slash.
  return path.length === 1 ? path[0]!.split("/") : path;
}

function findRoute(index: RouteIndex, method: string, path: readonly string[]): { route: Route; ids: string[] } {
  const candidates = (index.get(indexKey(path)) ?? []).filter((route) => matches(route, path));
  const route = candidates.find((candidate) => candidate.method === method);
  if (route !== undefined) return { route, ids: path.filter((_, i) => route.segments[i] === "{}") };
  if (candidates.length > 0) {
    // Where a path has a name of its own and could be an id as well, a method may be among them twice.
    throw new MethodNotAllowed(method, [...new Set(candidates.map((candidate) => candidate.method))]);
  }
  throw new HubFault("GenericNotFound", 404, `The hub has no resource at /${path.join("/")}`);
}

function matches(route: Route, path: readonly string[]): boolean {
  return route.segments.every((segment, i) => segment === "{}" || segment === path[i]!.toLowerCase());
}

function indexKey(path: readonly string[]): string {
  return `${path[0]?.toLowerCase()} ${path.length}`;
}

function indexRoutes(routes: readonly Route[]): RouteIndex {
  const index = new Map<string, Route[]>();
  for (const route of routes) {
    const key = indexKey(route.segments);
    index.set(key, [...index.get(key) ?? [], route]);
  }
  return index;
}

function checkApiVersion(query: URLSearchParams): void {
  const version = query.get("api-version");
  if (version !== null && API_VERSION.test(version)) return;
  const rule = "a date such as 2021-04-12";
  const text = version === null
    ? `The query parameter api-version is missing: it must be ${rule}`
    : cannotUse(`api-version ${quote(version)}`, rule);
  throw new HubFault("InvalidProtocolVersion", 400, text);
}
