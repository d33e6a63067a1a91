import type { Activity } from "../activity/activity.ts";
import type { LocalHubDeviceAct } from "../activity/hub_event.ts";
import { callerOf, type Principal } from "../auth/authorization.ts";
import type { HubAnswer } from "../hub_answer.ts";
import type { Route } from "./routes.ts";

/** What has become known of a request on its way. */
export interface KnownOfRequest {
  target?: { readonly route: Route; readonly ids: readonly string[]; readonly query: URLSearchParams };
  principal?: Principal;
}

/** The resources whose first id is that of a device. */
const OF_DEVICES: readonly (string | undefined)[] = ["devices", "twins", "digitaltwins"];
const CALLER_GONE = { status: 499, errorCode: "ClientClosedRequest" };

/**
 * Tells how a request has gone.
 *
 * @param started When it came, by `performance.now()`.
 * @param response `undefined` when the caller has not waited for it.
 */
export function tellOfOperation(
  activity: Activity,
  { target, principal }: KnownOfRequest,
  started: number,
  response: HubAnswer | undefined,
): void {
  activity.tell(() => {
    const outcome = {
      ...(response === undefined ? CALLER_GONE : {
        status: response.status,
        errorCode: response.headers["iothub-errorcode"],
      }),
      durationInMs: performance.now() - started,
    };
    const act = actIn(target);
    if (act !== undefined) {
      return { kind: "deviceAct", act, deviceId: target!.ids[0]!, moduleId: undefined, protocol: "http", ...outcome };
    }
    return {
      kind: "operation",
      operation: target?.route.operation,
      caller: principal && callerOf(principal),
      protocol: "http",
      ...identityIn(target),
      ...outcome,
    };
  });
}

/** Returns what a device wants to do; `undefined` for the request of a back end. */
function actIn(target: KnownOfRequest["target"]): LocalHubDeviceAct | undefined {
  if (target?.route.right !== "DeviceConnect") return undefined;
  const act = target.route.operation as LocalHubDeviceAct;
  return act === "completeMessage" && target.query.has("reject") ? "rejectMessage" : act;
}

function identityIn(
  target: KnownOfRequest["target"],
): { deviceId: string | undefined; moduleId: string | undefined } {
  const [resource, , part, partId] = target?.route.segments ?? [];
  const [deviceId, moduleId] = OF_DEVICES.includes(resource) ? target?.ids ?? [] : [];
  return { deviceId, moduleId: part === "modules" && partId === "{}" ? moduleId : undefined };
}
